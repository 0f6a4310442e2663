#include "services/education/module.h"

#include "common/base/status.h"
#include "common/records/module.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/education/v1/exam.pb.h"
#include "services/education/domain/education_event.h"
#include "services/education/domain/exam.h"

namespace fadu::education {
namespace {

const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made =
        RecordTypes::FromDescriptors({v1::EducationEvent::descriptor(), v1::Exam::descriptor()});
    if (!made.ok()) (void)FADU_BUG(made.status().message());
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

absl::Status LawOfEvent(const google::protobuf::Message* /*before*/,
                        google::protobuf::Message& after, const records::LawContext& context) {
  return DecideEvent(static_cast<const v1::EducationEvent&>(after), context.today);
}

absl::Status LawOfExam(const google::protobuf::Message* before, google::protobuf::Message& after,
                       const records::LawContext& context) {
  return DecideExam(static_cast<const v1::Exam*>(before), static_cast<v1::Exam&>(after),
                    context.today);
}

}  // namespace

host::Module MakeModule() {
  records::RecordModuleOptions options;
  options.name = "education";
  options.types = &Types();
  options.laws = {{v1::EducationEvent::descriptor()->full_name(), LawOfEvent},
                  {v1::Exam::descriptor()->full_name(), LawOfExam}};
  return records::MakeRecordModule(std::move(options));
}

}  // namespace fadu::education
