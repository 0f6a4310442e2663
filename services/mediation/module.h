// services/mediation/module.h
#ifndef FADU_SERVICES_MEDIATION_MODULE_H_
#define FADU_SERVICES_MEDIATION_MODULE_H_

#include "common/host/module.h"

namespace fadu::mediation {

// The mediation service: disputes, follow-up visits, teams. See README.md.
host::Module MakeModule();

}  // namespace fadu::mediation

#endif  // FADU_SERVICES_MEDIATION_MODULE_H_
