// common/testing/fake_clock.h
//
// Time and ids that a test decides: the two edges of the world.
#ifndef FADU_COMMON_TESTING_FAKE_CLOCK_H_
#define FADU_COMMON_TESTING_FAKE_CLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/id.h"

namespace fadu {

// A clock that stands still until it is told. Thread-safe.
class FakeClock : public Clock {
 public:
  // Starts at 2026-11-24 13:00:00 in the legal time zone.
  FakeClock() : FakeClock(absl::FromCivil(absl::CivilHour(2026, 11, 24, 13), LegalTimeZone())) {}
  explicit FakeClock(absl::Time now) : now_(now) {}

  absl::Time Now() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return now_;
  }

  // May step back.
  void Set(absl::Time now) {
    std::lock_guard<std::mutex> lock(mutex_);
    now_ = now;
  }

  // `by` may be negative.
  void Advance(absl::Duration by) {
    std::lock_guard<std::mutex> lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  absl::Time now_;
};

// Ids 00000000-0000-7000-8000-000000000001, …2, …3: the count in hex. Thread-safe.
class CountingIds : public IdSource {
 public:
  Uuid NewId() override {
    std::lock_guard<std::mutex> lock(mutex_);
    return Nth(++count_);
  }

  // The id that the `n`th call of NewId gives; `n` from 1, below 2^48.
  static Uuid Nth(uint64_t n) {
    std::array<uint8_t, 16> bytes{};
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    for (size_t i = 0; i < 6; ++i) bytes[15 - i] = static_cast<uint8_t>(n >> (8 * i));
    return Uuid(bytes);
  }

 private:
  std::mutex mutex_;
  uint64_t count_ = 0;
};

}  // namespace fadu

#endif  // FADU_COMMON_TESTING_FAKE_CLOCK_H_
