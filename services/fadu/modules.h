// services/fadu/modules.h
#ifndef FADU_SERVICES_FADU_MODULES_H_
#define FADU_SERVICES_FADU_MODULES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/host/module.h"

namespace fadu::cli {

// Every service of the suite, callees before callers.
std::vector<host::Module> AllModules();
// Their names, in the same order.
std::vector<std::string> AllServices();

// The service that owns a record type or a gRPC service, by proto package: fadu.mediation.v1 →
// mediation. Empty for fadu.common.v1, which every service serves.
std::string ServiceOfPackage(absl::string_view package);
// The service whose record types include this collection; empty when there is none.
std::string ServiceOfCollection(absl::string_view collection);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_MODULES_H_
