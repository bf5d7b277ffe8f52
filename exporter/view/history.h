// The recent past of every member and ensemble, for charts: which numbers are kept, and how they are taken
// from successive views. How long and how finely: series_ring.h.
//
// Thread: one writer and any readers, guarded by the owner (exporter/app/chronicle.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "exporter/model/view.h"
#include "exporter/view/series_ring.h"

namespace wk::exporter {

/// What is kept of each member; name() is the JSON field and names the unit.
enum class MemberSeries : std::uint8_t {
  kLatencyAverageMs,  ///< mean request latency over the last interval (from sums), else the server's lifetime
                      ///< mean
  kCanaryLatencyMs,   ///< mean of the canary's successful reads and syncs of the last interval
  kRequestsPerSecond,  ///< packets received, rate
  kOutstanding,
  kConnections,
  kSessions,
  kZnodes,
  kWatches,
  kFsyncMs,  ///< mean over the last interval
  kLagTransactions,
  kDataSizeBytes,
  kState,  ///< ServingState as a number
};
inline constexpr std::size_t kMemberSeriesCount = 12;
const char* name(MemberSeries series);
/// States, times, queues and lag are folded into their worst, so that one bad second of a minute is seen.
Fold fold(MemberSeries series);

enum class EnsembleSeries : std::uint8_t {
  kQuorumMargin,
  kServing,          ///< 0 or 1
  kCanaryOkRatio,    ///< rounds served ÷ rounds of the interval
  kWritesPerSecond,  ///< zxid counter, rate
};
inline constexpr std::size_t kEnsembleSeriesCount = 4;
const char* name(EnsembleSeries series);
Fold fold(EnsembleSeries series);

/// Turns successive views of one ensemble into rows (rates need the view before).
class History {
 public:
  explicit History(std::size_t members);

  /// Adds the rows of `view` at `now`; call once a second.
  void append(const EnsembleView& view, Moment now);

  [[nodiscard]] const SeriesRing& member(std::size_t index) const { return members_.at(index); }
  [[nodiscard]] const SeriesRing& ensemble() const { return ensemble_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Previous {
    std::optional<Moment> at;
    std::optional<double> packets, request_sum, request_count, fsync_sum, fsync_count;
    std::chrono::nanoseconds canary_sum{0};
    std::uint64_t canary_count = 0;
  };
  std::vector<float> member_row(const MemberView& view, Previous& previous, Moment now) const;

  std::vector<SeriesRing> members_;
  std::vector<Previous> previous_;
  SeriesRing ensemble_;
  std::uint64_t rounds_ok_ = 0, rounds_failed_ = 0;
  std::optional<Zxid> zxid_;
  std::optional<Moment> zxid_at_;
};

}  // namespace wk::exporter
