#include "services/assessment/module.h"

#include <memory>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/records/module.h"
#include "fadu/assessment/v1/given.pb.h"
#include "fadu/assessment/v1/outside.pb.h"
#include "fadu/assessment/v1/records.pb.h"
#include "services/assessment/forwarder.h"
#include "services/assessment/handler.h"
#include "services/assessment/sql.h"

namespace fadu::assessment {
namespace {

// The record types, made once. A descriptor that breaks their rules is found by every test.
const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made = RecordTypes::FromDescriptors(
        {v1::RubricVersion::descriptor(), v1::Cycle::descriptor(), v1::Mark::descriptor(),
         v1::Ruling::descriptor(), v1::Adjustment::descriptor(),
         v1::ResponsibilitySplit::descriptor(), v1::Sample::descriptor(),
         v1::ImportedResult::descriptor(), v1::ExternalFigure::descriptor()});
    if (made.ok()) return made->release();
    FADU_BUG(made.status().message()).IgnoreError();
    return std::make_unique<RecordTypes>().release();
  }();
  return *types;
}

records::RecordModuleOptions Options() {
  records::RecordModuleOptions options;
  options.name = "assessment";
  options.types = &Types();
  options.laws = Laws();
  options.peers = {"scoring", "registry"};
  options.migrations = sql::Migrations();
  return options;
}

class AssessmentModule : public host::RunningModule {
 public:
  static absl::StatusOr<std::unique_ptr<host::RunningModule>> Start(
      const host::ModuleContext& context) {
    auto module = std::make_unique<AssessmentModule>();
    FADU_ASSIGN_OR_RETURN(module->base_, records::RecordModule::Start(Options(), context));
    module->forwarder_ = std::make_unique<Forwarder>(module->base_->store(), context.pool,
                                                     context.peers, context.clock, context.metrics);
    module->handler_ = std::make_unique<AssessmentHandler>(
        HandlerParts{module->base_->store(), context.peers, *module->forwarder_});
    return module;
  }

  // The store goes first: what it still writes answers through the handler and wakes the forwarder,
  // which must not pull any more.
  ~AssessmentModule() override {
    StopBackground();
    base_.reset();
  }

  std::vector<const rpc::Service*> services() const override {
    std::vector<const rpc::Service*> all = base_->services();
    all.push_back(&handler_->service());
    return all;
  }

  void StartBackground() override {
    base_->StartBackground();
    forwarder_->Start();
  }
  void StopBackground() override {
    if (base_ != nullptr) base_->StopBackground();
    if (forwarder_ != nullptr) forwarder_->Stop();
  }

 private:
  std::unique_ptr<Forwarder> forwarder_;
  std::unique_ptr<AssessmentHandler> handler_;
  std::unique_ptr<records::RecordModule> base_;
};

}  // namespace

host::Module MakeModule() {
  host::Module module = records::BaseOf(Options());
  module.start = &AssessmentModule::Start;
  return module;
}

}  // namespace fadu::assessment
