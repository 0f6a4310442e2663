#include "common/base/id.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "absl/status/status.h"

namespace fadu {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool IsDash(size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

class UuidV7Source : public IdSource {
 public:
  explicit UuidV7Source(const Clock& clock) : clock_(clock) {}

  Uuid NewId() override {
    const std::string random = RandomBytes(10);
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(random[i]); };
    int64_t millis = absl::ToUnixMillis(clock_.Now());
    int counter = 0;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (millis > millis_) {
        millis_ = millis;
        // Eleven random bits leave room to count up within the millisecond.
        counter_ = ((byte(0) << 8) | byte(1)) & 0x7ff;
      } else if (++counter_ > 0xfff) {
        // The millisecond is full, or the clock stepped back: run ahead of it.
        ++millis_;
        counter_ = 0;
      }
      millis = millis_;
      counter = counter_;
    }
    std::array<uint8_t, 16> bytes{};
    for (size_t i = 0; i < 6; ++i) bytes[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
    bytes[6] = static_cast<uint8_t>(0x70 | (counter >> 8));
    bytes[7] = static_cast<uint8_t>(counter & 0xff);
    bytes[8] = static_cast<uint8_t>(0x80 | (byte(2) & 0x3f));
    for (size_t i = 9; i < 16; ++i) bytes[i] = byte(i - 6);
    return Uuid(bytes);
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  int64_t millis_ = 0;
  int counter_ = 0;
};

}  // namespace

absl::StatusOr<Uuid> Uuid::Parse(absl::string_view text) {
  const auto invalid = [] { return absl::InvalidArgumentError("not a UUID"); };
  if (text.size() != 36) return invalid();
  std::array<uint8_t, 16> bytes{};
  size_t nibble = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsDash(i)) {
      if (text[i] != '-') return invalid();
      continue;
    }
    const int value = HexValue(text[i]);
    if (value < 0) return invalid();
    bytes[nibble / 2] = static_cast<uint8_t>((bytes[nibble / 2] << 4) | value);
    ++nibble;
  }
  return Uuid(bytes);
}

std::string Uuid::ToString() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kDigits[bytes_[i] >> 4]);
    text.push_back(kDigits[bytes_[i] & 0xf]);
  }
  return text;
}

std::unique_ptr<IdSource> NewUuidV7Source(const Clock& clock) {
  return std::make_unique<UuidV7Source>(clock);
}

namespace {

// Fills `out`, or ends the process: a generator that cannot be seeded leaves nothing safe to do.
void FillRandom(unsigned char* out, size_t size) {
  if (RAND_bytes(out, static_cast<int>(size)) != 1) std::abort();
}

// How often this process was forked off another. A child must not use what its parent has in store.
std::atomic<uint64_t>& Forks() {
  static std::atomic<uint64_t> forks{0};
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++Forks(); });
  (void)registered;
  return forks;
}

// Bytes that a thread has in store, as asking for a few costs as much as asking for many. What is
// handed out is wiped.
class Reserve {
 public:
  ~Reserve() { OPENSSL_cleanse(bytes_, sizeof bytes_); }
  void Take(unsigned char* out, size_t size) {
    const uint64_t forks = Forks().load(std::memory_order_relaxed);
    if (left_ < size || forks != forks_) {
      FillRandom(bytes_, sizeof bytes_);
      left_ = sizeof bytes_;
      forks_ = forks;
    }
    left_ -= size;
    std::memcpy(out, bytes_ + left_, size);
    OPENSSL_cleanse(bytes_ + left_, size);
  }

 private:
  unsigned char bytes_[512];
  size_t left_ = 0;
  uint64_t forks_ = 0;
};

}  // namespace

std::string RandomBytes(size_t size) {
  constexpr size_t kSmall = 64;
  std::string bytes(size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  if (size > kSmall) {
    FillRandom(out, size);
  } else {
    thread_local Reserve reserve;
    reserve.Take(out, size);
  }
  return bytes;
}

}  // namespace fadu
