#include "common/rpc/identity.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "common/rpc/rpc_test_support.h"

namespace fadu::rpc {
namespace {

namespace v1 = ::fadu::common::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::StatusCode kUnauthenticated = absl::StatusCode::kUnauthenticated;
constexpr char kMissing[] = "REASON_IDENTITY_MISSING";
constexpr char kHere[] = "mediation";  // the service that is called
constexpr char kExpired[] = "REASON_IDENTITY_EXPIRED";

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

class IdentityTest : public ::testing::Test {
 protected:
  std::unique_ptr<Verifier> NewVerifier() {
    auto verifier = Verifier::Load(folder_.path());
    EXPECT_TRUE(verifier.ok()) << verifier.status();
    return *std::move(verifier);
  }
  absl::Status Verify(absl::string_view bearer) {
    return NewVerifier()->Verify(bearer, kHere, clock_.Now()).status();
  }
  std::string UserToken(const Signer& signer) {
    return *signer.Sign(UserIdentity(v1::ROLE_TOWN_CLERK, clock_.Now()));
  }

  TemporaryFolder folder_;
  StandingClock clock_;
};

TEST_F(IdentityTest, AKeyIsReadableByItsOwnerOnly) {
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  EXPECT_EQ(ModeOf(folder_.path() + "/registry.key"), 0400u);
}

TEST_F(IdentityTest, MakingAKeyPairLeavesOnlyItsTwoFiles) {
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("registry.key", "registry.pub"));
}

TEST_F(IdentityTest, AKeyThatIsThereStays) {
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  const std::string before = TextOf(folder_.path() + "/registry.key");
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  EXPECT_EQ(TextOf(folder_.path() + "/registry.key"), before);
}

TEST_F(IdentityTest, AMissingPublicKeyIsMadeFromThePrivateOne) {
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  const std::string before = TextOf(folder_.path() + "/registry.pub");
  std::filesystem::remove(folder_.path() + "/registry.pub");
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  EXPECT_EQ(TextOf(folder_.path() + "/registry.pub"), before);
}

TEST_F(IdentityTest, APublicKeyWithoutItsPrivateOneIsNotReplaced) {
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  std::filesystem::remove(folder_.path() + "/registry.key");
  EXPECT_EQ(EnsureKeyPair(folder_.path(), "registry").code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(IdentityTest, ANameThatIsAPathIsRefused) {
  EXPECT_EQ(EnsureKeyPair(folder_.path(), "../x").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(IdentityTest, AKeyOpenToOthersIsRefused) {
  ASSERT_TRUE(EnsureKeyPair(folder_.path(), "registry").ok());
  ASSERT_EQ(chmod((folder_.path() + "/registry.key").c_str(), 0440), 0);
  const auto signer = Signer::Load(folder_.path(), "registry");
  EXPECT_EQ(signer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(signer.status().message()), HasSubstr("open to others"));
}

TEST_F(IdentityTest, AMissingKeyIsRefused) {
  EXPECT_EQ(Signer::Load(folder_.path(), "registry").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(IdentityTest, AFileThatIsNoKeyIsRefused) {
  std::ofstream(folder_.path() + "/registry.pub") << "hello";
  EXPECT_EQ(Verifier::Load(folder_.path()).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(IdentityTest, TheRegistrySignsUsers) {
  const auto registry = SignerOf(folder_.path(), "registry");
  const auto principal = NewVerifier()->Verify(UserToken(*registry), kHere, clock_.Now());
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->subject, "accounts/0190a5b0-0000-7000-8000-000000000001");
  EXPECT_EQ(principal->display_name, "张三");
  EXPECT_FALSE(principal->is_service);
  ASSERT_EQ(principal->grants.size(), 1u);
  EXPECT_EQ(principal->grants[0].role, v1::ROLE_TOWN_CLERK);
  EXPECT_EQ(principal->grants[0].area_code, "421221106");
}

TEST_F(IdentityTest, AServiceSignsItself) {
  const auto scoring = SignerOf(folder_.path(), "scoring");
  const std::string token = *scoring->Sign(ServiceIdentity("scoring", clock_.Now()));
  const auto principal = NewVerifier()->Verify(token, kHere, clock_.Now());
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_TRUE(principal->is_service);
  EXPECT_EQ(principal->subject, "services/scoring");
}

TEST_F(IdentityTest, AServiceGetsNoGrantsFromItself) {
  const auto scoring = SignerOf(folder_.path(), "scoring");
  v1::Identity identity = UserIdentity(v1::ROLE_COUNTY_ADMIN, clock_.Now());
  identity.set_subject("services/scoring");
  identity.set_audience(kHere);
  identity.set_expire_seconds(absl::ToUnixSeconds(clock_.Now() + absl::Minutes(1)));
  const auto principal = NewVerifier()->Verify(*scoring->Sign(identity), kHere, clock_.Now());
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_THAT(principal->grants, IsEmpty());
}

TEST_F(IdentityTest, AServiceMaySignNobodyElse) {
  const auto scoring = SignerOf(folder_.path(), "scoring");
  EXPECT_THAT(Verify(UserToken(*scoring)), FailsWith(kUnauthenticated, kMissing));
  EXPECT_THAT(Verify(*scoring->Sign(ServiceIdentity("report", clock_.Now()))),
              FailsWith(kUnauthenticated, kMissing));
}

TEST_F(IdentityTest, TheRegistryMaySignNoOtherService) {
  const auto registry = SignerOf(folder_.path(), "registry");
  EXPECT_THAT(Verify(*registry->Sign(ServiceIdentity("scoring", clock_.Now()))),
              FailsWith(kUnauthenticated, kMissing));
  EXPECT_TRUE(Verify(*registry->Sign(ServiceIdentity("registry", clock_.Now()))).ok());
}

TEST_F(IdentityTest, AnIssuerCannotBePretended) {
  const auto registry = SignerOf(folder_.path(), "registry");
  const auto scoring = SignerOf(folder_.path(), "scoring");
  // Scoring's signature over an identity that says it is the registry's.
  std::string bytes;
  v1::SignedIdentity token;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(UserToken(*scoring), &bytes));
  ASSERT_TRUE(token.ParseFromString(bytes));
  v1::Identity identity;
  ASSERT_TRUE(identity.ParseFromString(token.identity()));
  identity.set_issuer("registry");
  token.set_identity(identity.SerializeAsString());
  EXPECT_THAT(Verify(absl::WebSafeBase64Escape(token.SerializeAsString())),
              FailsWith(kUnauthenticated, kMissing));
}

// The bits that base64 has left over at the end say nothing, so bytes are altered, not the text.
TEST_F(IdentityTest, EveryAlteredByteIsNoticed) {
  const auto registry = SignerOf(folder_.path(), "registry");
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(UserToken(*registry), &bytes));
  const auto verifier = NewVerifier();
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string altered = bytes;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(verifier->Verify(absl::WebSafeBase64Escape(altered), kHere, clock_.Now()).ok())
        << i;
  }
}

TEST_F(IdentityTest, WhatIsNoTokenIsRefused) {
  SignerOf(folder_.path(), "registry");
  for (const char* bearer : {"", "x", "not base64!", "AAAA", "eyJhbGciOiJub25lIn0.e30."}) {
    EXPECT_THAT(Verify(bearer), FailsWith(kUnauthenticated, kMissing)) << bearer;
  }
}

TEST_F(IdentityTest, AnUnknownIssuerIsRefused) {
  const TemporaryFolder elsewhere;
  const auto registry = SignerOf(elsewhere.path(), "registry");
  EXPECT_THAT(Verify(UserToken(*registry)), FailsWith(kUnauthenticated, kMissing));
}

TEST_F(IdentityTest, AnIdentityExpires) {
  const auto registry = SignerOf(folder_.path(), "registry");
  const std::string token = UserToken(*registry);
  const auto verifier = NewVerifier();
  clock_.Advance(absl::Minutes(10) - absl::Seconds(1));
  EXPECT_TRUE(verifier->Verify(token, kHere, clock_.Now()).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(verifier->Verify(token, kHere, clock_.Now()).status(),
              FailsWith(kUnauthenticated, kExpired));
}

// Whoever got hold of a key for a moment has nothing for longer; clocks may differ by a minute.
TEST_F(IdentityTest, AnIdentityThatLivesTooLongIsRefused) {
  const auto registry = SignerOf(folder_.path(), "registry");
  const auto scoring = SignerOf(folder_.path(), "scoring");
  const auto account = [&](absl::Duration life) {
    v1::Identity identity = UserIdentity(v1::ROLE_TOWN_CLERK, clock_.Now());
    identity.set_expire_seconds(absl::ToUnixSeconds(clock_.Now() + life));
    return Verify(*registry->Sign(identity));
  };
  const auto service = [&](absl::Duration life) {
    v1::Identity identity = ServiceIdentity("scoring", clock_.Now());
    identity.set_expire_seconds(absl::ToUnixSeconds(clock_.Now() + life));
    return Verify(*scoring->Sign(identity));
  };
  EXPECT_TRUE(account(absl::Minutes(16)).ok());
  EXPECT_THAT(account(absl::Minutes(16) + absl::Seconds(1)), FailsWith(kUnauthenticated, kMissing));
  EXPECT_TRUE(service(absl::Minutes(6)).ok());
  EXPECT_THAT(service(absl::Minutes(6) + absl::Seconds(1)), FailsWith(kUnauthenticated, kMissing));
  EXPECT_THAT(account(absl::Hours(24 * 365 * 200)), FailsWith(kUnauthenticated, kMissing));
}

// Also when the token is known already from where it was meant to go.
TEST_F(IdentityTest, AServicesIdentityIsForOneServiceOnly) {
  const auto scoring = SignerOf(folder_.path(), "scoring");
  const auto verifier = NewVerifier();
  const std::string token = *scoring->Sign(ServiceIdentity("scoring", clock_.Now(), "education"));
  EXPECT_TRUE(verifier->Verify(token, "education", clock_.Now()).ok());
  EXPECT_THAT(verifier->Verify(token, kHere, clock_.Now()).status(),
              FailsWith(kUnauthenticated, kMissing));
  EXPECT_THAT(Verify(*scoring->Sign(ServiceIdentity("scoring", clock_.Now(), ""))),
              FailsWith(kUnauthenticated, kMissing));
}

// An account's identity goes from service to service, unless it says that it is for one.
TEST_F(IdentityTest, AnAccountsIdentityIsForAllUnlessItNamesOne) {
  const auto registry = SignerOf(folder_.path(), "registry");
  v1::Identity identity = UserIdentity(v1::ROLE_TOWN_CLERK, clock_.Now());
  EXPECT_TRUE(Verify(*registry->Sign(identity)).ok());
  identity.set_audience(kHere);
  EXPECT_TRUE(Verify(*registry->Sign(identity)).ok());
  identity.set_audience("education");
  EXPECT_THAT(Verify(*registry->Sign(identity)), FailsWith(kUnauthenticated, kMissing));
}

TEST_F(IdentityTest, ALimitedGrantArrivesWithItsLimits) {
  const auto registry = SignerOf(folder_.path(), "registry");
  v1::Identity identity = UserIdentity(v1::ROLE_DEPARTMENT, clock_.Now());
  identity.mutable_grants(0)->set_organisation("org-a");
  identity.mutable_grants(0)->add_collections("disputes");
  const auto principal = NewVerifier()->Verify(*registry->Sign(identity), kHere, clock_.Now());
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->grants[0].organisation, "org-a");
  EXPECT_THAT(principal->grants[0].collections, ElementsAre("disputes"));
}

// An empty area would cover the whole country.
TEST_F(IdentityTest, AGrantThatCannotBeIsRefused) {
  const auto registry = SignerOf(folder_.path(), "registry");
  for (const char* area : {"", "42", "4212", "42122", "x21221"}) {
    v1::Identity identity = UserIdentity(v1::ROLE_TOWN_CLERK, clock_.Now());
    identity.mutable_grants(0)->set_area_code(area);
    EXPECT_THAT(Verify(*registry->Sign(identity)), FailsWith(kUnauthenticated, kMissing)) << area;
  }
  for (const v1::Role role : {v1::ROLE_UNSPECIFIED, v1::ROLE_SERVICE}) {
    EXPECT_THAT(Verify(*registry->Sign(UserIdentity(role, clock_.Now()))),
                FailsWith(kUnauthenticated, kMissing));
  }
}

}  // namespace
}  // namespace fadu::rpc
