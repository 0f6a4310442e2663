#include "services/gateway/domain/rate_limit.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fadu::gateway {

absl::Duration RateLimiter::Take(absl::string_view key, const RateRule& rule, absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= max_keys_) Forget(now);
    found = buckets_.emplace(std::string(key), Bucket{rule.calls, now, now}).first;
  }
  Bucket& bucket = found->second;
  const absl::Duration per_call = rule.period / rule.calls;
  if (now > bucket.at) {
    bucket.tokens =
        std::min(rule.calls, bucket.tokens + absl::FDivDuration(now - bucket.at, per_call));
    bucket.at = now;
  }
  if (bucket.tokens < 1) return per_call * (1 - bucket.tokens);
  bucket.tokens -= 1;
  bucket.full_at = bucket.at + per_call * (rule.calls - bucket.tokens);
  return absl::ZeroDuration();
}

// The full ones; with none, the half that will be full first.
void RateLimiter::Forget(absl::Time now) {
  std::erase_if(buckets_, [now](const auto& entry) { return entry.second.full_at <= now; });
  if (buckets_.size() < max_keys_) return;
  std::vector<absl::Time> times;
  times.reserve(buckets_.size());
  for (const auto& [key, bucket] : buckets_) times.push_back(bucket.full_at);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  std::erase_if(buckets_,
                [limit = *middle](const auto& entry) { return entry.second.full_at <= limit; });
}

size_t RateLimiter::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return buckets_.size();
}

}  // namespace fadu::gateway
