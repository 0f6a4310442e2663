// services/enforcement/laws.h
//
// What enforcement's records are and which law each obeys, as the store takes them.
#ifndef FADU_SERVICES_ENFORCEMENT_LAWS_H_
#define FADU_SERVICES_ENFORCEMENT_LAWS_H_

#include "common/records/module.h"

namespace fadu::enforcement {

records::RecordModuleOptions Options();

}  // namespace fadu::enforcement

#endif  // FADU_SERVICES_ENFORCEMENT_LAWS_H_
