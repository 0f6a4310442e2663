// services/enforcement/module.h
#ifndef FADU_SERVICES_ENFORCEMENT_MODULE_H_
#define FADU_SERVICES_ENFORCEMENT_MODULE_H_

#include "common/host/module.h"

namespace fadu::enforcement {

// The service of enforcement officers, their training and certificates. See README.md.
host::Module MakeModule();

}  // namespace fadu::enforcement

#endif  // FADU_SERVICES_ENFORCEMENT_MODULE_H_
