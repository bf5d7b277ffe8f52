// Which znodes are read, or written, most, by the second: counted for all operations while they are few, for
// a random sample while they are many.
//
// The time between two samples is drawn anew each time, so that no pattern of a client's can hide from it,
// and follows the load, so that at most about kSamplesASecond operations cost more than one subtraction.
// Rates are averages over the last half minute or so, newer seconds counting more (weight e^(-age /
// kMemory)). Pure: time and the seed are arguments. Thread: core.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/replica/frequent_paths.h"

namespace wk::replica {

class HotPaths {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::uint64_t kSamplesASecond = 4'000;
  static constexpr std::chrono::seconds kMemory{30};

  /// \param seed  any number, unknown to clients
  explicit HotPaths(std::uint64_t seed) : random_(seed | 1) {}

  /// One operation on a path.
  void record(std::string_view path) {
    if (--until_sample_ == 0) sample(path);
  }
  /// Expected at least every 100 ms.
  void tick(Time now);

  struct Hot {
    std::string path;
    double a_second = 0;
    double share = 0;  ///< of all operations recorded, 0 … 1
  };
  /// The hottest first.
  [[nodiscard]] std::vector<Hot> hottest(std::size_t limit, Time now) const;
  /// All operations recorded, by the second.
  [[nodiscard]] double a_second(Time now) const;
  /// Operations to one sample, on average.
  [[nodiscard]] std::uint64_t interval() const { return interval_; }

 private:
  void sample(std::string_view path);
  void draw();
  /// Seconds for which the weights in the sketch stand.
  [[nodiscard]] double covered(Time now) const;

  FrequentPaths paths_;
  std::uint64_t random_;
  std::uint64_t interval_ = 1;
  std::uint64_t until_sample_ = 1;
  std::uint64_t drawn_ = 1;       // until_sample_ when it was drawn
  std::uint64_t operations_ = 0;  // since the last tick, up to the last sample
  double covered_ = 0;            // at faded_
  Time ticked_{};
  Time faded_{};
};

}  // namespace wk::replica
