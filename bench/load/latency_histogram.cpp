#include "bench/load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace wk::bench {

std::size_t LatencyHistogram::bucket_of(std::uint64_t nanoseconds) {
  if (nanoseconds < kSteps) return static_cast<std::size_t>(nanoseconds);
  const auto power = static_cast<std::size_t>(std::bit_width(nanoseconds)) - 1 - kStepBits;
  if (power >= kPowers) return kSteps * (kPowers + 1) - 1;
  return kSteps * (power + 1) + static_cast<std::size_t>(nanoseconds >> power) - kSteps;
}

std::uint64_t LatencyHistogram::upper_bound(std::size_t bucket) {
  if (bucket < kSteps) return bucket;
  const std::size_t power = bucket / kSteps - 1;
  return ((bucket % kSteps + kSteps + 1) << power) - 1;
}

void LatencyHistogram::record(std::chrono::nanoseconds latency) {
  latency = std::max(latency, std::chrono::nanoseconds{0});
  ++buckets_[bucket_of(static_cast<std::uint64_t>(latency.count()))];
  ++count_;
  sum_ += latency;
  max_ = std::max(max_, latency);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds LatencyHistogram::mean() const {
  return count_ == 0 ? std::chrono::nanoseconds{0} : sum_ / static_cast<std::int64_t>(count_);
}

std::chrono::nanoseconds LatencyHistogram::quantile(double share) const {
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) {
      return std::min(max_, std::chrono::nanoseconds{static_cast<std::int64_t>(upper_bound(bucket))});
    }
  }
  return max_;
}

}  // namespace wk::bench
