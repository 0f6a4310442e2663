// common/base/id.h
//
// UUIDs, and where new ones come from.
#ifndef FADU_COMMON_BASE_ID_H_
#define FADU_COMMON_BASE_ID_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"

namespace fadu {

// 16 bytes, compared bytewise, so that UUIDv7 sort by time.
class Uuid {
 public:
  Uuid() = default;
  explicit Uuid(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}

  // The canonical lower-case text form only. INVALID_ARGUMENT otherwise (no reason: the caller
  // knows which field it was).
  static absl::StatusOr<Uuid> Parse(absl::string_view text);

  std::string ToString() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  absl::string_view view() const {
    return absl::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  }
  bool IsNil() const { return *this == Uuid(); }

  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Uuid& id) {
    return H::combine(std::move(h), id.bytes_);
  }

 private:
  std::array<uint8_t, 16> bytes_{};
};

// Where new ids come from; the edge of the world, so tests can count instead.
class IdSource {
 public:
  virtual ~IdSource() = default;
  // A new id, never given before. Thread-safe.
  virtual Uuid NewId() = 0;
};

// UUIDv7 (RFC 9562): milliseconds of `clock`, a 12-bit counter that keeps ids of one
// process increasing even when the clock stands or steps back, 62 random bits.
// `clock` must outlive it.
std::unique_ptr<IdSource> NewUuidV7Source(const Clock& clock);

// `size` unpredictable bytes, from a generator that the operating system seeds. Thread-safe; a forked
// process gets others than its parent.
std::string RandomBytes(size_t size);

}  // namespace fadu

#endif  // FADU_COMMON_BASE_ID_H_
