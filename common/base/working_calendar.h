// common/base/working_calendar.h
//
// Working days of China as the State Council's yearly notices set them, and the one function
// from which every deadline of the law is computed.
#ifndef FADU_COMMON_BASE_WORKING_CALENDAR_H_
#define FADU_COMMON_BASE_WORKING_CALENDAR_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "common/base/civil_day.h"

namespace fadu {

// Which days are working days. Immutable; copy is a deep copy.
//
// Data: one line per rule, tab-separated, `#` starts a comment:
//   year <YYYY> <notice>           the year is covered by that notice
//   off  <YYYY-MM-DD> [<last>]     days off, a day or a range
//   work <YYYY-MM-DD>              a make-up working day (调休上班)
class WorkingCalendar {
 public:
  // INVALID_ARGUMENT with the line number in the message when the data does not parse, a day
  // stands in a year without a `year` line, or a day is both off and work.
  static absl::StatusOr<WorkingCalendar> Parse(absl::string_view data);

  // The calendar of 2024, 2025 and 2026 that ships with Fadu (domain: State Council notices
  // of 2023-10-25, 2024-11-12 and 2025-11-04).
  static const WorkingCalendar& Shipped();

  // True on Monday to Friday that are not off, and on make-up days. A year without a notice
  // falls back to weekends and the statutory holidays with fixed dates (1 January, 1 and
  // 2 May, 1 to 3 October).
  bool IsWorkingDay(absl::CivilDay day) const;

  // A notice covers the year of `day`.
  bool IsCovered(absl::CivilDay day) const;

  // Working days of one year: 251 in 2024, 248 in 2025 and 2026.
  int WorkingDaysIn(int year) const;

  // SHA-256 of the data in hex, first 16 characters: stored beside each due date.
  const std::string& version() const { return version_; }

 private:
  std::set<int> years_;
  std::map<absl::CivilDay, bool> exceptions_;  // true = working
  std::string version_;
};

enum class DayUnit { kWorkingDays, kCalendarDays };

// A period the law gives.
struct DeadlineRule {
  int amount = 0;  // days, 0 or more
  DayUnit unit = DayUnit::kWorkingDays;
  // A calendar-day period that ends on a rest day ends on the next working day (民事诉讼法
  // 第85条, 民法典第203条).
  bool roll_to_working_day = true;
};

struct Deadline {
  absl::CivilDay due_on;
  // A year that no notice covers was needed; recompute when its calendar is loaded.
  bool provisional = false;
  std::string calendar_version;
};

// The last day of `rule` started on `start_on`. The start day is not counted (民法典第201条);
// days inside `pauses` are not counted either, and a period never ends inside a pause.
// Pauses may overlap; days outside the running period are ignored.
//
// INVALID_ARGUMENT: amount below zero, or a pause that ends before it begins.
absl::StatusOr<Deadline> DueOn(const DeadlineRule& rule, absl::CivilDay start_on,
                               const std::vector<DayRange>& pauses,
                               const WorkingCalendar& calendar);

// The last day on which `rule` may have started so that it ended before `today`: started on it or
// earlier, and still open, it is missed. Without pauses. `rule` has no negative amount.
absl::CivilDay LastMissedStart(const DeadlineRule& rule, absl::CivilDay today,
                               const WorkingCalendar& calendar);

// Working days after `from` up to and including `to`; 0 when `to` is not after `from`.
int WorkingDaysBetween(absl::CivilDay from, absl::CivilDay to, const WorkingCalendar& calendar);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_WORKING_CALENDAR_H_
