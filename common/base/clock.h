// common/base/clock.h
//
// The one clock, and the one time zone in which days begin and end.
#ifndef FADU_COMMON_BASE_CLOCK_H_
#define FADU_COMMON_BASE_CLOCK_H_

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace fadu {

// What time it is; the edge of the world, so tests can set it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

// The machine's clock.
const Clock& SystemClock();

// Asia/Shanghai: the legal time zone of every deadline. A fixed offset of eight hours, as the
// zone has had no other since 1991, so that no tz database is needed.
absl::TimeZone LegalTimeZone();

// The calendar day on which `at` falls in the legal time zone.
absl::CivilDay DayOf(absl::Time at);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_CLOCK_H_
