// common/rpc/rpc_test_support.h
//
// What the tests of common/rpc share: a clock that stands, keys in a folder of their own, tokens.
#ifndef FADU_COMMON_RPC_RPC_TEST_SUPPORT_H_
#define FADU_COMMON_RPC_RPC_TEST_SUPPORT_H_

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/identity.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/token.pb.h"

namespace fadu::rpc {

// Stands until it is set.
class StandingClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(seconds_); }
  void Advance(absl::Duration by) { seconds_ += absl::ToInt64Seconds(by); }

 private:
  std::atomic<int64_t> seconds_{1780000000};  // May 2026
};

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fadu-rpc-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::unique_ptr<Signer> SignerOf(const std::string& folder, absl::string_view name) {
  EXPECT_TRUE(EnsureKeyPair(folder, name).ok());
  auto signer = Signer::Load(folder, name);
  EXPECT_TRUE(signer.ok()) << signer.status();
  return *std::move(signer);
}

// A user with one role in one town, valid for ten minutes.
inline fadu::common::v1::Identity UserIdentity(fadu::common::v1::Role role, absl::Time now) {
  fadu::common::v1::Identity identity;
  identity.set_subject("accounts/0190a5b0-0000-7000-8000-000000000001");
  identity.set_display_name("张三");
  identity.set_expire_seconds(absl::ToUnixSeconds(now + absl::Minutes(10)));
  fadu::common::v1::Grant* grant = identity.add_grants();
  grant->set_role(role);
  grant->set_area_code("421221106");
  return identity;
}

inline fadu::common::v1::Identity ServiceIdentity(absl::string_view name, absl::Time now,
                                                  absl::string_view audience = "mediation") {
  fadu::common::v1::Identity identity;
  identity.set_audience(std::string(audience));
  identity.set_subject(absl::StrCat("services/", name));
  identity.set_expire_seconds(absl::ToUnixSeconds(now + absl::Minutes(1)));
  return identity;
}

// A failure with that code and reason.
MATCHER_P2(FailsWith, code, reason,
           absl::StrCat("fails with ", absl::StatusCodeToString(code), " / ", reason)) {
  *result_listener << arg << " / " << ReasonOf(arg);
  return arg.code() == code && ReasonOf(arg) == reason;
}

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_RPC_TEST_SUPPORT_H_
