// Leaf forms over days: L16 LATENESS.

#include <algorithm>
#include <utility>

#include "common/base/working_calendar.h"
#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;
using absl::CivilDay;

// `count` months later: the same day, or the last one of a shorter month.
CivilDay MonthsAfter(CivilDay day, int64_t count) {
  const absl::CivilMonth month = absl::CivilMonth(day) + count;
  const CivilDay last = CivilDay(month + 1) - 1;
  return std::min(last, CivilDay(month) + (day.day() - 1));
}

// How late `to` is after `from`; months and what is begun of one, or completed ones.
int64_t DelayBetween(CivilDay from, CivilDay to, const assessment::Lateness& form) {
  if (to <= from) return 0;
  switch (form.late_unit()) {
    case assessment::DELAY_UNIT_WORKING_DAY:
      return WorkingDaysBetween(from, to, WorkingCalendar::Shipped());
    case assessment::DELAY_UNIT_MONTH: {
      int64_t months = 0;
      while (MonthsAfter(from, months + 1) <= to) ++months;
      const bool begun = MonthsAfter(from, months) < to;
      return begun && form.late_rounding() != assessment::STEP_ROUNDING_COMPLETED ? months + 1
                                                                                  : months;
    }
    default:
      return to - from;
  }
}

// Takes the earliest of the records that are done within `days`.
void TakeEarliest(const ClauseContext& context, const std::vector<std::string>& records,
                  const DayRange& days, Part& part) {
  const assessment::Lateness& form = context.clause.lateness();
  for (const std::string& record : records) {
    const auto done = context.unit.run.index.DayOf(record, form.done());
    if (!done.has_value() || !days.Contains(*done)) continue;
    if (part.done.has_value() && *part.done <= *done) continue;
    part.done = done;
    part.reading.evaluation.records = {record};
    part.from = form.reminder().empty() ? absl::nullopt
                                        : context.unit.run.index.DayOf(record, form.reminder());
  }
}

// The things that are due, in order.
std::vector<Part> ThingsDue(const ClauseContext& context, const Reading& reading) {
  const assessment::Lateness& form = context.clause.lateness();
  const std::vector<std::string>& records = reading.evaluation.records;
  const FactIndex& index = context.unit.run.index;
  std::vector<Part> parts;
  if (!form.due().empty()) {
    Part part;
    part.name = form.what();
    part.due = *ParseDay(form.due());
    TakeEarliest(context, records, {CivilDay::min(), CivilDay::max()}, part);
    parts.push_back(std::move(part));
  } else if (!form.start().empty()) {
    for (const std::string& record : records) {
      const auto start = index.DayOf(record, form.start());
      if (!start.has_value()) continue;  // its clock has not started
      Part part;
      part.name = record;
      part.reading.evaluation.records = {record};
      part.due = DayAfter(*start, form.within(), form.within_unit());
      part.done = index.DayOf(record, form.done());
      if (!form.reminder().empty()) part.from = index.DayOf(record, form.reminder());
      parts.push_back(std::move(part));
    }
  } else {
    for (const YearPart& span : PartsWithin(form.each(), context.unit.scope.year,
                                            context.unit.days(), context.unit.language)) {
      Part part;
      part.name = span.name;
      part.due = std::min(span.days.first + (form.due_day() - 1), span.days.last);
      TakeEarliest(context, records, span.days, part);
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

}  // namespace

CivilDay DayAfter(CivilDay from, int64_t count, assessment::DelayUnit unit) {
  if (count == 0) return from;
  switch (unit) {
    case assessment::DELAY_UNIT_MONTH:
      return MonthsAfter(from, count);
    case assessment::DELAY_UNIT_WORKING_DAY: {
      const auto due = DueOn({static_cast<int>(count), DayUnit::kWorkingDays, false}, from, {},
                             WorkingCalendar::Shipped());
      return due.ok() ? due->due_on : from;
    }
    default:
      return from + count;
  }
}

void ScoreLateness(const ClauseContext& context, ClauseOutcome& outcome) {
  const assessment::Lateness& form = context.clause.lateness();
  const DayRange period = context.unit.days();
  outcome.reading = Read(context.unit, form.measure());
  if (SettleUnread(context, outcome.reading, context.clause.when_empty(), context.line.max_e4(),
                   outcome)) {
    return;
  }
  for (Part& part : ThingsDue(context, outcome.reading)) {
    const CivilDay end = part.done.value_or(std::max(period.last, *part.due));
    const bool late =
        !part.done.has_value() || end > DayAfter(*part.due, form.grace(), form.late_unit());
    part.met = !late;
    if (late && !part.done.has_value() && form.has_not_done_e4()) {
      part.amount = form.not_done_e4();
    } else if (late) {
      // From the due day, or from the reminder where the rubric says so and one was given.
      const bool reminded = !form.reminder().empty();
      if (!reminded) {
        part.from = part.due;
      } else if (part.from.has_value()) {
        part.from = std::max(*part.from, *part.due);
      }
      if (part.from.has_value()) part.late = DelayBetween(*part.from, end, form);
      part.amount = Fraction(form.flat_e4()) + Fraction(part.late) * form.per_late_e4();
    }
    if (late) part.count = 1;
    outcome.raw += part.amount;
    outcome.met = outcome.met && part.met;
    outcome.parts.push_back(std::move(part));
  }
}

}  // namespace fadu::scoring
