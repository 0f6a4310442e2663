#include "services/assessment/domain/mark.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/area_code.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::assessment {
namespace {

absl::Status NotJudged(absl::string_view line_id) {
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_LINE_NOT_JUDGED,
              "no person judges this line", {{"line", std::string(line_id)}});
}

absl::Status Invalid(const std::string& field, const std::string& problem) {
  return Fail(absl::StatusCode::kInvalidArgument, ::fadu::common::v1::REASON_FIELD_INVALID,
              "the mark does not fit its clause", {{"field", field}, {"problem", problem}},
              {{field, problem}});
}

const v1::Line* LineOf(const v1::Rubric& rubric, absl::string_view id) {
  for (const v1::Line& line : rubric.lines()) {
    if (line.id() == id) return &line;
  }
  return nullptr;
}

// Any policy of the clause leaves it to a person when nothing can be computed.
bool IsManual(const v1::Clause& clause) {
  for (const v1::WhenEmpty policy :
       {clause.when_empty(), clause.when_unknown(), clause.rate_step().when_empty(),
        clause.survey().when_small(), clause.trend().when_no_baseline()}) {
    if (policy == v1::WHEN_EMPTY_MANUAL) return true;
  }
  return false;
}

// The states of L08 that leave the amount to a person, taken together.
absl::optional<MarkLimits> DiscretionOf(const v1::Tiered& form) {
  absl::optional<MarkLimits> limits;
  for (const v1::ScoreState& state : form.states()) {
    if (!state.has_to_e4()) continue;
    const Points low = Points::FromUnits(state.amount_e4());
    const Points high = Points::FromUnits(state.to_e4());
    if (!limits.has_value()) limits = MarkLimits{low, high, Points()};
    limits->min = std::min(limits->min, low);
    limits->max = std::max(limits->max, high);
  }
  return limits;
}

// The codes of the parts of the year in which a group's lines are scored; "" is the whole year.
std::set<std::string> CodesOf(const v1::Group& group) {
  std::set<std::string> codes;
  const auto add = [&](absl::string_view prefix, int count, bool padded) {
    for (int i = 1; i <= count; ++i) {
      codes.insert(absl::StrCat(prefix, padded && i < 10 ? "0" : "", i));
    }
  };
  for (const v1::PeriodPart& part : group.periods()) {
    if (!part.period().empty()) codes.insert(part.period() == "year" ? "" : part.period());
    if (part.each() == v1::WINDOW_HALF_YEAR) add("H", 2, false);
    if (part.each() == v1::WINDOW_QUARTER) add("Q", 4, false);
    if (part.each() == v1::WINDOW_MONTH) add("M", 12, true);
  }
  return codes;
}

// Those of the nearest group above the line that is scored in parts; else the whole year alone.
std::set<std::string> PeriodsOf(const v1::Rubric& rubric, const v1::Line& line) {
  std::string id = line.group();
  // No chain of groups is longer than there are groups.
  for (int i = 0; i < rubric.groups_size() && !id.empty(); ++i) {
    const auto group = std::find_if(rubric.groups().begin(), rubric.groups().end(),
                                    [&](const v1::Group& each) { return each.id() == id; });
    if (group == rubric.groups().end()) break;
    if (!group->periods().empty()) return CodesOf(*group);
    id = group->parent();
  }
  if (!rubric.whole().periods().empty()) return CodesOf(rubric.whole());
  return {""};
}

absl::Status CheckPeriod(const v1::Rubric& rubric, const v1::Line& line, const v1::Mark& mark) {
  const std::set<std::string> periods = PeriodsOf(rubric, line);
  if (periods.count(mark.period()) > 0) return absl::OkStatus();
  return Invalid("period",
                 periods == std::set<std::string>{""}
                     ? "该项全年评一次，不分期间"
                     : absl::StrCat("该项分期间评定，可用：", absl::StrJoin(periods, " ")));
}

absl::Status CheckAssessor(const v1::Judged& form, const v1::Mark& mark) {
  if (form.assessors().empty()) {
    return mark.assessor().empty() ? absl::OkStatus() : Invalid("assessor", "该款不分评分方");
  }
  std::vector<std::string> names;
  for (const v1::Assessor& assessor : form.assessors()) names.push_back(assessor.name());
  if (std::find(names.begin(), names.end(), mark.assessor()) != names.end()) {
    return absl::OkStatus();
  }
  return Invalid("assessor", absl::StrCat("应为评分方之一：", absl::StrJoin(names, "、")));
}

}  // namespace

absl::StatusOr<MarkLimits> LimitsOf(const v1::Rubric& rubric, absl::string_view line_id,
                                    int clause) {
  const v1::Line* line = LineOf(rubric, line_id);
  if (line == nullptr || clause < 0 || clause >= line->clauses_size()) return NotJudged(line_id);
  const v1::Clause& marked = line->clauses(clause);
  if (marked.has_judged()) {
    const v1::Judged& form = marked.judged();
    return MarkLimits{Points::FromUnits(form.min_e4()), Points::FromUnits(form.max_e4()),
                      Points::FromUnits(form.step_e4()), form.second_reviewer()};
  }
  absl::optional<MarkLimits> limits = DiscretionOf(marked.tiered());
  if (IsManual(marked)) {
    const Points most = Points::FromUnits(marked.has_cap_e4() ? marked.cap_e4() : line->max_e4());
    if (!limits.has_value()) limits = MarkLimits{Points(), most, Points()};
    limits->min = Points();
    limits->max = std::max(limits->max, most);
  }
  if (!limits.has_value()) return NotJudged(line_id);
  return *limits;
}

absl::Status CheckPoints(const MarkLimits& limits, Points points) {
  const bool inside = limits.min <= points && points <= limits.max;
  const bool stepped = limits.step == Points() || points.units() % limits.step.units() == 0;
  if (inside && stepped) return absl::OkStatus();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_MARK_OUT_OF_RANGE,
              "the mark is outside its limits",
              {{"points", points.ToString()},
               {"min", limits.min.ToString()},
               {"max", limits.max.ToString()},
               {"step", limits.step == Points() ? "不限" : limits.step.ToString()}});
}

absl::Status CheckPlace(const v1::Rubric& rubric, const v1::Mark& mark) {
  const v1::Line* line = LineOf(rubric, mark.line_id());
  if (line == nullptr || mark.clause() < 0 || mark.clause() >= line->clauses_size()) {
    return NotJudged(mark.line_id());
  }
  const bool town = rubric.subject() == v1::SUBJECT_TOWN;
  if (LevelOf(mark.area_code()) != (town ? AreaLevel::kTown : AreaLevel::kVillage)) {
    return Invalid("area_code",
                   town ? "应为本县乡镇的9位区划代码" : "应为本县村（社区）的12位区划代码");
  }
  const v1::Judged& form = line->clauses(mark.clause()).judged();
  const bool itemised = form.per_case() || form.sample() > 0;
  if (itemised && mark.item().empty()) {
    return Invalid("item",
                   form.per_case() ? "每案分别评分，请写明案件" : "逐个样本评分，请写明样本");
  }
  if (!itemised && !mark.item().empty()) return Invalid("item", "该款只评一次，不分案件或样本");
  FADU_RETURN_IF_ERROR(CheckAssessor(form, mark));
  return CheckPeriod(rubric, *line, mark);
}

v1::Mark Replace(const v1::Mark& before, const v1::Mark& mark, const MarkLimits& limits) {
  const bool agrees = limits.second && before.points_e4() == mark.points_e4() &&
                      before.scorer() != mark.scorer() && before.second_scorer().empty();
  v1::Mark after = agrees ? before : mark;
  after.set_second_scorer(agrees ? mark.scorer() : "");
  return after;
}

}  // namespace fadu::assessment
