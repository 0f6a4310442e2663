#include "common/base/civil_day.h"

#include "absl/strings/str_format.h"

namespace fadu {

absl::StatusOr<absl::CivilDay> ParseDay(absl::string_view text) {
  const auto invalid = [] {
    return absl::InvalidArgumentError("not a day of the form YYYY-MM-DD");
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return invalid();
  int numbers[3] = {0, 0, 0};
  int part = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 4 || i == 7) {
      ++part;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return invalid();
    numbers[part] = numbers[part] * 10 + (text[i] - '0');
  }
  const absl::CivilDay day(numbers[0], numbers[1], numbers[2]);
  // CivilDay normalises 30 February to 1 March; a day that exists stays as it is.
  if (numbers[0] < 1900 || numbers[0] > 2999 || day.month() != numbers[1] ||
      day.day() != numbers[2]) {
    return invalid();
  }
  return day;
}

std::string FormatDay(absl::CivilDay day) {
  return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
}

DayRange YearRange(int year) {
  return DayRange{absl::CivilDay(year, 1, 1), absl::CivilDay(year, 12, 31)};
}

}  // namespace fadu
