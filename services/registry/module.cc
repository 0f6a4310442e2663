#include "services/registry/module.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/records/module.h"
#include "common/records/sealer.h"
#include "common/rpc/identity.h"
#include "services/registry/bootstrap_file.h"
#include "services/registry/domain/laws.h"
#include "services/registry/handler.h"
#include "services/registry/sign_in.h"
#include "services/registry/sql.h"

namespace fadu::registry {
namespace {

constexpr char kName[] = "registry";
constexpr absl::Duration kStartTime = absl::Seconds(30);

// The record types, made once. A descriptor that breaks their rules is found by every test.
const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made =
        RecordTypes::FromDescriptors({v1::Organisation::descriptor(), v1::Person::descriptor(),
                                      v1::Denominator::descriptor(), v1::Account::descriptor()});
    if (made.ok()) return made->release();
    FADU_BUG(made.status().message()).IgnoreError();
    return std::make_unique<RecordTypes>().release();
  }();
  return *types;
}

template <typename Record>
std::pair<const std::string, records::Law> LawOf(absl::Status (*check)(const Record&)) {
  return {Record::descriptor()->full_name(),
          [check](const google::protobuf::Message*, google::protobuf::Message& after,
                  const records::LawContext&) { return check(static_cast<const Record&>(after)); }};
}

records::RecordModuleOptions Options() {
  records::RecordModuleOptions options;
  options.name = kName;
  options.types = &Types();
  options.laws = {LawOf(&CheckOrganisation), LawOf(&CheckPerson), LawOf(&CheckDenominator)};
  options.migrations = sql::Migrations();
  return options;
}

class RegistryModule : public host::RunningModule {
 public:
  static absl::StatusOr<std::unique_ptr<host::RunningModule>> Start(
      const host::ModuleContext& context) {
    auto module = std::make_unique<RegistryModule>();
    FADU_ASSIGN_OR_RETURN(module->base_, records::RecordModule::Start(Options(), context));
    FADU_ASSIGN_OR_RETURN(module->signer_, rpc::Signer::Load(context.keys_folder, kName));
    FADU_ASSIGN_OR_RETURN(module->sealer_,
                          records::Sealer::Load(context.keys_folder, kName, /*create=*/false));
    FADU_RETURN_IF_ERROR(EnsureBootstrap(context.pool, context.keys_folder, context.clock.Now(),
                                         SystemClock().Now() + kStartTime));
    module->handler_ = std::make_unique<RegistryHandler>(
        HandlerParts{module->base_->store(), context.pool, context.ids, *module->signer_,
                     *module->sealer_, context.keys_folder});
    module->sign_in_ = std::make_unique<SignInHandler>(
        HandlerParts{module->base_->store(), context.pool, context.ids, *module->signer_,
                     *module->sealer_, context.keys_folder});
    return module;
  }

  std::vector<const rpc::Service*> services() const override {
    std::vector<const rpc::Service*> all = base_->services();
    all.push_back(&handler_->service());
    all.push_back(&sign_in_->service());
    return all;
  }

 private:
  std::unique_ptr<rpc::Signer> signer_;
  std::unique_ptr<records::Sealer> sealer_;
  std::unique_ptr<RegistryHandler> handler_;
  std::unique_ptr<SignInHandler> sign_in_;
  std::unique_ptr<records::RecordModule> base_;  // last: what it still writes answers first
};

}  // namespace

host::Module MakeModule() {
  host::Module module = records::BaseOf(Options());
  module.start = &RegistryModule::Start;
  return module;
}

}  // namespace fadu::registry
