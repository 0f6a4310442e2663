// The registry through its server, over a real database.

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/host/host.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/testing/fake_clock.h"
#include "common/testing/test_database.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/registry/v1/records.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/registry/module.h"

namespace fadu::registry {
namespace {

namespace common = ::fadu::common::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// 1 June 2024, 12:00 in Beijing.
const absl::Time kNoon = absl::FromUnixSeconds(1717214400);

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dsn_ = testing::TestCluster::Get().CreateDatabase();
    StartHost();
  }

  // Migrations have a deadline of the machine's clock; the day of the test begins after them.
  void StartHost() {
    clock_.Set(absl::Now());
    host::HostOptions options;
    options.modules = {MakeModule()};
    options.services = {"registry"};
    options.admin_dsn = dsn_;
    options.dsn = dsn_;
    options.keys_folder = KeysFolder();
    options.metrics_listen = "";
    options.pool_connections = 4;
    absl::StatusOr<std::unique_ptr<host::Host>> started =
        host::Host::Start(std::move(options), clock_, *ids_);
    ASSERT_TRUE(started.ok()) << started.status();
    host_ = *std::move(started);
    clock_.Set(kNoon);
  }

  std::string KeysFolder() const { return absl::StrCat(folder_.path(), "/keys"); }
  std::string BootstrapFile() const { return absl::StrCat(KeysFolder(), "/bootstrap.secret"); }

  // Calls a method as whoever `bearer_` is.
  template <typename Response>
  absl::StatusOr<Response> Call(const std::string& method,
                                const google::protobuf::Message& request) {
    Response response;
    rpc::CallOptions options;
    options.deadline = absl::Now() + absl::Seconds(30);
    options.bearer = bearer_;
    const absl::Status status =
        host_->channel("registry")->Call(method, request, &response, options);
    if (!status.ok()) return status;
    return response;
  }

  template <typename Response>
  absl::StatusOr<Response> Registry(const std::string& method,
                                    const google::protobuf::Message& request) {
    return Call<Response>("/fadu.registry.v1.RegistryService/" + method, request);
  }

  std::string NewRequestId() { return ids_->NewId().ToString(); }

  absl::StatusOr<v1::AccountSecret> Bootstrap(const std::string& secret,
                                              const std::string& request_id) {
    v1::BootstrapRequest request;
    request.set_secret(secret);
    request.set_parent("counties/421221");
    request.set_display_name("县司法局管理员");
    request.set_request_id(request_id);
    return Registry<v1::AccountSecret>("Bootstrap", request);
  }

  absl::StatusOr<v1::ExchangeTokenResponse> Exchange(const std::string& secret) {
    v1::ExchangeTokenRequest request;
    request.set_secret(secret);
    return Registry<v1::ExchangeTokenResponse>("ExchangeToken", request);
  }

  // Bootstraps, and calls as the first administrator from here on.
  void SignIn() {
    const auto admin = Bootstrap(Read(BootstrapFile()), NewRequestId());
    ASSERT_TRUE(admin.ok()) << admin.status();
    admin_ = *admin;
    const auto token = Exchange(admin->secret());
    ASSERT_TRUE(token.ok()) << token.status();
    bearer_ = token->bearer();
  }

  v1::CreateAccountRequest Wish(common::Role role, const std::string& area) {
    v1::CreateAccountRequest wish;
    wish.set_parent("counties/421221");
    wish.set_display_name("潘家湾镇司法所");
    wish.set_kind(v1::ACCOUNT_KIND_USER);
    v1::AccountGrant& grant = *wish.add_grants();
    grant.set_role(role);
    grant.set_area_code(area);
    wish.set_request_id(NewRequestId());
    return wish;
  }

  absl::StatusOr<v1::AccountSecret> Create(const v1::CreateAccountRequest& wish) {
    return Registry<v1::AccountSecret>("CreateAccount", wish);
  }

  absl::StatusOr<v1::AccountSecret> Rotate(const std::string& name) {
    v1::RotateSecretRequest request;
    request.set_name(name);
    request.set_request_id(NewRequestId());
    return Registry<v1::AccountSecret>("RotateSecret", request);
  }

  absl::StatusOr<v1::AccountInfo> Disable(const std::string& name) {
    v1::DisableAccountRequest request;
    request.set_name(name);
    request.set_reason("离岗");
    request.set_request_id(NewRequestId());
    return Registry<v1::AccountInfo>("DisableAccount", request);
  }

  absl::StatusOr<v1::ImportAreasResponse> Import(const std::string& tsv, const std::string& day,
                                                 bool dry_run = false) {
    v1::ImportAreasRequest request;
    request.set_parent("counties/421221");
    request.set_tsv(tsv);
    request.set_as_of_date(day);
    request.set_source("国家统计局 2023 年统计用区划代码");
    request.set_dry_run(dry_run);
    return Registry<v1::ImportAreasResponse>("ImportAreas", request);
  }

  v1::ListAreasResponse List(const std::string& day, const std::string& area = "") {
    v1::ListAreasRequest request;
    request.set_parent("counties/421221");
    request.set_as_of_date(day);
    request.set_area(area);
    request.set_page_size(2000);
    auto areas = Registry<v1::ListAreasResponse>("ListAreas", request);
    EXPECT_TRUE(areas.ok()) << areas.status();
    return areas.ok() ? *areas : v1::ListAreasResponse();
  }

  absl::StatusOr<v1::Area> Get(const std::string& name) {
    v1::GetAreaRequest request;
    request.set_name(name);
    request.set_parent("counties/421221");
    return Registry<v1::Area>("GetArea", request);
  }

  absl::StatusOr<v1::Area> AddAlias(const std::string& code, const std::string& alias) {
    v1::AddAreaAliasRequest request;
    request.set_name("areas/" + code);
    request.set_alias(alias);
    return Registry<v1::Area>("AddAreaAlias", request);
  }

  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  static std::string Jiayu() { return Read("deploy/sample/jiayu-2024/areas.tsv"); }

  static std::string Replace(std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  testing::TempFolder folder_;
  std::string dsn_;
  FakeClock clock_;
  std::unique_ptr<IdSource> ids_ = NewUuidV7Source(SystemClock());
  std::string bearer_;
  v1::AccountSecret admin_;
  std::unique_ptr<host::Host> host_;
};

// ---- Bootstrap ---------------------------------------------------------------------------------

TEST_F(RegistryTest, BootstrapSecretIsAFileThatOnlyItsOwnerReads) {
  struct stat info {};
  ASSERT_EQ(stat(BootstrapFile().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0400u);
}

TEST_F(RegistryTest, BootstrapMakesTheFirstAdministratorOnce) {
  const std::string secret = Read(BootstrapFile());
  const auto admin = Bootstrap(secret, NewRequestId());
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_EQ(admin->account().area_code(), "421221");
  EXPECT_EQ(admin->account().grants(0).role(), common::ROLE_COUNTY_ADMIN);
  EXPECT_NE(access(BootstrapFile().c_str(), F_OK), 0);

  const absl::Status again = Bootstrap(secret, NewRequestId()).status();
  EXPECT_EQ(again.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(again), "REASON_BOOTSTRAP_REFUSED");
}

TEST_F(RegistryTest, BootstrapRefusesAnotherSecret) {
  EXPECT_EQ(ReasonOf(Bootstrap("fadu-bootstrap_x", NewRequestId()).status()),
            "REASON_BOOTSTRAP_REFUSED");
  EXPECT_EQ(access(BootstrapFile().c_str(), F_OK), 0);
}

// An answer that was lost must not lock everybody out; an old one must not open the door again.
TEST_F(RegistryTest, BootstrapRepeatedSoonGivesANewSecretAndLaterNone) {
  const std::string secret = Read(BootstrapFile());
  const std::string request_id = NewRequestId();
  const auto lost = Bootstrap(secret, request_id);
  ASSERT_TRUE(lost.ok()) << lost.status();
  const auto second = Bootstrap(secret, request_id);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->name(), lost->name());
  EXPECT_EQ(ReasonOf(Exchange(lost->secret()).status()), "REASON_SECRET_REPLACED");
  EXPECT_TRUE(Exchange(second->secret()).ok());
  clock_.Advance(absl::Minutes(11));
  EXPECT_EQ(ReasonOf(Bootstrap(secret, request_id).status()), "REASON_BOOTSTRAP_REFUSED");
  EXPECT_TRUE(Exchange(second->secret()).ok());
}

TEST_F(RegistryTest, BootstrapSecretIsKeptOverARestartUntilItIsUsed) {
  const std::string secret = Read(BootstrapFile());
  host_.reset();
  StartHost();
  EXPECT_EQ(Read(BootstrapFile()), secret);
  ASSERT_TRUE(Bootstrap(secret, NewRequestId()).ok());
  host_.reset();
  StartHost();
  EXPECT_NE(access(BootstrapFile().c_str(), F_OK), 0);
}

TEST_F(RegistryTest, BootstrapSecretGivesNoToken) {
  const absl::Status status = Exchange(Read(BootstrapFile())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "REASON_BOOTSTRAP_SECRET");
}

// ---- Tokens ------------------------------------------------------------------------------------

TEST_F(RegistryTest, ExchangeTokenGivesAnIdentityOfFifteenMinutes) {
  SignIn();
  const auto token = Exchange(admin_.secret());
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->expire_time().seconds(), absl::ToUnixSeconds(kNoon) + 900);
  EXPECT_EQ(token->account(), admin_.name());
  ASSERT_EQ(token->grants_size(), 1);
  EXPECT_EQ(token->grants(0).area_code(), "421221");
  const auto verifier = rpc::Verifier::Load(KeysFolder());
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  const auto principal = (*verifier)->Verify(token->bearer(), "mediation", kNoon);
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->subject, token->subject());
  EXPECT_EQ(principal->display_name, "县司法局管理员");
  EXPECT_FALSE((*verifier)->Verify(token->bearer(), "mediation", kNoon + absl::Minutes(15)).ok());
}

// Whoever guesses is slowed down; whoever knows is not locked out by it.
TEST_F(RegistryTest, ExchangeTokenTakesTenWrongSecretsAMinute) {
  SignIn();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Exchange("fadu_wrong").status().code(), absl::StatusCode::kUnauthenticated) << i;
  }
  const absl::Status eleventh = Exchange("fadu_wrong").status();
  EXPECT_EQ(eleventh.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(eleventh), "REASON_TOO_MANY_ATTEMPTS");
  EXPECT_TRUE(Exchange(admin_.secret()).ok());
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Exchange("fadu_wrong").status().code(), absl::StatusCode::kUnauthenticated);
}

// A wrong secret is meant for the one that begins as it does, and for no other.
TEST_F(RegistryTest, ExchangeTokenLocksASecretForFifteenMinutesAfterFiveWrongOnes) {
  SignIn();
  const auto clerk = Create(Wish(common::ROLE_TOWN_CLERK, "421221106"));
  ASSERT_TRUE(clerk.ok()) << clerk.status();
  bearer_.clear();
  const std::string wrong = clerk->secret().substr(0, 30) + "wrong";
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ReasonOf(Exchange(wrong).status()), "REASON_SECRET_INVALID") << i;
    clock_.Advance(absl::Minutes(3));
    // The right one in between changes nothing.
    EXPECT_TRUE(Exchange(clerk->secret()).ok()) << i;
  }
  const absl::Status fifth = Exchange(wrong).status();
  EXPECT_EQ(fifth.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(fifth), "REASON_SECRET_LOCKED");
  // 12:00 in Beijing and four times three minutes, then fifteen.
  const absl::Status right = Exchange(clerk->secret()).status();
  EXPECT_EQ(ReasonOf(right), "REASON_SECRET_LOCKED");
  EXPECT_EQ(DetailOf(right).metadata["until"], "2024-06-01 12:27:00");
  EXPECT_TRUE(Exchange(admin_.secret()).ok());
  // Wrong ones do not make it longer, a restart not shorter.
  clock_.Advance(absl::Minutes(15) - absl::Seconds(1));
  EXPECT_EQ(ReasonOf(Exchange(wrong).status()), "REASON_SECRET_LOCKED");
  const absl::Time later = clock_.Now();
  host_.reset();
  StartHost();
  clock_.Set(later);
  EXPECT_EQ(ReasonOf(Exchange(clerk->secret()).status()), "REASON_SECRET_LOCKED");
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Exchange(clerk->secret()).ok());
}

TEST_F(RegistryTest, ALockedOfficeGetsANewSecretAtOnce) {
  SignIn();
  const auto clerk = Create(Wish(common::ROLE_TOWN_CLERK, "421221106"));
  ASSERT_TRUE(clerk.ok()) << clerk.status();
  for (int i = 0; i < 5; ++i) (void)Exchange(clerk->secret() + "x").status();
  ASSERT_EQ(ReasonOf(Exchange(clerk->secret()).status()), "REASON_SECRET_LOCKED");
  const auto fresh = Rotate(clerk->name());
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_TRUE(Exchange(fresh->secret()).ok());
}

// ---- Accounts ----------------------------------------------------------------------------------

TEST_F(RegistryTest, CreateAccountShowsItsSecretOnce) {
  SignIn();
  const v1::CreateAccountRequest wish = Wish(common::ROLE_TOWN_REVIEWER, "421221106");
  const auto created = Create(wish);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_TRUE(Exchange(created->secret()).ok());
  const auto repeated = Create(wish);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->name(), created->name());
  EXPECT_EQ(repeated->secret(), "");
}

TEST_F(RegistryTest, CreateAccountGivesNothingOutsideTheCounty) {
  SignIn();
  EXPECT_EQ(ReasonOf(Create(Wish(common::ROLE_TOWN_CLERK, "421222106")).status()),
            "REASON_GRANT_DENIED");
  v1::CreateAccountRequest wish = Wish(common::ROLE_TOWN_CLERK, "421222106");
  wish.set_parent("counties/421222");
  EXPECT_EQ(ReasonOf(Create(wish).status()), "REASON_AREA_DENIED");
}

TEST_F(RegistryTest, CreateAccountKeepsLoginsApart) {
  SignIn();
  v1::CreateAccountRequest wish = Wish(common::ROLE_TOWN_CLERK, "421221106");
  wish.set_login("panjiawan");
  ASSERT_TRUE(Create(wish).ok());
  wish.set_request_id(NewRequestId());
  const absl::Status second = Create(wish).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(second), "REASON_LOGIN_TAKEN");
}

TEST_F(RegistryTest, CreateAccountIsForAdministrators) {
  SignIn();
  const auto clerk = Create(Wish(common::ROLE_TOWN_CLERK, "421221106"));
  ASSERT_TRUE(clerk.ok()) << clerk.status();
  bearer_ = Exchange(clerk->secret())->bearer();
  EXPECT_EQ(ReasonOf(Create(Wish(common::ROLE_TOWN_CLERK, "421221106")).status()),
            "REASON_ROLE_DENIED");
}

TEST_F(RegistryTest, AccountIsNotWrittenAsAnOrdinaryRecord) {
  SignIn();
  common::CreateRecordRequest request;
  request.set_parent("counties/421221");
  request.mutable_record()->PackFrom(admin_.account());
  request.set_request_id(NewRequestId());
  EXPECT_EQ(
      ReasonOf(
          Call<common::Record>("/fadu.common.v1.RecordService/CreateRecord", request).status()),
      "REASON_ROLE_DENIED");
}

TEST_F(RegistryTest, RotateSecretRevokesTheOldOne) {
  SignIn();
  const auto clerk = Create(Wish(common::ROLE_TOWN_CLERK, "421221106"));
  ASSERT_TRUE(clerk.ok()) << clerk.status();
  clock_.Advance(absl::Minutes(5));
  bearer_ = Exchange(clerk->secret())->bearer();
  const auto own = Rotate(clerk->name());
  ASSERT_TRUE(own.ok()) << own.status();
  const absl::Status old = Exchange(clerk->secret()).status();
  EXPECT_EQ(ReasonOf(old), "REASON_SECRET_REPLACED");
  EXPECT_EQ(DetailOf(old).metadata["date"], "2024-06-01");
  EXPECT_TRUE(Exchange(own->secret()).ok());
  // Another's account is as if it were not there.
  EXPECT_EQ(ReasonOf(Rotate(admin_.name()).status()), "REASON_NOT_FOUND");
}

TEST_F(RegistryTest, DisableAccountEndsItsSecrets) {
  SignIn();
  const auto clerk = Create(Wish(common::ROLE_TOWN_CLERK, "421221106"));
  ASSERT_TRUE(clerk.ok()) << clerk.status();
  const auto disabled = Disable(clerk->name());
  ASSERT_TRUE(disabled.ok()) << disabled.status();
  EXPECT_TRUE(disabled->account().disabled());
  const absl::Status refused = Exchange(clerk->secret()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(refused), "REASON_ACCOUNT_DISABLED");
  EXPECT_EQ(ReasonOf(Rotate(clerk->name()).status()), "REASON_ACCOUNT_DISABLED");
  const auto again = Disable(clerk->name());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->account().disabled());
}

TEST_F(RegistryTest, DisableAccountKeepsTheLastAdministrator) {
  SignIn();
  EXPECT_EQ(ReasonOf(Disable(admin_.name()).status()), "REASON_LAST_ADMINISTRATOR");
  ASSERT_TRUE(Create(Wish(common::ROLE_COUNTY_ADMIN, "421221")).ok());
  EXPECT_TRUE(Disable(admin_.name()).ok());
}

v1::AccountInfo InfoOf(const v1::ListAccountsResponse& page, const std::string& name) {
  for (const v1::AccountInfo& info : page.accounts()) {
    if (info.name() == name) return info;
  }
  ADD_FAILURE() << "no " << name;
  return v1::AccountInfo();
}

TEST_F(RegistryTest, ListAccountsTellsStateAndLastUse) {
  SignIn();
  const auto unused = Create(Wish(common::ROLE_TOWN_CLERK, "421221106"));
  v1::CreateAccountRequest wish = Wish(common::ROLE_DEPARTMENT, "421221106");
  wish.set_kind(v1::ACCOUNT_KIND_CLIENT);
  wish.set_expire_date("2024-06-02");
  const auto client = Create(wish);
  ASSERT_TRUE(unused.ok() && client.ok()) << client.status();
  ASSERT_TRUE(Disable(unused->name()).ok());
  clock_.Advance(absl::Minutes(5));
  const absl::Time used = clock_.Now();
  ASSERT_TRUE(Exchange(client->secret()).ok());

  v1::ListAccountsRequest request;
  request.set_parent("counties/421221");
  auto page = Registry<v1::ListAccountsResponse>("ListAccounts", request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->accounts_size(), 3);
  EXPECT_EQ(InfoOf(*page, unused->name()).state(), v1::ACCOUNT_STATE_DISABLED);
  EXPECT_FALSE(InfoOf(*page, unused->name()).has_last_used_time());
  EXPECT_EQ(InfoOf(*page, client->name()).state(), v1::ACCOUNT_STATE_USABLE);
  EXPECT_EQ(InfoOf(*page, client->name()).last_used_time().seconds(), absl::ToUnixSeconds(used));

  for (int i = 0; i < 5; ++i) (void)Exchange(client->secret() + "x").status();
  request.set_kind(v1::ACCOUNT_KIND_CLIENT);
  page = Registry<v1::ListAccountsResponse>("ListAccounts", request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->accounts_size(), 1);
  EXPECT_EQ(page->accounts(0).state(), v1::ACCOUNT_STATE_LOCKED);
  EXPECT_EQ(page->accounts(0).lock_expire_time().seconds(),
            absl::ToUnixSeconds(used + absl::Minutes(15)));

  // The day after its last one.
  clock_.Set(kNoon + absl::Hours(48));
  bearer_.clear();
  bearer_ = Exchange(admin_.secret())->bearer();
  page = Registry<v1::ListAccountsResponse>("ListAccounts", request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->accounts(0).state(), v1::ACCOUNT_STATE_EXPIRED);
}

TEST_F(RegistryTest, ListAccountsGoesPageByPage) {
  SignIn();
  ASSERT_TRUE(Create(Wish(common::ROLE_TOWN_CLERK, "421221106")).ok());
  v1::ListAccountsRequest request;
  request.set_parent("counties/421221");
  request.set_page_size(1);
  auto page = Registry<v1::ListAccountsResponse>("ListAccounts", request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->accounts_size(), 1);
  request.set_page_token(page->next_page_token());
  page = Registry<v1::ListAccountsResponse>("ListAccounts", request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->accounts_size(), 1);
  EXPECT_EQ(page->accounts(0).name(), admin_.name());
  EXPECT_EQ(page->next_page_token(), "");
  request.clear_page_token();
  request.set_parent("counties/421222");
  EXPECT_EQ(ReasonOf(Registry<v1::ListAccountsResponse>("ListAccounts", request).status()),
            "REASON_AREA_DENIED");
}

// The organisation is looked up in the same transaction.
TEST_F(RegistryTest, CreateAccountLimitsAGrantToAnOrganisationOfTheCounty) {
  SignIn();
  v1::Organisation organisation;
  organisation.set_area_code("421221106");
  organisation.set_established_date("2001-05-01");
  organisation.set_name("潘家湾派出所（示例）");
  organisation.set_kind(v1::ORGANISATION_KIND_POLICE_STATION);
  common::CreateRecordRequest made;
  made.set_parent("counties/421221");
  made.mutable_record()->PackFrom(organisation);
  made.set_request_id(NewRequestId());
  const auto record = Call<common::Record>("/fadu.common.v1.RecordService/CreateRecord", made);
  ASSERT_TRUE(record.ok()) << record.status();
  v1::CreateAccountRequest wish = Wish(common::ROLE_DEPARTMENT, "421221106");
  wish.set_kind(v1::ACCOUNT_KIND_CLIENT);
  wish.set_expire_date("2025-06-01");
  wish.mutable_grants(0)->set_organisation("01900000-0000-7000-8000-000000000001");
  EXPECT_EQ(ReasonOf(Create(wish).status()), "REASON_GRANT_DENIED");
  const std::string id = record->name().substr(record->name().rfind('/') + 1);
  wish.mutable_grants(0)->set_organisation(id);
  wish.set_request_id(NewRequestId());
  const auto client = Create(wish);
  ASSERT_TRUE(client.ok()) << client.status();
  bearer_.clear();
  const auto token = Exchange(client->secret());
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->grants(0).organisation(), id);
}

TEST_F(RegistryTest, AccountGivesNoTokenAfterItsLastDay) {
  SignIn();
  v1::CreateAccountRequest wish = Wish(common::ROLE_DEPARTMENT, "421221");
  wish.set_expire_date("2024-06-01");
  const auto client = Create(wish);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE(Exchange(client->secret()).ok());
  bearer_.clear();
  clock_.Advance(absl::Hours(12));  // midnight in Beijing
  const absl::Status over = Exchange(client->secret()).status();
  EXPECT_EQ(over.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(over), "REASON_ACCOUNT_EXPIRED");
}

// Bootstrap, a new account, a rotation and a disabling are four entries of one chain.
TEST_F(RegistryTest, AccountsAreAudited) {
  SignIn();
  const auto clerk = Create(Wish(common::ROLE_TOWN_CLERK, "421221106"));
  ASSERT_TRUE(clerk.ok()) << clerk.status();
  ASSERT_TRUE(Rotate(clerk->name()).ok());
  ASSERT_TRUE(Disable(clerk->name()).ok());
  common::ListEventsRequest request;
  request.set_parent("counties/421221");
  const auto events =
      Call<common::ListEventsResponse>("/fadu.common.v1.RecordService/ListEvents", request);
  ASSERT_TRUE(events.ok()) << events.status();
  std::vector<std::string> entries;
  for (const common::Event& event : events->events()) {
    entries.push_back(absl::StrCat(event.entry().operation(), " ", event.entry().comment()));
  }
  EXPECT_THAT(entries,
              ElementsAre("create bootstrap", "create ", "update rotate secret", "update 离岗"));
  common::VerifyEventsRequest verify;
  verify.set_parent("counties/421221");
  EXPECT_TRUE(
      Call<common::VerifyEventsResponse>("/fadu.common.v1.RecordService/VerifyEvents", verify)
          .ok());
}

// ---- Areas -------------------------------------------------------------------------------------

TEST_F(RegistryTest, ImportAreasTakesTheRealCountyOnce) {
  SignIn();
  const auto dry = Import(Jiayu(), "2023-06-30", /*dry_run=*/true);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_EQ(dry->added(), 118);
  EXPECT_FALSE(dry->imported());
  EXPECT_EQ(List("2024-06-01").areas_size(), 0);

  const auto first = Import(Jiayu(), "2023-06-30");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->imported());
  EXPECT_EQ(first->added(), 118);
  const v1::ListAreasResponse areas = List("2024-06-01");
  ASSERT_EQ(areas.areas_size(), 118);
  EXPECT_EQ(areas.areas(0).title(), "湖北省");
  EXPECT_EQ(areas.areas(0).level(), v1::AREA_LEVEL_PROVINCE);
  EXPECT_EQ(List("2023-06-29").areas_size(), 0);

  const auto second = Import(Jiayu(), "2024-01-01");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(second->imported());
  EXPECT_EQ(second->unchanged(), 118);
  EXPECT_EQ(List("2024-06-01").tree_version(), areas.tree_version());
}

TEST_F(RegistryTest, ImportAreasWithAnErrorImportsNothing) {
  SignIn();
  const auto report = Import(absl::StrCat(Jiayu(), "4212211\t某镇\t421221\n"), "2023-06-30");
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->errors_size(), 1);
  EXPECT_EQ(report->errors(0).line(), 120);
  EXPECT_EQ(report->errors(0).column(), 1);
  EXPECT_EQ(report->errors(0).issue(), v1::AREA_ISSUE_CODE_LENGTH);
  EXPECT_FALSE(report->imported());
  EXPECT_EQ(List("2024-06-01").areas_size(), 0);
}

TEST_F(RegistryTest, ImportAreasKeepsWhatWas) {
  SignIn();
  ASSERT_TRUE(Import(Jiayu(), "2023-06-30").ok());
  const std::string before = List("2024-02-29").tree_version();
  // 官垱村 ends, 潘家湾镇 is renamed.
  std::string text = Replace(Jiayu(), "421221106210\t官垱村民委员会\t421221106\n", "");
  text = Replace(text, "潘家湾镇", "潘湾镇");
  const auto report = Import(text, "2024-03-01");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->ended(), 1);
  EXPECT_EQ(report->renamed(), 1);
  EXPECT_EQ(report->unchanged(), 116);

  EXPECT_EQ(List("2024-02-29").tree_version(), before);
  EXPECT_EQ(List("2024-02-29", "421221106").areas_size(), 14);
  const v1::ListAreasResponse now = List("2024-03-01", "421221106");
  ASSERT_EQ(now.areas_size(), 13);
  EXPECT_EQ(now.areas(0).title(), "潘湾镇");
  EXPECT_THAT(now.areas(0).aliases(), ElementsAre("潘家湾镇"));
  EXPECT_EQ(now.areas(0).valid_from_date(), "2024-03-01");
  EXPECT_NE(now.tree_version(), before);

  const auto ended = Get("areas/421221106210");
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->valid_to_date(), "2024-02-29");
  EXPECT_EQ(Get("潘家湾镇")->code(), "421221106");

  EXPECT_EQ(ReasonOf(Import(Jiayu(), "2024-03-01").status()), "REASON_AREA_DATE");
}

TEST_F(RegistryTest, ImportAreasFollowsAVillageToItsNewCode) {
  SignIn();
  ASSERT_TRUE(Import(Jiayu(), "2023-06-30").ok());
  const auto report = Import(Replace(Jiayu(), "421221106210\t官垱村民委员会\t421221106",
                                     "421221107299\t官垱村民委员会\t421221107"),
                             "2024-03-01");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->moved(), 1);
  EXPECT_EQ(Get("areas/421221106210")->successor(), "421221107299");
  EXPECT_EQ(Get("官垱村民委员会")->code(), "421221107299");
}

TEST_F(RegistryTest, ImportAreasIsForTheOwnCounty) {
  SignIn();
  v1::ImportAreasRequest request;
  request.set_parent("counties/421222");
  request.set_tsv(Jiayu());
  request.set_as_of_date("2023-06-30");
  request.set_source("x");
  EXPECT_EQ(ReasonOf(Registry<v1::ImportAreasResponse>("ImportAreas", request).status()),
            "REASON_AREA_DENIED");
}

TEST_F(RegistryTest, ListAreasGivesPagesOfOneTree) {
  SignIn();
  ASSERT_TRUE(Import(Jiayu(), "2023-06-30").ok());
  v1::ListAreasRequest request;
  request.set_parent("counties/421221");
  request.set_page_size(50);
  std::vector<int> sizes;
  std::string token;
  do {
    request.set_page_token(token);
    const auto page = Registry<v1::ListAreasResponse>("ListAreas", request);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(page->areas_size());
    token = page->next_page_token();
    if (sizes.size() == 1) request.set_as_of_date("");
  } while (!token.empty());
  EXPECT_THAT(sizes, ElementsAre(50, 50, 18));

  request.set_page_token("");
  const auto first = Registry<v1::ListAreasResponse>("ListAreas", request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(Import(Replace(Jiayu(), "潘家湾镇", "潘湾镇"), "2024-03-01").ok());
  request.set_page_token(first->next_page_token());
  EXPECT_EQ(ReasonOf(Registry<v1::ListAreasResponse>("ListAreas", request).status()),
            "REASON_PAGE_TOKEN_INVALID");
}

// Jiayu has two villages of the name 东湖村民委员会.
TEST_F(RegistryTest, GetAreaSaysWhenANameMeansSeveral) {
  SignIn();
  ASSERT_TRUE(Import(Jiayu(), "2023-06-30").ok());
  EXPECT_EQ(ReasonOf(Get("东湖村民委员会").status()), "REASON_ALIAS_AMBIGUOUS");
  EXPECT_EQ(ReasonOf(Get("没有村").status()), "REASON_AREA_UNKNOWN");
  EXPECT_EQ(ReasonOf(Get("areas/421221999").status()), "REASON_AREA_UNKNOWN");
  EXPECT_EQ(ReasonOf(Get("areas/42122110").status()), "REASON_FIELD_INVALID");
}

TEST_F(RegistryTest, AddAreaAliasFindsAnAreaByItsOtherName) {
  SignIn();
  ASSERT_TRUE(Import(Jiayu(), "2023-06-30").ok());
  const auto added = AddAlias("421221106", "潘湾");
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT(added->aliases(), ElementsAre("潘湾"));
  EXPECT_TRUE(AddAlias("421221106", "潘湾").ok());
  EXPECT_EQ(Get("潘湾")->code(), "421221106");
  EXPECT_EQ(ReasonOf(AddAlias("421221100", "潘湾").status()), "REASON_ALIAS_TAKEN");
  EXPECT_EQ(ReasonOf(AddAlias("421221106", "陆溪镇").status()), "REASON_ALIAS_TAKEN");
  EXPECT_EQ(ReasonOf(AddAlias("421221999", "某镇").status()), "REASON_AREA_UNKNOWN");
}

// ---- Records -----------------------------------------------------------------------------------

TEST_F(RegistryTest, RecordsObeyTheirLaws) {
  SignIn();
  v1::Organisation organisation;
  organisation.set_area_code("421221106");
  organisation.set_established_date("2001-05-01");
  organisation.set_name("潘家湾司法所");
  organisation.set_kind(v1::ORGANISATION_KIND_JUSTICE_OFFICE);
  organisation.set_uscc("11500230008689762B");
  common::CreateRecordRequest request;
  request.set_parent("counties/421221");
  request.mutable_record()->PackFrom(organisation);
  request.set_request_id(NewRequestId());
  EXPECT_EQ(
      ReasonOf(
          Call<common::Record>("/fadu.common.v1.RecordService/CreateRecord", request).status()),
      "REASON_USCC_INVALID");
  organisation.set_uscc("11500230008689762A");
  request.mutable_record()->PackFrom(organisation);
  EXPECT_TRUE(Call<common::Record>("/fadu.common.v1.RecordService/CreateRecord", request).ok());
}

}  // namespace
}  // namespace fadu::registry
