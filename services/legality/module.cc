#include "services/legality/module.h"

#include "common/records/module.h"
#include "services/legality/laws.h"

namespace fadu::legality {

host::Module MakeModule() { return records::MakeRecordModule(Options()); }

}  // namespace fadu::legality
