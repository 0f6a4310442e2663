// services/gateway/domain/rate_limit.h
//
// How often one caller may call one method: a token bucket for each pair, bounded in number.
#ifndef FADU_SERVICES_GATEWAY_DOMAIN_RATE_LIMIT_H_
#define FADU_SERVICES_GATEWAY_DOMAIN_RATE_LIMIT_H_

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fadu::gateway {

// So many at once, and as many again within `period`, evenly.
struct RateRule {
  double calls = 20;
  absl::Duration period = absl::Seconds(1);
};

// Thread-safe.
class RateLimiter {
 public:
  // Remembers at most `max_keys` callers and methods; the fullest buckets are forgotten first, as a
  // full bucket and none at all allow the same.
  explicit RateLimiter(size_t max_keys = 100000) : max_keys_(max_keys) {}

  // Takes one call of `key` at `now`. Zero when it may go ahead, else how long to wait for the
  // next. A clock that steps back gives nothing.
  absl::Duration Take(absl::string_view key, const RateRule& rule, absl::Time now);

  size_t size() const;

 private:
  struct Bucket {
    double tokens;
    absl::Time at;
    absl::Time full_at;
  };
  void Forget(absl::Time now);

  const size_t max_keys_;
  mutable std::mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_DOMAIN_RATE_LIMIT_H_
