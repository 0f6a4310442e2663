// common/base/civil_day.h
//
// Calendar days as text: YYYY-MM-DD, the only form that contracts and files use.
#ifndef FADU_COMMON_BASE_CIVIL_DAY_H_
#define FADU_COMMON_BASE_CIVIL_DAY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace fadu {

// Exactly YYYY-MM-DD, a day that exists, year 1900 to 2999. INVALID_ARGUMENT otherwise.
absl::StatusOr<absl::CivilDay> ParseDay(absl::string_view text);

// YYYY-MM-DD.
std::string FormatDay(absl::CivilDay day);

// First and last day, both included.
struct DayRange {
  absl::CivilDay first;
  absl::CivilDay last;
  bool Contains(absl::CivilDay day) const { return first <= day && day <= last; }
  friend bool operator==(const DayRange&, const DayRange&) = default;
};

// 1 January to 31 December.
DayRange YearRange(int year);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_CIVIL_DAY_H_
