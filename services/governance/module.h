// services/governance/module.h
#ifndef FADU_SERVICES_GOVERNANCE_MODULE_H_
#define FADU_SERVICES_GOVERNANCE_MODULE_H_

#include "common/host/module.h"

namespace fadu::governance {

// The service of sessions, duty acts, honours, shortcomings and plans. See README.md.
host::Module MakeModule();

}  // namespace fadu::governance

#endif  // FADU_SERVICES_GOVERNANCE_MODULE_H_
