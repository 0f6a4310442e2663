#include "services/governance/module.h"

#include "common/records/module.h"
#include "services/governance/laws.h"

namespace fadu::governance {

host::Module MakeModule() { return records::MakeRecordModule(Options()); }

}  // namespace fadu::governance
