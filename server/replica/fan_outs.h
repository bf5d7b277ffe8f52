// The changes that notified most watchers within the last hour: herds, with the path that called them.
//
// One entry a path and type of event. Changes with less than kLeast watchers cost one comparison. Pure.
// Thread: core.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "jute/codes.h"
#include "jute/utf8.h"

namespace wk::replica {

class FanOuts {
 public:
  static constexpr std::size_t kCapacity = 20;
  static constexpr std::size_t kLeast = 2;
  static constexpr std::chrono::minutes kKept{60};
  /// Longer paths are kept by their beginning.
  static constexpr std::size_t kMaxPathBytes = 512;

  struct Entry {
    std::string path;
    jute::EventType type{};
    std::size_t watchers = 0;  ///< of the largest
    Moment at{};               ///< of the largest
    std::uint64_t times = 0;   ///< changes that notified kLeast watchers or more
  };

  void record(std::string_view path, jute::EventType type, std::size_t watchers, const Moment& now) {
    if (watchers >= kLeast) keep(jute::cut(path, kMaxPathBytes), type, watchers, now);
  }
  /// Of the last hour, most watchers first.
  [[nodiscard]] std::vector<Entry> largest(const Moment& now) const;

 private:
  void keep(std::string_view path, jute::EventType type, std::size_t watchers, const Moment& now);

  std::vector<Entry> entries_;
};

}  // namespace wk::replica
