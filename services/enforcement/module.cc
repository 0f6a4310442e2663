#include "services/enforcement/module.h"

#include "common/records/module.h"
#include "services/enforcement/laws.h"

namespace fadu::enforcement {

host::Module MakeModule() { return records::MakeRecordModule(Options()); }

}  // namespace fadu::enforcement
