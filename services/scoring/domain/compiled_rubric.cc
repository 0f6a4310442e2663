#include "services/scoring/domain/compiled_rubric.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/scoring/v1/scoring_service.pb.h"

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
    const bool measure = field->name() == "measure" || absl::EndsWith(field->name(), "_measure");
    if (measure && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
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

absl::StatusOr<RubricSource> ParseRubricSource(absl::string_view text, const RecordTypes& types) {
  RubricSource source;
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  for (const auto& [word, kind] : {std::pair("ruling(", RubricSource::Kind::kRuling),
                                   std::pair("result(", RubricSource::Kind::kResult),
                                   std::pair("figure(", RubricSource::Kind::kFigure)}) {
    if (!absl::ConsumePrefix(&rest, word)) continue;
    source.kind = kind;
    const bool closed = absl::ConsumeSuffix(&rest, ")");
    source.key = std::string(absl::StripAsciiWhitespace(rest));
    if (closed && !source.key.empty() && source.key.find_first_of("()\"' ") == std::string::npos) {
      return source;
    }
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_MEASURE_INVALID,
                "a source without a plain key",
                {{"position", absl::StrCat(std::string(word).size() + 1)},
                 {"problem", absl::StrCat("应写作 ", word, "代码)，代码不含空格和引号")}});
  }
  FADU_ASSIGN_OR_RETURN(source.measure, ParseMeasure(text, types));
  return source;
}

const RecordType* CountedTypeOf(const RubricSource& source) {
  const bool counts =
      source.kind == RubricSource::Kind::kMeasure && source.measure.counts_records();
  return counts ? source.measure.root->source.type : nullptr;
}

absl::StatusOr<CompiledRubric> CompiledRubric::Compile(const assessment::Rubric& rubric,
                                                       const RecordTypes& types) {
  CompiledRubric compiled;
  compiled.rubric_ = &rubric;
  compiled.types_ = &types;
  absl::Status status;
  ForEachMeasure(rubric, "", [&](const std::string&, const std::string& text) {
    if (!status.ok() || compiled.sources_.count(text) > 0) return;
    absl::StatusOr<RubricSource> source = ParseRubricSource(text, types);
    if (source.ok()) {
      compiled.sources_.emplace(text, *std::move(source));
    } else {
      status = source.status();
    }
  });
  FADU_RETURN_IF_ERROR(status);
  for (int i = 0; i < rubric.lines_size(); ++i) compiled.lines_.emplace(rubric.lines(i).id(), i);
  return compiled;
}

const RubricSource& CompiledRubric::SourceOf(const std::string& text) const {
  const auto found = sources_.find(text);
  if (found != sources_.end()) return found->second;
  (void)FADU_BUG("a measure that was not compiled");
  static const RubricSource* const none = new RubricSource;
  return *none;
}

const assessment::RulingSpec* CompiledRubric::RulingOf(const std::string& key) const {
  for (const assessment::RulingSpec& spec : rubric_->rulings()) {
    if (spec.key() == key) return &spec;
  }
  return nullptr;
}

int CompiledRubric::LineOf(const std::string& id) const {
  const auto found = lines_.find(id);
  return found == lines_.end() ? -1 : found->second;
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
    case assessment::Clause::kProportion:
      return "L09";
    case assessment::Clause::kEarnEach:
      return "L10";
    case assessment::Clause::kSymmetric:
      return "L11";
    case assessment::Clause::kTrend:
      return "L12";
    case assessment::Clause::kBenchmark:
      return "L13";
    case assessment::Clause::kRank:
      return "L14";
    case assessment::Clause::kAdjustment:
      return "L15";
    case assessment::Clause::kSurvey:
      return "L18";
    case assessment::Clause::kNotice:
      return "L20";
    case assessment::Clause::kImported:
      return "L21";
    case assessment::Clause::FORM_NOT_SET:
      return "";
  }
  return "";
}

std::string FormsOf(const assessment::Clause& clause) {
  std::string forms = FormCode(clause);
  const bool parts_exempt =
      std::any_of(clause.checklist().parts().begin(), clause.checklist().parts().end(),
                  [](const auto& part) { return part.has_not_applicable(); });
  for (const auto& [code, used] :
       {std::pair("M01", clause.has_cap_e4()), std::pair("M02", !clause.aggravate().empty()),
        std::pair("M03", !clause.mitigate().empty()), std::pair("M04", !clause.same().empty()),
        std::pair("M05", clause.has_streak() || clause.has_rolling()),
        std::pair("M06", clause.attribution() != assessment::ATTRIBUTION_UNSPECIFIED),
        std::pair("M07", clause.has_average() || clause.judged().sample() > 0),
        std::pair("M08", clause.has_per_head()), std::pair("M10", parts_exempt),
        std::pair("M11", UsesTree(clause)), std::pair("M12", clause.has_remedy()),
        std::pair("M13", !clause.exclude().empty())}) {
    if (used) absl::StrAppend(&forms, "+", code);
  }
  return forms;
}

}  // namespace fadu::scoring
