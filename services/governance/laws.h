// services/governance/laws.h
//
// What governance's records are and which law each obeys, as the store takes them.
#ifndef FADU_SERVICES_GOVERNANCE_LAWS_H_
#define FADU_SERVICES_GOVERNANCE_LAWS_H_

#include "common/records/module.h"

namespace fadu::governance {

records::RecordModuleOptions Options();

}  // namespace fadu::governance

#endif  // FADU_SERVICES_GOVERNANCE_LAWS_H_
