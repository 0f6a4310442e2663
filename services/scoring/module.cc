#include "services/scoring/module.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "services/scoring/feed_consumer.h"
#include "services/scoring/handler.h"
#include "services/scoring/replayer.h"
#include "services/scoring/sql.h"
#include "services/scoring/store.h"

namespace fadu::scoring {
namespace {

constexpr char kName[] = "scoring";

class ScoringModule : public host::RunningModule {
 public:
  ScoringModule(const host::ModuleContext& context, const ModuleOptions& options)
      : interval_(options.interval),
        store_(context.pool),
        feeds_(store_, context.peers, context.metrics, options.feeds),
        replayer_(store_, context.metrics, ReplayerOptions{context.monitor_interval}),
        handler_(store_, feeds_, context.peers),
        service_(MakeScoringService(handler_)) {}

  std::vector<const rpc::Service*> services() const override { return {service_.get()}; }
  void StartBackground() override {
    feeds_.Start(interval_);
    replayer_.Start();
  }
  void StopBackground() override {
    feeds_.Stop();
    replayer_.Stop();
  }

 private:
  const absl::Duration interval_;
  Store store_;
  FeedConsumer feeds_;
  Replayer replayer_;
  ScoringHandler handler_;
  std::unique_ptr<rpc::Service> service_;
};

}  // namespace

host::Module MakeModule(ModuleOptions options) {
  host::Module module;
  module.name = kName;
  module.peers = options.feeds;
  if (std::find(module.peers.begin(), module.peers.end(), "registry") == module.peers.end()) {
    module.peers.push_back("registry");
  }
  module.schema = []() -> absl::StatusOr<db::ServiceSchema> {
    db::ServiceSchema schema;
    schema.name = kName;
    schema.migrations = sql::Migrations();
    return schema;
  };
  module.start = [options = std::move(options)](const host::ModuleContext& context)
      -> absl::StatusOr<std::unique_ptr<host::RunningModule>> {
    return std::make_unique<ScoringModule>(context, options);
  };
  return module;
}

}  // namespace fadu::scoring
