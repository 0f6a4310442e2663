// services/scoring/module.h
//
// The scoring service as a module.
#ifndef FADU_SERVICES_SCORING_MODULE_H_
#define FADU_SERVICES_SCORING_MODULE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/host/module.h"

namespace fadu::scoring {

struct ModuleOptions {
  // Services whose facts are pulled; any that serves FactFeedService. They and registry (the area
  // tree) are the peers.
  std::vector<std::string> feeds = {"registry", "education", "mediation"};
  // Between two rounds of the background puller (S-20).
  absl::Duration interval = absl::Seconds(2);
};

// Module "scoring".
host::Module MakeModule(ModuleOptions options = {});

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_MODULE_H_
