#include "services/mediation/module.h"

#include "common/base/status.h"
#include "common/records/module.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/mediation/domain/dispute.h"

namespace fadu::mediation {
namespace {

const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made = RecordTypes::FromDescriptors({v1::Dispute::descriptor()});
    if (!made.ok()) (void)FADU_BUG(made.status().message());
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

absl::Status LawOfDispute(const google::protobuf::Message* before, google::protobuf::Message& after,
                          const records::LawContext& context) {
  return DecideDispute(static_cast<const v1::Dispute*>(before), static_cast<v1::Dispute&>(after),
                       context.today);
}

}  // namespace

host::Module MakeModule() {
  records::RecordModuleOptions options;
  options.name = "mediation";
  options.types = &Types();
  options.laws = {{v1::Dispute::descriptor()->full_name(), LawOfDispute}};
  return records::MakeRecordModule(std::move(options));
}

}  // namespace fadu::mediation
