// Histogram of durations over fixed bounds, as Prometheus' classic histograms want them.
//
// Thread: one owner; plain integers, no atomics. Copy it to publish it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wk {

/// \tparam kUpperBounds  a constant std::array of rising std::chrono durations: the inclusive upper bounds of
/// the
///                       buckets; a last bucket without bound follows.
template <const auto& kUpperBounds>
class DurationHistogram {
 public:
  static constexpr const auto& kBounds = kUpperBounds;

  /// Adds `times` observations of one duration; negative ones count as zero.
  void record(std::chrono::nanoseconds duration, std::uint64_t times = 1) {
    duration = std::max(duration, std::chrono::nanoseconds{0});
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), duration);
    buckets_[static_cast<std::size_t>(bound - kBounds.begin())] += times;
    count_ += times;
    sum_ += duration * static_cast<std::int64_t>(times);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Sum of all recorded durations.
  [[nodiscard]] std::chrono::nanoseconds sum() const { return sum_; }
  /// Durations in bucket `index` alone (not cumulative); index 0 … kBounds.size() (the unbounded one).
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const { return buckets_.at(index); }

 private:
  std::array<std::uint64_t, kUpperBounds.size() + 1> buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds sum_{0};
};

/// 50 µs … 10 s, three buckets a decade: what a client operation takes.
inline constexpr std::array<std::chrono::microseconds, 17> kLatencyBounds{
    std::chrono::microseconds{50},        std::chrono::microseconds{100},
    std::chrono::microseconds{250},       std::chrono::microseconds{500},
    std::chrono::microseconds{1'000},     std::chrono::microseconds{2'500},
    std::chrono::microseconds{5'000},     std::chrono::microseconds{10'000},
    std::chrono::microseconds{25'000},    std::chrono::microseconds{50'000},
    std::chrono::microseconds{100'000},   std::chrono::microseconds{250'000},
    std::chrono::microseconds{500'000},   std::chrono::microseconds{1'000'000},
    std::chrono::microseconds{2'500'000}, std::chrono::microseconds{5'000'000},
    std::chrono::microseconds{10'000'000}};
using LatencyHistogram = DurationHistogram<kLatencyBounds>;

/// 5 µs … 10 s, three buckets a decade: what a server does for a client, where a read takes microseconds.
inline constexpr std::array<std::chrono::microseconds, 20> kServiceBounds{
    std::chrono::microseconds{5},         std::chrono::microseconds{10},
    std::chrono::microseconds{25},        std::chrono::microseconds{50},
    std::chrono::microseconds{100},       std::chrono::microseconds{250},
    std::chrono::microseconds{500},       std::chrono::microseconds{1'000},
    std::chrono::microseconds{2'500},     std::chrono::microseconds{5'000},
    std::chrono::microseconds{10'000},    std::chrono::microseconds{25'000},
    std::chrono::microseconds{50'000},    std::chrono::microseconds{100'000},
    std::chrono::microseconds{250'000},   std::chrono::microseconds{500'000},
    std::chrono::microseconds{1'000'000}, std::chrono::microseconds{2'500'000},
    std::chrono::microseconds{5'000'000}, std::chrono::microseconds{10'000'000}};
using ServiceHistogram = DurationHistogram<kServiceBounds>;

/// 100 ms … 10 min: how long an ensemble is without a leader.
inline constexpr std::array<std::chrono::milliseconds, 11> kElectionBounds{
    std::chrono::milliseconds{100},     std::chrono::milliseconds{250},    std::chrono::milliseconds{500},
    std::chrono::milliseconds{1'000},   std::chrono::milliseconds{2'500},  std::chrono::milliseconds{5'000},
    std::chrono::milliseconds{10'000},  std::chrono::milliseconds{30'000}, std::chrono::milliseconds{60'000},
    std::chrono::milliseconds{300'000}, std::chrono::milliseconds{600'000}};
using ElectionHistogram = DurationHistogram<kElectionBounds>;

}  // namespace wk
