#include "common/base/working_calendar.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/base/working_calendar_data.h"

namespace fadu {
namespace {

bool IsWeekend(absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
}

// Statutory holidays whose dates need no table (全国年节及纪念日放假办法, since 2025-01-01).
bool IsFixedHoliday(absl::CivilDay day) {
  const int month_day = day.month() * 100 + day.day();
  return month_day == 101 || month_day == 501 || month_day == 502 ||
         (month_day >= 1001 && month_day <= 1003);
}

}  // namespace

absl::StatusOr<WorkingCalendar> WorkingCalendar::Parse(absl::string_view data) {
  WorkingCalendar calendar;
  int number = 0;
  // The first line on which each year was used: a year line may follow its days.
  std::map<int, int> used;
  const auto invalid_at = [](int line, absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("calendar, line ", line, ": ", why));
  };
  for (const absl::string_view text : absl::StrSplit(data, '\n')) {
    ++number;
    const auto invalid = [&](absl::string_view why) { return invalid_at(number, why); };
    const absl::string_view line =
        absl::StripTrailingAsciiWhitespace(text.substr(0, text.find('#')));
    if (line.empty()) continue;
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells[0] == "year") {
      int year = 0;
      if (cells.size() != 3 || !absl::SimpleAtoi(cells[1], &year)) {
        return invalid("year needs a number and a notice");
      }
      calendar.years_.insert(year);
      continue;
    }
    const bool working = cells[0] == "work";
    if (!working && cells[0] != "off") return invalid("a line is year, off or work");
    if (cells.size() < 2 || cells.size() > (working ? 2U : 3U)) {
      return invalid("wrong number of cells");
    }
    const absl::StatusOr<absl::CivilDay> first = ParseDay(cells[1]);
    const absl::StatusOr<absl::CivilDay> last = ParseDay(cells.back());
    if (!first.ok() || !last.ok() || *last < *first) return invalid("not a day, or not a range");
    for (absl::CivilDay day = *first; day <= *last; ++day) {
      used.emplace(static_cast<int>(day.year()), number);
      const auto [entry, inserted] = calendar.exceptions_.emplace(day, working);
      if (!inserted && entry->second != working) return invalid("a day is both off and work");
    }
  }
  for (const auto& [year, line] : used) {
    if (calendar.years_.count(year) == 0) {
      return invalid_at(line, "a day of a year without a year line");
    }
  }
  calendar.version_ = Hex(Sha256(data)).substr(0, 16);
  return calendar;
}

const WorkingCalendar& WorkingCalendar::Shipped() {
  static const WorkingCalendar* const calendar = [] {
    absl::StatusOr<WorkingCalendar> parsed = Parse(kWorkingCalendarData);
    if (!parsed.ok()) (void)FADU_BUG(parsed.status().message());
    return new WorkingCalendar(parsed.ok() ? *std::move(parsed) : WorkingCalendar());
  }();
  return *calendar;
}

bool WorkingCalendar::IsWorkingDay(absl::CivilDay day) const {
  const auto exception = exceptions_.find(day);
  if (exception != exceptions_.end()) return exception->second;
  if (!IsCovered(day) && IsFixedHoliday(day)) return false;
  return !IsWeekend(day);
}

bool WorkingCalendar::IsCovered(absl::CivilDay day) const {
  return years_.count(static_cast<int>(day.year())) > 0;
}

int WorkingCalendar::WorkingDaysIn(int year) const {
  int days = 0;
  const DayRange range = YearRange(year);
  for (absl::CivilDay day = range.first; day <= range.last; ++day) {
    days += IsWorkingDay(day) ? 1 : 0;
  }
  return days;
}

absl::StatusOr<Deadline> DueOn(const DeadlineRule& rule, absl::CivilDay start_on,
                               const std::vector<DayRange>& pauses,
                               const WorkingCalendar& calendar) {
  if (rule.amount < 0) return absl::InvalidArgumentError("a period is not below zero days");
  for (const DayRange& pause : pauses) {
    if (pause.last < pause.first) {
      return absl::InvalidArgumentError("a pause does not end before it begins");
    }
  }
  Deadline deadline;
  deadline.calendar_version = calendar.version();
  const bool working = rule.unit == DayUnit::kWorkingDays;
  const auto paused = [&](absl::CivilDay day) {
    return std::any_of(pauses.begin(), pauses.end(),
                       [&](const DayRange& pause) { return pause.Contains(day); });
  };
  // Whether a day is one of rest matters for working days always, for calendar days only where the
  // period may roll.
  const auto is_working = [&](absl::CivilDay day) {
    if (!calendar.IsCovered(day)) deadline.provisional = true;
    return calendar.IsWorkingDay(day);
  };
  absl::CivilDay day = start_on;
  for (int left = rule.amount; left > 0;) {
    ++day;
    if (!paused(day) && (!working || is_working(day))) --left;
  }
  if (!working && rule.roll_to_working_day) {
    while (!is_working(day) || paused(day)) ++day;
  }
  while (paused(day)) ++day;
  deadline.due_on = day;
  return deadline;
}

absl::CivilDay LastMissedStart(const DeadlineRule& rule, absl::CivilDay today,
                               const WorkingCalendar& calendar) {
  absl::CivilDay start = today - 1;
  while (true) {
    const absl::StatusOr<Deadline> deadline = DueOn(rule, start, {}, calendar);
    if (!deadline.ok() || deadline->due_on < today) return start;
    --start;
  }
}

int WorkingDaysBetween(absl::CivilDay from, absl::CivilDay to, const WorkingCalendar& calendar) {
  int days = 0;
  for (absl::CivilDay day = from + 1; day <= to; ++day) days += calendar.IsWorkingDay(day) ? 1 : 0;
  return days;
}

}  // namespace fadu
