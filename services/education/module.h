// services/education/module.h
#ifndef FADU_SERVICES_EDUCATION_MODULE_H_
#define FADU_SERVICES_EDUCATION_MODULE_H_

#include "common/host/module.h"

namespace fadu::education {

// The education service: legal-education events, exams. See README.md.
host::Module MakeModule();

}  // namespace fadu::education

#endif  // FADU_SERVICES_EDUCATION_MODULE_H_
