#include "services/scoring/domain/compiled_rubric.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool HasTree(const assessment::Condition& condition) {
  return condition.all_size() + condition.any_size() + condition.none_size() > 0;
}

// Does the message, or anything beneath it, hold a tree of conditions (M11)?
bool UsesTree(const Message& message) {
  if (message.GetDescriptor() == assessment::Condition::descriptor()) return true;
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      const Message& child = reflection->GetMessage(message, field);
      const auto* single = dynamic_cast<const assessment::Condition*>(&child);
      // A condition by itself is no tree; what stands in a list is part of one.
      if (single == nullptr ? UsesTree(child) : HasTree(*single)) return true;
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      if (UsesTree(reflection->GetRepeatedMessage(message, field, i))) return true;
    }
  }
  return false;
}

}  // namespace

void ForEachMeasure(
    const Message& message, const std::string& path,
    const std::function<void(const std::string& path, const std::string& text)>& visit) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string place = path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
    if (field->name() == "measure" && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      visit(place, reflection->GetString(message, field));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated()) {
      ForEachMeasure(reflection->GetMessage(message, field), place, visit);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        ForEachMeasure(reflection->GetRepeatedMessage(message, field, i),
                       absl::StrCat(place, "[", i, "]"), visit);
      }
    }
  }
}

absl::StatusOr<CompiledRubric> CompiledRubric::Compile(const assessment::Rubric& rubric,
                                                       const RecordTypes& types) {
  CompiledRubric compiled;
  compiled.rubric_ = &rubric;
  compiled.types_ = &types;
  absl::Status status;
  ForEachMeasure(rubric, "", [&](const std::string&, const std::string& text) {
    if (!status.ok() || compiled.measures_.count(text) > 0) return;
    absl::StatusOr<Measure> measure = ParseMeasure(text, types);
    if (measure.ok()) {
      compiled.measures_.emplace(text, *std::move(measure));
    } else {
      status = measure.status();
    }
  });
  FADU_RETURN_IF_ERROR(status);
  return compiled;
}

const Measure& CompiledRubric::MeasureOf(const std::string& text) const {
  const auto found = measures_.find(text);
  if (found != measures_.end()) return found->second;
  (void)FADU_BUG("a measure that was not compiled");
  static const Measure* const none = new Measure;
  return *none;
}

std::string FormCode(const assessment::Clause& clause) {
  switch (clause.form_case()) {
    case assessment::Clause::kCheck:
      return "L01";
    case assessment::Clause::kChecklist:
      return "L02";
    case assessment::Clause::kShortfall:
      return "L03";
    case assessment::Clause::kIncident:
      return "L04";
    case assessment::Clause::kIncidentTable:
      return "L05";
    case assessment::Clause::kRateStep:
      return "L06";
    case assessment::Clause::kThreshold:
      return "L07";
    case assessment::Clause::kTiered:
      return "L08";
    case assessment::Clause::kLateness:
      return "L16";
    case assessment::Clause::kJudged:
      return "L17";
    case assessment::Clause::kHonour:
      return "L19";
    case assessment::Clause::FORM_NOT_SET:
      return "";
  }
  return "";
}

std::string FormsOf(const assessment::Clause& clause) {
  std::string forms = FormCode(clause);
  if (clause.has_cap_e4()) absl::StrAppend(&forms, "+M01");
  if (!clause.same().empty()) absl::StrAppend(&forms, "+M04");
  if (UsesTree(clause)) absl::StrAppend(&forms, "+M11");
  return forms;
}

}  // namespace fadu::scoring
