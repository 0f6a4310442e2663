#include "services/fadu/modules.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/schema/record_type.h"
#include "services/assessment/module.h"
#include "services/education/module.h"
#include "services/enforcement/module.h"
#include "services/gateway/module.h"
#include "services/governance/module.h"
#include "services/legality/module.h"
#include "services/mediation/module.h"
#include "services/registry/module.h"
#include "services/scoring/module.h"

namespace fadu::cli {

namespace {

std::vector<std::function<host::Module()>>& Evidence() {
  static auto* const makers = new std::vector<std::function<host::Module()>>{
      education::MakeModule, enforcement::MakeModule, governance::MakeModule, legality::MakeModule,
      mediation::MakeModule};
  return *makers;
}

std::function<void(host::Module&)>& Adjustment() {
  static auto* const adjust = new std::function<void(host::Module&)>;
  return *adjust;
}

}  // namespace

void AdjustModules(std::function<void(host::Module&)> adjust) { Adjustment() = std::move(adjust); }

void AddEvidenceModule(std::function<host::Module()> make) {
  Evidence().push_back(std::move(make));
}

std::vector<host::Module> AllModules(const fadu::config::v1::Config& config) {
  std::vector<host::Module> modules = {registry::MakeModule()};
  for (const auto& make : Evidence()) modules.push_back(make());
  scoring::ModuleOptions scoring;
  scoring.feeds.clear();
  for (const host::Module& module : modules) scoring.feeds.push_back(module.name);
  modules.push_back(scoring::MakeModule(scoring));
  modules.push_back(assessment::MakeModule());
  gateway::ModuleOptions gateway;
  for (const host::Module& module : modules) gateway.services.push_back(module.name);
  gateway.config = config.gateway();
  gateway.data_folder = config.data_folder();
  if (config.drain_seconds() > 0) gateway.drain = absl::Seconds(config.drain_seconds());
  modules.push_back(gateway::MakeModule(std::move(gateway)));
  if (Adjustment()) {
    for (host::Module& module : modules) Adjustment()(module);
  }
  return modules;
}

std::vector<std::string> AllServices() {
  std::vector<std::string> names;
  for (const host::Module& module : AllModules()) names.push_back(module.name);
  return names;
}

std::vector<std::string> RecordServices() {
  std::vector<std::string> names;
  for (const std::string& service : AllServices()) {
    const auto types = RecordTypes::FromPackages({absl::StrCat("fadu.", service, ".v1")});
    if (types.ok() && !(*types)->all().empty()) names.push_back(service);
  }
  return names;
}

std::string ServiceOfPackage(absl::string_view package) {
  for (const std::string& service : AllServices()) {
    if (package == absl::StrCat("fadu.", service, ".v1")) return service;
  }
  return "";
}

std::string ServiceOfCollection(absl::string_view collection) {
  for (const std::string& service : AllServices()) {
    const auto types = RecordTypes::FromPackages({absl::StrCat("fadu.", service, ".v1")});
    if (types.ok() && (*types)->FindByCollection(collection) != nullptr) return service;
  }
  return "";
}

}  // namespace fadu::cli
