// Histogram of latencies from a nanosecond to minutes, each within one percent, in a few kilobytes.
//
// Buckets are log-linear: every power of two is cut into kSteps equal parts. Thread: one owner; merge() to
// join those of several threads.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wk::bench {

class LatencyHistogram {
 public:
  /// Adds one latency; negative ones count as zero.
  void record(std::chrono::nanoseconds latency);
  void merge(const LatencyHistogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Zero when nothing was recorded, as in the two below.
  [[nodiscard]] std::chrono::nanoseconds mean() const;
  [[nodiscard]] std::chrono::nanoseconds max() const { return max_; }
  /// The latency that `share` (0 … 1) of all recorded ones do not pass; never above max().
  [[nodiscard]] std::chrono::nanoseconds quantile(double share) const;

 private:
  static constexpr std::size_t kStepBits = 7;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  static constexpr std::size_t kPowers = 40;  // 2^47 ns are 39 hours

  static std::size_t bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t upper_bound(std::size_t bucket);

  std::array<std::uint64_t, kSteps*(kPowers + 1)> buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds sum_{0};
  std::chrono::nanoseconds max_{0};
};

}  // namespace wk::bench
