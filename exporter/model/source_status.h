// What became of the questions to one member so far, by probe: only of those that were asked, since a member
// answers on four or five of the surfaces that exist, and every snapshot holds this for every member.
//
// Thread: one owner; plain values.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "exporter/model/facts.h"

namespace wk::exporter {

/// How one probe of one member fares.
struct SourceStatus {
  SourceState state = SourceState::kNotTried;
  std::string detail;  ///< of the newest failure; printable
  std::optional<Moment> last_tried, last_ok;
  std::array<std::uint32_t, kSourceStateCount> results{};  ///< polls by outcome; 2^32 take a century
  std::chrono::nanoseconds duration{0};                    ///< of all polls together, failed ones included

  /// Polls so far, whatever their outcome.
  [[nodiscard]] std::uint64_t polls() const {
    return std::accumulate(results.begin(), results.end(), std::uint64_t{0});
  }
};

class SourceStatuses {
 public:
  struct Entry {
    Probe probe;
    SourceStatus status;
  };

  /// The status of a probe; that of one never tried when it was not asked yet.
  const SourceStatus& operator[](Probe probe) const {
    static const SourceStatus kNever;
    const auto found = std::ranges::lower_bound(entries_, probe, {}, &Entry::probe);
    return found != entries_.end() && found->probe == probe ? found->status : kNever;
  }
  /// The same, to be written.
  SourceStatus& of(Probe probe) {
    auto found = std::ranges::lower_bound(entries_, probe, {}, &Entry::probe);
    if (found == entries_.end() || found->probe != probe) found = entries_.insert(found, Entry{probe, {}});
    return found->status;
  }

  /// Those that were asked, in the order of Probe.
  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }
  /// The same, to be written.
  [[nodiscard]] auto begin() { return entries_.begin(); }
  [[nodiscard]] auto end() { return entries_.end(); }

 private:
  std::vector<Entry> entries_;
};

}  // namespace wk::exporter
