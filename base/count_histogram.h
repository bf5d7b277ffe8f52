// Histogram of counts and sizes over fixed bounds, as Prometheus' classic histograms want them.
//
// Thread: one owner; plain integers, no atomics. Copy it to publish it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace wk {

/// \tparam kUpperBounds  a constant std::array of rising integers: the inclusive upper bounds of the buckets;
/// a
///                       last bucket without bound follows.
template <const auto& kUpperBounds>
class CountHistogram {
 public:
  static constexpr const auto& kBounds = kUpperBounds;

  void record(std::uint64_t value) {
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), value);
    ++buckets_[static_cast<std::size_t>(bound - kBounds.begin())];
    ++count_;
    sum_ += value;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Sum of all recorded values.
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  /// Values in bucket `index` alone (not cumulative); index 0 … kBounds.size() (the unbounded one).
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const { return buckets_.at(index); }

 private:
  std::array<std::uint64_t, kUpperBounds.size() + 1> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
};

/// 1 … 100 000, three buckets a decade: how many of something come together.
inline constexpr std::array<std::uint64_t, 16> kCrowdBounds{
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 20'000, 50'000, 100'000};
using CrowdHistogram = CountHistogram<kCrowdBounds>;

}  // namespace wk
