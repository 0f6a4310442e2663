// A service that is nothing but a record type: this file is its whole code.

#include "common/records/module.h"
#include "fadu/fixture/v1/fixture.pb.h"
#include "services/fadu/modules.h"

namespace fadu {
namespace {

host::Module MakeFixture() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fixture::v1::Widget::descriptor()})->release();
  records::RecordModuleOptions options;
  options.name = "fixture";
  options.types = types;
  return records::MakeRecordModule(std::move(options));
}

[[maybe_unused]] const bool kAdded = [] {
  cli::AddEvidenceModule(MakeFixture);
  return true;
}();

}  // namespace
}  // namespace fadu
