#include "common/records/module.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/records/schema.h"
#include "common/records/sealer.h"

namespace fadu::records {
namespace {

void MeasureWriter(const std::string& service, const db::GroupWriter& writer,
                   rpc::Metrics& metrics) {
  const std::map<std::string, std::string> labels = {{"service", service}};
  metrics.Gauge("fadu_writer_queue", "Operations waiting for the group writer.", labels,
                [&writer] { return static_cast<double>(writer.queued()); });
  using Stats = db::GroupWriter::Stats;
  const auto count = [&](const char* name, const char* help, const char* path,
                         int64_t Stats::*member) {
    std::map<std::string, std::string> own = labels;
    if (*path != '\0') own["path"] = path;
    metrics.CounterOf(name, help, own,
                      [&writer, member] { return static_cast<double>(writer.stats().*member); });
  };
  const char batches[] = "Batches committed, in one round trip or after a look.";
  const char operations[] = "Operations in batches committed.";
  count("fadu_writer_batches_total", batches, "trip", &Stats::trips);
  count("fadu_writer_batches_total", batches, "look", &Stats::looks);
  count("fadu_writer_operations_total", operations, "trip", &Stats::trip_operations);
  count("fadu_writer_operations_total", operations, "look", &Stats::look_operations);
  count("fadu_writer_trips_refused_total", "Round trips refused or lost; their batches looked.", "",
        &Stats::refused_trips);
  count("fadu_writer_retries_total", "Attempts repeated after a lost connection or race.", "",
        &Stats::retries);
  count("fadu_writer_bisections_total", "Batches cut in two because something was refused.", "",
        &Stats::bisections);
}

void MeasureReader(const std::string& service, const db::GroupReader& reader,
                   rpc::Metrics& metrics) {
  metrics.Gauge("fadu_reader_queue", "Gets waiting for the database or being read.",
                {{"service", service}}, [&reader] { return static_cast<double>(reader.queued()); });
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordModule>> RecordModule::Start(
    const RecordModuleOptions& options, const host::ModuleContext& context) {
  FADU_ASSIGN_OR_RETURN(std::unique_ptr<Sealer> sealer,
                        Sealer::Load(context.keys_folder, options.name, /*create=*/true));
  StoreOptions store;
  store.service = options.name;
  store.types = options.types;
  store.laws = options.laws;
  store.locked_laws = options.locked_laws;
  store.writer.dsn = context.dsn;
  store.writer.application = absl::StrCat("fadu ", options.name, " writer");
  store.reader.dsn = context.dsn;
  store.reader.application = absl::StrCat("fadu ", options.name, " reader");
  auto module = std::make_unique<RecordModule>();
  module->store_ =
      std::make_unique<Store>(std::move(store), context.pool, std::move(sealer), context.ids);
  module->records_ = MakeRecordService(*module->store_);
  module->feed_ = MakeFactFeedService(*module->store_);
  MeasureWriter(options.name, module->store_->writer(), context.metrics);
  MeasureReader(options.name, module->store_->reader(), context.metrics);
  MonitorOptions monitor;
  monitor.service = options.name;
  monitor.types = options.types;
  monitor.interval = context.monitor_interval;
  module->monitor_ = std::make_unique<Monitor>(
      std::move(monitor), context.pool, module->store_->sealer(), context.clock, context.metrics);
  return module;
}

std::vector<const rpc::Service*> RecordModule::services() const {
  return {records_.get(), feed_.get()};
}

host::Module BaseOf(const RecordModuleOptions& options) {
  host::Module module;
  module.name = options.name;
  module.peers = options.peers;
  module.schema = [options]() -> absl::StatusOr<db::ServiceSchema> {
    db::ServiceSchema schema;
    schema.name = options.name;
    schema.migrations = EventLogMigrations();
    schema.migrations.insert(schema.migrations.end(), options.migrations.begin(),
                             options.migrations.end());
    return schema;
  };
  module.after_migrate = [options](const std::string& admin_dsn) {
    return SyncRecordTables(admin_dsn, options.name, absl::StrCat("fadu_", options.name),
                            *options.types);
  };
  return module;
}

host::Module MakeRecordModule(RecordModuleOptions options) {
  host::Module module = BaseOf(options);
  module.start = [options = std::move(options)](const host::ModuleContext& context)
      -> absl::StatusOr<std::unique_ptr<host::RunningModule>> {
    FADU_ASSIGN_OR_RETURN(std::unique_ptr<RecordModule> running,
                          RecordModule::Start(options, context));
    return running;
  };
  return module;
}

}  // namespace fadu::records
