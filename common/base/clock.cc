#include "common/base/clock.h"

#include "absl/time/clock.h"

namespace fadu {
namespace {

class RealClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

absl::TimeZone LegalTimeZone() { return absl::FixedTimeZone(8 * 60 * 60); }

absl::CivilDay DayOf(absl::Time at) { return absl::ToCivilDay(at, LegalTimeZone()); }

}  // namespace fadu
