// services/assessment/module.h
#ifndef FADU_SERVICES_ASSESSMENT_MODULE_H_
#define FADU_SERVICES_ASSESSMENT_MODULE_H_

#include "common/host/module.h"

namespace fadu::assessment {

// The assessment service: rubrics, cycles and marks, handed over to scoring. See README.md.
host::Module MakeModule();

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_MODULE_H_
