// services/gateway/module.h
//
// The gateway: HTTP for browsers and departments, generic over the contracts of all services. It
// owns nothing in the database and has no rights of its own.
#ifndef FADU_SERVICES_GATEWAY_MODULE_H_
#define FADU_SERVICES_GATEWAY_MODULE_H_

#include <string>
#include <vector>

#include "common/host/module.h"
#include "fadu/config/v1/config.pb.h"

namespace fadu::gateway {

struct ModuleOptions {
  std::vector<std::string> services;  // every service it passes calls on to
  fadu::config::v1::GatewayConfig config;
  std::string data_folder;
  absl::Duration drain = absl::Seconds(10);
};

// Calls every service named.
host::Module MakeModule(ModuleOptions options);

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_MODULE_H_
