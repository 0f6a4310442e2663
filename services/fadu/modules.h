// services/fadu/modules.h
#ifndef FADU_SERVICES_FADU_MODULES_H_
#define FADU_SERVICES_FADU_MODULES_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/host/module.h"
#include "fadu/config/v1/config.pb.h"

namespace fadu::cli {

// Adds a service of records to the suite, before anything starts: it stores, feeds scoring and is
// known to every command like the others. For tests of "a record type needs no other line of code".
void AddEvidenceModule(std::function<host::Module()> make);

// Lets `adjust` change every module there is, before anything starts. For fault tests: the program
// never calls it.
void AdjustModules(std::function<void(host::Module&)> adjust);

// Every service of the suite, callees before callers, as `config` has them.
std::vector<host::Module> AllModules(const fadu::config::v1::Config& config = {});
// Their names, in the same order.
std::vector<std::string> AllServices();
// Those with records, which serve fadu.common.v1.RecordService.
std::vector<std::string> RecordServices();

// The service that owns a record type or a gRPC service, by proto package: fadu.mediation.v1 →
// mediation. Empty for fadu.common.v1, which every service serves.
std::string ServiceOfPackage(absl::string_view package);
// The service whose record types include this collection; empty when there is none.
std::string ServiceOfCollection(absl::string_view collection);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_MODULES_H_
