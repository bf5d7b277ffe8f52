// The recent past of every member and ensemble, for charts: one point a second for an hour, one each ten
// seconds for three hours, one a minute for a day. Memory is bounded and grows only as points arrive.
//
// Coarser points are means of the finer ones; a second in which a value was unknown has no value (NaN inside,
// null in JSON), and a mean counts only the known ones, so that a gap stays a gap. Thread: one writer and any
// readers, guarded by the owner (exporter/app/watcher.h).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "exporter/model/view.h"

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

enum class EnsembleSeries : std::uint8_t {
  kQuorumMargin,
  kServing,          ///< 0 or 1
  kCanaryOkRatio,    ///< rounds served ÷ rounds of the interval
  kWritesPerSecond,  ///< zxid counter, rate
};
inline constexpr std::size_t kEnsembleSeriesCount = 4;
const char* name(EnsembleSeries series);

/// One resolution of one set of series: a ring of rows.
struct Resolution {
  std::chrono::seconds step;
  std::size_t rows;
};
inline constexpr std::array<Resolution, 3> kResolutions{Resolution{std::chrono::seconds{1}, 3600},
                                                        Resolution{std::chrono::seconds{10}, 1080},
                                                        Resolution{std::chrono::seconds{60}, 1440}};

/// Points of one series, oldest first, `step` apart; nullopt where nothing was known.
struct SeriesPoints {
  std::chrono::system_clock::time_point first;  ///< of points[0]; aligned to `step`
  std::chrono::seconds step{1};
  std::vector<std::optional<float>> points;
};

/// Ring of rows with `width` floats each, at all resolutions.
class SeriesRing {
 public:
  explicit SeriesRing(std::size_t width);

  /// Adds one row of `width` values (NaN = unknown) for the second of `at`. Rows of seconds that were left
  /// out are unknown; a second row for the same second replaces the first; a clock that went back adds
  /// nothing.
  void append(std::chrono::system_clock::time_point at, const std::vector<float>& row);

  /// Points of column `column` from `since` to the newest at the resolution with exactly this step.
  [[nodiscard]] SeriesPoints query(std::size_t column, std::chrono::seconds step,
                                   std::chrono::system_clock::time_point since) const;

  /// Bytes held now.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Ring {
    Resolution resolution;
    std::vector<float> cells;      ///< rows × width, a circle; grows until full
    std::size_t next = 0;          ///< row to write next
    std::int64_t newest_slot = 0;  ///< wall time ÷ step of the newest row
    std::vector<double> sums;      ///< of the slot being collected, a column each (coarser rings)
    std::vector<std::uint32_t> counts;
    std::int64_t collecting_slot = 0;
  };
  void push(Ring& ring, std::int64_t slot, const float* row);
  [[nodiscard]] std::size_t rows(const Ring& ring) const { return ring.cells.size() / width_; }

  std::size_t width_;
  std::array<Ring, kResolutions.size()> rings_;
};

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
  std::vector<float> member_row(const MemberView& view, Previous& previous) const;

  std::vector<SeriesRing> members_;
  std::vector<Previous> previous_;
  SeriesRing ensemble_;
  std::uint64_t rounds_ok_ = 0, rounds_failed_ = 0;
  std::optional<Zxid> zxid_;
  std::optional<Moment> zxid_at_;
};

}  // namespace wk::exporter
