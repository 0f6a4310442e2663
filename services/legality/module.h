// services/legality/module.h
#ifndef FADU_SERVICES_LEGALITY_MODULE_H_
#define FADU_SERVICES_LEGALITY_MODULE_H_

#include "common/host/module.h"

namespace fadu::legality {

// The legality service: legality reviews, normative documents, local terms. See README.md.
host::Module MakeModule();

}  // namespace fadu::legality

#endif  // FADU_SERVICES_LEGALITY_MODULE_H_
