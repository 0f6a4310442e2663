// tests/guard/guard_suite.h
//
// The whole suite in this process over a database of its own, records planted in every area of two
// counties, and callers of every role. Services, methods and record types are found by descriptor:
// what comes later is here without another line.
#ifndef FADU_TESTS_GUARD_GUARD_SUITE_H_
#define FADU_TESTS_GUARD_GUARD_SUITE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/call.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/db/pool.h"
#include "common/host/host.h"
#include "common/records/store.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"
#include "common/schema/record_type.h"
#include "common/testing/test_database.h"
#include "fadu/common/v1/token.pb.h"

namespace fadu::guard {

inline constexpr char kCounty[] = "421221";
inline constexpr char kTown[] = "421221106";
inline constexpr char kVillage[] = "421221106200";
inline constexpr char kNextVillage[] = "421221106201";
inline constexpr char kNextTown[] = "421221107";
inline constexpr char kNextTownVillage[] = "421221107200";
inline constexpr char kOtherCounty[] = "421222";
inline constexpr char kOtherCountyVillage[] = "421222100200";

// Organisations whose records are planted, where a type has them.
inline constexpr char kOurs[] = "018f0000-0000-7000-8000-00000000000a";
inline constexpr char kTheirs[] = "018f0000-0000-7000-8000-00000000000b";

inline constexpr int kYear = 2024;

// Every area in which something is planted.
std::vector<std::string> PlantedAreas();

// Somebody who calls.
struct Caller {
  std::string name;                                 // for messages: "TOWN_CLERK@421221106"
  std::string bearer;                               // of a person; empty: nobody
  std::vector<RoleGrant> grants;                    // of a person
  std::string service;                              // of a service
  std::map<std::string, std::string> bearers = {};  // of a service, by the service it calls
};

// A record planted past all laws, by the store alone. Each of its free texts holds `marker`, which
// no other record does.
struct Planted {
  std::string service;
  const RecordType* type = nullptr;
  std::string area;
  std::string owner;  // id of its organisation; empty: nobody's
  std::string name;   // counties/…
  std::string id;
  std::string marker;
};

// Synthetic identity numbers (no region has 999999) and phones (no number begins with 1009), each
// made once. Names, where no number fits.
class Canaries {
 public:
  // A new one of at most `max_chars` characters; 0: any length.
  std::string New(size_t max_chars);
  // Those that stand in `bytes`, as text or in hex.
  std::set<std::string> In(absl::string_view bytes) const;
  const std::set<std::string>& all() const { return all_; }

 private:
  std::set<std::string> all_;
  int count_ = 0;
};

// Puts a new canary into every text of every personal field of a record.
void PlantCanaries(const RecordType& type, google::protobuf::Message& record, Canaries& canaries);

// The text of a file of the source tree.
std::string SourceFile(const std::string& path);

// Fills every field of a message so that its rules hold: `area` where a code goes, `text` where
// free text goes (where it fits), today's year in dates.
void FillMessage(google::protobuf::Message& message, const std::string& area,
                 const std::string& text);
// The same with no field that the rules do not require.
void FillRequired(google::protobuf::Message& message, const std::string& area,
                  const std::string& text);
// The organisations that records of a type are planted for: one that is nobody for a type without.
std::vector<std::string> OwnersOf(const RecordType& type);
// Makes a record an organisation's; nothing for a type without.
void GiveTo(const RecordType& type, const std::string& owner, google::protobuf::Message& record);

class GuardSuite {
 public:
  // `admin_dsn` is an administrator's, of an empty database. Aborts with a message when anything
  // of it cannot start.
  explicit GuardSuite(const std::string& admin_dsn);
  ~GuardSuite();

  host::Host& host() { return *host_; }
  const std::string& admin_dsn() const { return admin_dsn_; }
  const std::string& keys_folder() const { return keys_folder_; }
  IdSource& ids() { return *ids_; }
  std::string NewId() { return ids_->NewId().ToString(); }

  const std::vector<std::string>& services() const { return services_; }
  // Those of them that own a schema.
  const std::vector<std::string>& schemas() const { return schemas_; }
  // The methods that a service serves.
  std::vector<const google::protobuf::MethodDescriptor*> MethodsOf(const std::string& service);
  // The record types of a service; empty for those that have none.
  const RecordTypes& TypesOf(const std::string& service);
  // The store of a service beside its own: same tables, same keys, no laws.
  records::Store& StoreOf(const std::string& service);
  // A service's pool as its own role: what row-level security is about.
  db::Pool& PoolOf(const std::string& service);
  db::Pool& admin() { return *admin_; }

  Caller Person(const std::vector<RoleGrant>& grants);
  // A service that calls another on its own account.
  Caller Service(const std::string& name);

  rpc::CallOptions OptionsFor(const Caller& caller, const std::string& service) const;
  // Waits for the answer.
  absl::Status Call(const Caller& caller, const std::string& service, const std::string& method,
                    const google::protobuf::Message& request, google::protobuf::Message* response);
  rpc::Channel& ChannelTo(const std::string& service);

  // The area trees, a rubric and a cycle in both counties, made by their administrators; then one
  // confirmed record of every type in every planted area, of both organisations where it has one;
  // then a run of both counties that counts them.
  void Populate();
  const std::vector<Planted>& planted() const { return planted_; }
  Canaries& canaries() { return canaries_; }
  // Names of what the administrators made, by county and collection ("rubrics", "cycles", "runs").
  const std::string& Made(const std::string& county, const std::string& collection) const;

 private:
  struct Plot;
  Plot& PlotOf(const std::string& service);
  void OpenCycle(const std::string& county);
  void Plant(const std::string& service, const RecordType& type, const std::string& area,
             const std::string& owner);
  void Score(const std::string& county);

  testing::TempFolder folder_;
  std::string admin_dsn_;
  std::string keys_folder_;
  std::vector<std::string> services_;
  std::vector<std::string> schemas_;
  std::unique_ptr<IdSource> ids_;
  std::unique_ptr<host::Host> host_;
  std::unique_ptr<db::Pool> admin_;
  std::unique_ptr<rpc::Signer> registry_;
  std::map<std::string, std::unique_ptr<Plot>> plots_;
  std::map<std::string, std::shared_ptr<rpc::Channel>> channels_;
  std::vector<Planted> planted_;
  Canaries canaries_;
  std::map<std::pair<std::string, std::string>, std::string> made_;
};

// The suite of a test program, populated; made on first use, taken down after the last test, while
// there is still a database. What it logs is dropped.
GuardSuite& SharedSuite();

}  // namespace fadu::guard

#endif  // FADU_TESTS_GUARD_GUARD_SUITE_H_
