// How a quantity is distributed: count, sum, least, most, and quantiles from a log-linear histogram.
//
// Count, sum, least and most are exact; a quantile is off by at most 1/16 of its value. Made for durations in
// nanoseconds (up to 18 minutes, longer ones fall into the last bucket) and for sizes and lengths.
// Thread: one owner; plain integers, no atomics, fixed size (about 5 KB). Copy it to publish it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wk::replica {

class Distribution {
 public:
  /// Adds `times` observations of the same value.
  void record(std::uint64_t value, std::uint64_t times = 1) {
    if (times == 0) return;
    least_ = count_ == 0 ? value : std::min(least_, value);
    most_ = std::max(most_, value);
    count_ += times;
    sum_ += value * times;
    buckets_[bucket_of(value)] += times;
  }
  /// Adds durations in nanoseconds; negative ones (clocks of two hosts) count as zero.
  void record(std::chrono::nanoseconds duration, std::uint64_t times = 1) {
    record(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)), times);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  /// 0 without observations, as Apache prints it.
  [[nodiscard]] std::uint64_t least() const { return least_; }
  [[nodiscard]] std::uint64_t most() const { return most_; }
  /// 0 without observations.
  [[nodiscard]] double mean() const {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  /// The value below or at which the fraction `q` (0 … 1) of all observations lies; 0 without observations.
  [[nodiscard]] std::uint64_t quantile(double q) const {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_ - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += buckets_[i];
      if (seen >= wanted) return std::clamp(upper_bound(i), least_, most_);
    }
    return most_;
  }

 private:
  static constexpr unsigned kSubBits = 4;
  static constexpr std::uint64_t kSubBuckets = std::uint64_t{1} << kSubBits;
  static constexpr unsigned kMaxBits = 40;
  static constexpr std::size_t kBuckets = (kMaxBits - kSubBits + 1) * kSubBuckets;

  // Values below 16 have a bucket each; from there each power of two is cut into 16 equal buckets.
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < kSubBuckets) return static_cast<std::size_t>(value);
    const unsigned bits = static_cast<unsigned>(std::bit_width(value));
    if (bits > kMaxBits) return kBuckets - 1;
    const unsigned shift = bits - kSubBits - 1;
    return static_cast<std::size_t>((shift + 1) * kSubBuckets + ((value >> shift) - kSubBuckets));
  }
  static std::uint64_t upper_bound(std::size_t bucket) {
    if (bucket < kSubBuckets) return bucket;
    const std::size_t shift = bucket / kSubBuckets - 1;
    return ((kSubBuckets + bucket % kSubBuckets + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t least_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace wk::replica
