// Signing in with a password, through the registry's server over a real database.

#include <atomic>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/db/pool.h"
#include "common/host/host.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/testing/fake_clock.h"
#include "common/testing/test_database.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "fadu/registry/v1/sign_in_service.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/registry/module.h"

namespace fadu::registry {
namespace {

namespace common = ::fadu::common::v1;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// 1 June 2024, 12:00 in Beijing.
const absl::Time kNoon = absl::FromUnixSeconds(1717214400);
constexpr char kPassword[] = "Tian-lan-7788";
constexpr char kRegistry[] = "/fadu.registry.v1.RegistryService/";
constexpr char kSignIn[] = "/fadu.registry.v1.SignInService/";

class SignInTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dsn_ = testing::TestCluster::Get().CreateDatabase();
    clock_.Set(absl::Now());
    host::HostOptions options;
    options.modules = {MakeModule()};
    options.services = {"registry", "gateway"};
    options.admin_dsn = dsn_;
    options.dsn = dsn_;
    options.keys_folder = folder_.path() + "/keys";
    options.metrics_listen = "";
    options.pool_connections = 4;
    auto started = host::Host::Start(std::move(options), clock_, *ids_);
    ASSERT_TRUE(started.ok()) << started.status();
    host_ = *std::move(started);
    clock_.Set(kNoon);
    std::ifstream in(folder_.path() + "/keys/bootstrap.secret");
    std::stringstream secret;
    secret << in.rdbuf();
    v1::BootstrapRequest request;
    request.set_secret(secret.str());
    request.set_parent("counties/421221");
    request.set_display_name("县司法局管理员");
    request.set_request_id(NewId());
    const auto admin = Call<v1::AccountSecret>(absl::StrCat(kRegistry, "Bootstrap"), request, "");
    ASSERT_TRUE(admin.ok()) << admin.status();
    admin_name_ = admin->name();
    v1::ExchangeTokenRequest exchange;
    exchange.set_secret(admin->secret());
    admin_ = Call<v1::ExchangeTokenResponse>(absl::StrCat(kRegistry, "ExchangeToken"), exchange, "")
                 ->bearer();
  }

  std::string NewId() { return ids_->NewId().ToString(); }

  // As the gateway calls.
  std::string Gateway() {
    common::Identity identity;
    identity.set_subject("services/gateway");
    identity.set_expire_seconds(absl::ToUnixSeconds(clock_.Now() + absl::Minutes(1)));
    const auto signer = rpc::Signer::Load(folder_.path() + "/keys", "gateway");
    return *(*signer)->Sign(std::move(identity));
  }

  template <typename Response>
  absl::StatusOr<Response> Call(const std::string& method, const google::protobuf::Message& request,
                                const std::string& bearer) {
    Response response;
    rpc::CallOptions options;
    options.deadline = absl::Now() + absl::Seconds(20);
    options.bearer = bearer;
    const absl::Status status =
        host_->channel("registry")->Call(method, request, &response, options);
    if (!status.ok()) return status;
    return response;
  }

  // A clerk's account.
  v1::Account Clerk() {
    v1::CreateAccountRequest wish;
    wish.set_parent("counties/421221");
    wish.set_display_name("潘家湾镇司法所");
    wish.set_kind(v1::ACCOUNT_KIND_USER);
    wish.add_grants()->set_role(common::ROLE_TOWN_CLERK);
    wish.mutable_grants(0)->set_area_code("421221106");
    wish.set_request_id(NewId());
    const auto made =
        Call<v1::AccountSecret>(absl::StrCat(kRegistry, "CreateAccount"), wish, admin_);
    EXPECT_TRUE(made.ok()) << made.status();
    name_ = made->name();
    return made->account();
  }

  absl::StatusOr<v1::PasswordSecret> MakeSecret(const std::string& login,
                                                const std::string& name = "",
                                                const std::string& request_id = "") {
    v1::CreatePasswordSecretRequest request;
    request.set_name(name.empty() ? name_ : name);
    request.set_login(login);
    request.set_request_id(request_id.empty() ? NewId() : request_id);
    return Call<v1::PasswordSecret>(absl::StrCat(kSignIn, "CreatePasswordSecret"), request, admin_);
  }

  absl::StatusOr<v1::SetPasswordResponse> SetBySecret(const std::string& secret,
                                                      const std::string& password = kPassword) {
    v1::SetPasswordRequest request;
    request.set_secret(secret);
    request.set_new_password(password);
    return Call<v1::SetPasswordResponse>(absl::StrCat(kSignIn, "SetPassword"), request, "");
  }

  // A clerk that can sign in.
  void ClerkWithPassword() {
    Clerk();
    const auto secret = MakeSecret("clerk");
    ASSERT_TRUE(secret.ok()) << secret.status();
    const auto set = SetBySecret(secret->secret());
    ASSERT_TRUE(set.ok()) << set.status();
  }

  absl::StatusOr<v1::Session> SignIn(const std::string& login, const std::string& password) {
    v1::SignInRequest request;
    request.set_parent("counties/421221");
    request.set_login(login);
    request.set_password(password);
    return Call<v1::Session>(absl::StrCat(kSignIn, "SignIn"), request, Gateway());
  }

  absl::StatusOr<v1::Session> Refresh(const std::string& secret) {
    v1::RefreshSessionRequest request;
    request.set_secret(secret);
    return Call<v1::Session>(absl::StrCat(kSignIn, "RefreshSession"), request, Gateway());
  }

  testing::TempFolder folder_;
  FakeClock clock_;
  std::unique_ptr<IdSource> ids_ = NewUuidV7Source(SystemClock());
  std::string dsn_;
  std::unique_ptr<host::Host> host_;
  std::string admin_;
  std::string admin_name_;
  std::string name_;
};

TEST_F(SignInTest, APersonSetsThePasswordWithAOneTimeSecretAndSignsIn) {
  Clerk();
  const auto secret = MakeSecret("clerk");
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(secret->login(), "clerk");
  EXPECT_EQ(secret->expire_time().seconds(), absl::ToUnixSeconds(kNoon) + 7 * 24 * 3600);
  ASSERT_TRUE(SetBySecret(secret->secret()).ok());
  const auto session = SignIn("clerk", kPassword);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->account(), name_);
  EXPECT_EQ(session->grants(0).area_code(), "421221106");
  const auto verifier = rpc::Verifier::Load(folder_.path() + "/keys");
  EXPECT_EQ((*verifier)->Verify(session->bearer(), kNoon)->display_name, "潘家湾镇司法所");
}

TEST_F(SignInTest, AOneTimeSecretIsUsedOnceAndHoldsSevenDays) {
  Clerk();
  const std::string first = MakeSecret("clerk")->secret();
  const std::string second = MakeSecret("")->secret();
  EXPECT_EQ(ReasonOf(SetBySecret(first).status()), "REASON_PASSWORD_SECRET");
  EXPECT_TRUE(SetBySecret(second).ok());
  EXPECT_EQ(ReasonOf(SetBySecret(second, "Other-pass-1").status()), "REASON_PASSWORD_SECRET");
  EXPECT_EQ(SignIn("clerk", "Other-pass-1").status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(SignInTest, AOneTimeSecretIsTooOldAfterSevenDays) {
  Clerk();
  const std::string secret = MakeSecret("clerk")->secret();
  clock_.Advance(absl::Hours(24 * 7));
  EXPECT_EQ(ReasonOf(SetBySecret(secret).status()), "REASON_PASSWORD_SECRET");
}

TEST_F(SignInTest, ARepeatedWishShowsNoSecretAgain) {
  Clerk();
  const std::string request_id = NewId();
  const auto first = MakeSecret("clerk", "", request_id);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = MakeSecret("clerk", "", request_id);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->secret(), "");
  EXPECT_TRUE(SetBySecret(first->secret()).ok());
}

TEST_F(SignInTest, OnlyAPersonWithALoginGetsAPassword) {
  Clerk();
  EXPECT_EQ(ReasonOf(MakeSecret("").status()), "REASON_LOGIN_MISSING");
  EXPECT_EQ(ReasonOf(MakeSecret("Not A Login").status()), "REASON_LOGIN_INVALID");
  ASSERT_TRUE(MakeSecret("clerk").ok());
  EXPECT_EQ(ReasonOf(MakeSecret("clerk", admin_name_).status()), "REASON_LOGIN_TAKEN");
}

TEST_F(SignInTest, AWeakPasswordIsRefusedAndTheSecretStays) {
  Clerk();
  const std::string secret = MakeSecret("clerk")->secret();
  EXPECT_EQ(ReasonOf(SetBySecret(secret, "12345678").status()), "REASON_PASSWORD_WEAK");
  EXPECT_TRUE(SetBySecret(secret).ok());
}

TEST_F(SignInTest, UnknownWrongAndDisabledAreNotToldApart) {
  ClerkWithPassword();
  const absl::Status wrong = SignIn("clerk", "Wrong-pass-1").status();
  const absl::Status unknown = SignIn("nobody", kPassword).status();
  EXPECT_EQ(ReasonOf(wrong), "REASON_SIGN_IN_REFUSED");
  EXPECT_EQ(unknown, wrong);
  v1::DisableAccountRequest disable;
  disable.set_name(name_);
  disable.set_reason("离岗");
  disable.set_request_id(NewId());
  ASSERT_TRUE(
      Call<v1::AccountInfo>(absl::StrCat(kRegistry, "DisableAccount"), disable, admin_).ok());
  EXPECT_EQ(SignIn("clerk", kPassword).status(), wrong);
}

// 5 failures within 15 minutes, of a login that there is and of one that there is not.
TEST_F(SignInTest, FiveFailuresLockALoginForFifteenMinutes) {
  ClerkWithPassword();
  for (const char* login : {"clerk", "nobody"}) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(ReasonOf(SignIn(login, "Wrong-pass-1").status()), "REASON_SIGN_IN_REFUSED") << i;
    }
    const absl::Status locked = SignIn(login, kPassword).status();
    EXPECT_EQ(ReasonOf(locked), "REASON_SIGN_IN_LOCKED") << login;
    EXPECT_EQ(DetailOf(locked).metadata["minutes"], "15");
  }
  clock_.Advance(absl::Minutes(15));
  EXPECT_TRUE(SignIn("clerk", kPassword).ok());
}

TEST_F(SignInTest, ASuccessForgetsTheFailuresBeforeIt) {
  ClerkWithPassword();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) SignIn("clerk", "Wrong-pass-1").status().IgnoreError();
    EXPECT_TRUE(SignIn("clerk", kPassword).ok()) << round;
  }
}

// Many guesses at once are no more than five.
TEST_F(SignInTest, GuessesAtOnceAreCountedBeforeTheyAreTried) {
  ClerkWithPassword();
  std::atomic<int> tried{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      tried += ReasonOf(SignIn("clerk", "Wrong-pass-1").status()) == "REASON_SIGN_IN_REFUSED";
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tried, 5);
}

TEST_F(SignInTest, ASessionGivesTokensWhileItIsUsed) {
  ClerkWithPassword();
  const std::string secret = SignIn("clerk", kPassword)->secret();
  clock_.Advance(absl::Minutes(59));
  const auto refreshed = Refresh(secret);
  ASSERT_TRUE(refreshed.ok()) << refreshed.status();
  EXPECT_EQ(refreshed->secret(), "");
  EXPECT_EQ(refreshed->end_time().seconds(), absl::ToUnixSeconds(kNoon) + 12 * 3600);
  clock_.Advance(absl::Minutes(60));
  EXPECT_EQ(ReasonOf(Refresh(secret).status()), "REASON_SESSION_ENDED");
  EXPECT_EQ(ReasonOf(Refresh("fadu-session_wrong").status()), "REASON_SESSION_ENDED");
}

TEST_F(SignInTest, ASessionEndsBySigningOutANewPasswordOrDisabling) {
  ClerkWithPassword();
  const std::string first = SignIn("clerk", kPassword)->secret();
  const std::string second = SignIn("clerk", kPassword)->secret();
  v1::SignOutRequest out;
  out.set_secret(first);
  ASSERT_TRUE(Call<v1::SignOutResponse>(absl::StrCat(kSignIn, "SignOut"), out, Gateway()).ok());
  EXPECT_FALSE(Refresh(first).ok());
  EXPECT_TRUE(Refresh(second).ok());
  v1::SetPasswordRequest change;
  change.set_parent("counties/421221");
  change.set_login("clerk");
  change.set_password(kPassword);
  change.set_new_password("Bai-yun-9900");
  ASSERT_TRUE(
      Call<v1::SetPasswordResponse>(absl::StrCat(kSignIn, "SetPassword"), change, "").ok());
  EXPECT_FALSE(Refresh(second).ok());
  EXPECT_FALSE(SignIn("clerk", kPassword).ok());
  EXPECT_TRUE(SignIn("clerk", "Bai-yun-9900").ok());
}

// Neither people nor programs begin sessions by themselves: the page's cookie keeps the secret.
TEST_F(SignInTest, OnlyTheGatewayBeginsSessions) {
  ClerkWithPassword();
  v1::SignInRequest request;
  request.set_parent("counties/421221");
  request.set_login("clerk");
  request.set_password(kPassword);
  const std::string method = absl::StrCat(kSignIn, "SignIn");
  EXPECT_EQ(ReasonOf(Call<v1::Session>(method, request, "").status()), "REASON_IDENTITY_MISSING");
  EXPECT_EQ(ReasonOf(Call<v1::Session>(method, request, admin_).status()), "REASON_ROLE_DENIED");
}

TEST_F(SignInTest, WhatIsStoredAndAuditedHoldsNoSecret) {
  ClerkWithPassword();
  const std::string session = SignIn("clerk", kPassword)->secret();
  db::Pool admin(db::PoolOptions{dsn_, 1, "test"});
  std::string stored;
  ASSERT_TRUE(admin
                  .Read(db::Scope{}, absl::Now() + absl::Seconds(20),
                        [&](db::Transaction& transaction) -> absl::Status {
                          const auto rows = transaction.Run(db::Statement{
                              "stored",
                              "SELECT coalesce((SELECT string_agg(p::text, ' ') FROM "
                              "registry.password AS p), '') || coalesce((SELECT "
                              "string_agg(s::text, ' ') FROM registry.session AS s), '')"});
                          if (rows.ok()) stored = (*rows)[0].Text(0);
                          return rows.status();
                        })
                  .ok());
  EXPECT_THAT(stored, HasSubstr("$argon2id$v=19$m=65536,t=3,p=1$"));
  EXPECT_THAT(stored, Not(HasSubstr(kPassword)));
  EXPECT_THAT(stored, Not(HasSubstr(session)));
  common::ListEventsRequest request;
  request.set_parent("counties/421221");
  const auto events = Call<common::ListEventsResponse>("/fadu.common.v1.RecordService/ListEvents",
                                                       request, admin_);
  ASSERT_TRUE(events.ok()) << events.status();
  std::vector<std::string> entries;
  for (const common::Event& event : events->events()) {
    entries.push_back(absl::StrCat(event.entry().comment(), " by ", event.entry().actor()));
  }
  EXPECT_THAT(entries, Contains(absl::StrCat("set password by accounts/",
                                             name_.substr(name_.rfind('/') + 1))));
  EXPECT_THAT(entries, Contains(HasSubstr("password secret by accounts/")));
}

}  // namespace
}  // namespace fadu::registry
