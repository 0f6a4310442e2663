// services/legality/laws.h
//
// The laws of this service that read the county's rows, under its lock: local terms, numbers, what
// a document stands on.
#ifndef FADU_SERVICES_LEGALITY_LAWS_H_
#define FADU_SERVICES_LEGALITY_LAWS_H_

#include "common/records/module.h"

namespace fadu::legality {

// Name, types, laws and migrations of the service.
records::RecordModuleOptions Options();

}  // namespace fadu::legality

#endif  // FADU_SERVICES_LEGALITY_LAWS_H_
