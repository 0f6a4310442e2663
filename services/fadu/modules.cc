#include "services/fadu/modules.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/schema/record_type.h"
#include "services/assessment/module.h"
#include "services/education/module.h"
#include "services/mediation/module.h"
#include "services/registry/module.h"
#include "services/scoring/module.h"

namespace fadu::cli {

std::vector<host::Module> AllModules() {
  return {registry::MakeModule(), education::MakeModule(), mediation::MakeModule(),
          scoring::MakeModule(), assessment::MakeModule()};
}

std::vector<std::string> AllServices() {
  std::vector<std::string> names;
  for (const host::Module& module : AllModules()) names.push_back(module.name);
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
