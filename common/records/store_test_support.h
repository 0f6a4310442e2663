// common/records/store_test_support.h
//
// A store on a real database for tests, and messages that satisfy any record type's rules.
#ifndef FADU_COMMON_RECORDS_STORE_TEST_SUPPORT_H_
#define FADU_COMMON_RECORDS_STORE_TEST_SUPPORT_H_

#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/db/migrate.h"
#include "common/db/pool.h"
#include "common/records/schema.h"
#include "common/records/store.h"
#include "common/testing/test_database.h"
#include "fadu/common/v1/options.pb.h"

namespace fadu::records {

inline constexpr char kCounty[] = "421221";
inline constexpr char kTown[] = "421221106";
inline constexpr char kVillage[] = "421221106200";
inline constexpr char kOtherVillage[] = "421221106201";

// Fills a message so that its Rules hold; `salt` varies what may vary.
inline void FillMessage(google::protobuf::Message& message, const std::string& area, int salt,
                        int depth = 0) {
  namespace v1 = ::fadu::common::v1;
  using google::protobuf::FieldDescriptor;
  const auto* reflection = message.GetReflection();
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const v1::Rules& rules = field->options().GetExtension(v1::rules);
    if (field->containing_oneof() != nullptr && field->index_in_oneof() > 0) continue;
    if (field->is_map()) continue;
    const bool repeated = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string text = absl::StrCat("值", salt, "\"\\,{}'测试");
        if (rules.format() == v1::FORMAT_AREA_CODE) text = area;
        if (rules.format() == v1::FORMAT_DATE) text = absl::StrCat("2024-03-1", salt % 10);
        if (rules.format() == v1::FORMAT_UUID) {
          text = absl::StrCat("018f0000-0000-7000-8000-00000000000", salt % 10);
        }
        if (rules.format() == v1::FORMAT_DECIMAL) text = absl::StrCat(salt, ".25");
        if (rules.format() == v1::FORMAT_NAME) text = "counties/421221";
        if (rules.format() == v1::FORMAT_AREA_NAME) text = absl::StrCat("areas/", area);
        if (rules.max_len() > 0 && rules.max_len() < 10 &&
            rules.format() == v1::FORMAT_UNSPECIFIED) {
          text = "件";
        }
        if (rules.max_len() >= 10 && rules.max_len() < 15 &&
            rules.format() == v1::FORMAT_UNSPECIFIED) {
          text = absl::StrCat("值", salt);
        }
        if (field->type() == FieldDescriptor::TYPE_BYTES) text = std::string("\x00\x01", 2);
        if (repeated) {
          reflection->AddString(&message, field, text);
        } else {
          reflection->SetString(&message, field, text);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int number = field->enum_type()->value(1)->number();
        if (repeated) {
          reflection->AddEnumValue(&message, field, number);
        } else {
          reflection->SetEnumValue(&message, field, number);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!repeated) reflection->SetBool(&message, field, salt % 2 == 1);
        break;
      case FieldDescriptor::CPPTYPE_INT32: {
        const int64_t low = rules.has_min() ? rules.min() : 0;
        const int64_t high = rules.has_max() ? rules.max() : 1000;
        const auto value = static_cast<int>(std::min(high, low + 1 + salt));
        if (repeated) {
          reflection->AddInt32(&message, field, value);
        } else {
          reflection->SetInt32(&message, field, value);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_INT64:
        if (!repeated) {
          reflection->SetInt64(&message, field,
                               (rules.has_min() ? rules.min() : 0) + 10000 * (salt + 1) + 25);
        }
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth > 3) break;
        if (repeated) {
          FillMessage(*reflection->AddMessage(&message, field), area, salt, depth + 1);
        } else {
          FillMessage(*reflection->MutableMessage(&message, field), area, salt, depth + 1);
        }
        break;
      default:
        break;
    }
  }
}

inline Principal PrincipalWith(const std::vector<int>& roles, const std::string& area) {
  Principal principal;
  principal.subject = "accounts/018f0000-0000-7000-8000-0000000000aa";
  for (const int role : roles) principal.grants.push_back({role, area, ""});
  return principal;
}

inline CallContext CallAs(Principal principal) {
  CallContext call;
  call.principal = std::move(principal);
  call.now = absl::FromUnixMicros(absl::ToUnixMicros(absl::Now()));
  call.deadline = absl::Now() + absl::Seconds(20);
  call.request_id = "test";
  return call;
}

// A migrated database with one store over `types`.
class TestStore {
 public:
  explicit TestStore(const RecordTypes& types, std::map<std::string, Law> laws = {},
                     int window = 5000, std::map<std::string, LockedLaw> locked_laws = {},
                     bool trips = true) {
    admin_dsn_ = testing::TestCluster::Get().CreateDatabase();
    schema_.name = "conformance";
    schema_.role_password = "not-a-secret";
    schema_.migrations = EventLogMigrations();
    const auto applied =
        db::Migrate(admin_dsn_, schema_, SystemClock(), absl::Now() + absl::Seconds(30));
    EXPECT_TRUE(applied.ok()) << applied.status();
    const absl::Status synced =
        SyncRecordTables(admin_dsn_, "conformance", "fadu_conformance", types);
    EXPECT_TRUE(synced.ok()) << synced;
    dsn_ = db::WithDsn(db::WithDsn(admin_dsn_, "user", "fadu_conformance"), "password",
                       "not-a-secret");
    pool_ = std::make_unique<db::Pool>(db::PoolOptions{dsn_, 4, "test"});
    admin_ = std::make_unique<db::Pool>(db::PoolOptions{admin_dsn_, 2, "test admin"});
    ids_ = NewUuidV7Source(SystemClock());
    options_.service = "conformance";
    options_.types = &types;
    options_.laws = std::move(laws);
    options_.locked_laws = std::move(locked_laws);
    options_.window = window;
    options_.writer.dsn = dsn_;
    options_.writer.trips = trips;
    store_ = Another();
  }

  // One more store on the same database, as another process would have it.
  std::unique_ptr<Store> Another() {
    return std::make_unique<Store>(options_, *pool_, std::make_unique<Sealer>(std::string(32, 'k')),
                                   *ids_);
  }

  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  IdSource& ids() { return *ids_; }
  const std::string& dsn() const { return dsn_; }
  const std::string& admin_dsn() const { return admin_dsn_; }

  // Runs a statement as the administrator, who sees all rows.
  absl::StatusOr<db::Rows> Admin(const std::string& sql) {
    return RunOn(*admin_, db::Scope{}, sql);
  }
  // Runs a statement as the service's role in a scope.
  absl::StatusOr<db::Rows> AsService(const db::Scope& scope, const std::string& sql) {
    return RunOn(*pool_, scope, sql);
  }

 private:
  static absl::StatusOr<db::Rows> RunOn(db::Pool& pool, const db::Scope& scope,
                                        const std::string& sql) {
    db::Rows rows;
    const absl::Status status = pool.InTransaction(
        scope, absl::Now() + absl::Seconds(60), [&](db::Transaction& transaction) {
          absl::StatusOr<db::Rows> result = transaction.Run(db::Statement{"test", sql});
          if (result.ok()) rows = *std::move(result);
          return result.status();
        });
    if (!status.ok()) return status;
    return rows;
  }

  std::string admin_dsn_;
  std::string dsn_;
  db::ServiceSchema schema_;
  std::unique_ptr<db::Pool> pool_;
  std::unique_ptr<db::Pool> admin_;
  std::unique_ptr<IdSource> ids_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_STORE_TEST_SUPPORT_H_
