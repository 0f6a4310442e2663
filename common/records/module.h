// common/records/module.h
//
// A service whose records are all there is to it, and the base of those that add methods.
#ifndef FADU_COMMON_RECORDS_MODULE_H_
#define FADU_COMMON_RECORDS_MODULE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/host/module.h"
#include "common/records/handlers.h"
#include "common/records/monitor.h"
#include "common/records/store.h"

namespace fadu::records {

// What distinguishes a service of records.
struct RecordModuleOptions {
  std::string name;                    // "mediation"
  const RecordTypes* types = nullptr;  // lives as long as the process
  std::map<std::string, Law> laws;     // by full message name
  std::map<std::string, LockedLaw> locked_laws;
  std::vector<std::string> peers;
  std::vector<db::Migration> migrations;  // beside EventLogMigrations()
};

// A running service of records: store, RecordService, FactFeedService. Services that add methods
// hold one.
class RecordModule : public host::RunningModule {
 public:
  static absl::StatusOr<std::unique_ptr<RecordModule>> Start(const RecordModuleOptions& options,
                                                             const host::ModuleContext& context);
  std::vector<const rpc::Service*> services() const override;
  // The monitor. Modules that add background work of their own call these too.
  void StartBackground() override { monitor_->Start(); }
  void StopBackground() override { monitor_->Stop(); }
  Store& store() { return *store_; }

 private:
  std::unique_ptr<Store> store_;
  std::unique_ptr<rpc::Service> records_;
  std::unique_ptr<rpc::Service> feed_;
  std::unique_ptr<Monitor> monitor_;
};

// The module of a service that has records and nothing else.
host::Module MakeRecordModule(RecordModuleOptions options);
// Schema and record tables of such a service, for modules that add methods.
host::Module BaseOf(const RecordModuleOptions& options);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_MODULE_H_
