// services/registry/module.h
//
// The registry: areas, organisations, people in roles, denominators, accounts and tokens.
#ifndef FADU_SERVICES_REGISTRY_MODULE_H_
#define FADU_SERVICES_REGISTRY_MODULE_H_

#include "common/host/module.h"

namespace fadu::registry {

// Calls nobody.
host::Module MakeModule();

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_MODULE_H_
