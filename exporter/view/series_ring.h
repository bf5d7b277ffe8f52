// Rows of numbers, one a second, at three resolutions: one point a second for an hour, one each ten seconds
// for three hours, one a minute for a day. Memory is bounded and grows only as points arrive.
//
// A coarser point is the mean of its seconds, or, where a mean would hide or invent what happened (a state, a
// queue), the worst of them. A second in which a value was unknown has no value (NaN inside, null in JSON),
// and only known ones count, so that a gap stays a gap. Points behind the newest 60 of their resolution keep
// three significant digits (packed_rows.h). Thread: one writer and any readers, guarded by the owner.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "exporter/view/packed_rows.h"

namespace wk::exporter {

/// One resolution of one set of series: a ring of rows.
struct Resolution {
  std::chrono::seconds step;
  std::size_t rows;
};
inline constexpr std::array<Resolution, 3> kResolutions{Resolution{std::chrono::seconds{1}, 3600},
                                                        Resolution{std::chrono::seconds{10}, 1080},
                                                        Resolution{std::chrono::seconds{60}, 1440}};

/// What one point of a coarser step tells of its seconds.
enum class Fold : std::uint8_t { kMean, kLargest, kSmallest };

/// Points of one series, oldest first, `step` apart; nullopt where nothing was known.
struct SeriesPoints {
  std::chrono::system_clock::time_point first;  ///< of points[0]; aligned to `step`
  std::chrono::seconds step{1};
  std::vector<std::optional<float>> points;
};

/// Ring of rows of floats, one a column, at all resolutions.
class SeriesRing {
 public:
  static constexpr std::chrono::seconds kStepBackMax{60};

  /// \param columns  how each is folded into coarser points; at least one
  explicit SeriesRing(std::vector<Fold> columns);

  /// Adds one row, a value a column (NaN = unknown), for the second of `at`. Rows of seconds that were left
  /// out are unknown; a second row for the same second replaces the first. A clock that went back adds
  /// nothing until it is where it was; past kStepBackMax everything begins anew, since what is held lies in
  /// the future then and nothing would be added for as long as the step.
  void append(std::chrono::system_clock::time_point at, const std::vector<float>& row);

  /// Points of column `column` from `since` to the newest at the resolution with exactly this step.
  [[nodiscard]] SeriesPoints query(std::size_t column, std::chrono::seconds step,
                                   std::chrono::system_clock::time_point since) const;

  /// Bytes held now.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Ring {
    Ring(const Resolution& of, std::size_t width)
        : resolution(of), rows(width, of.rows), folded(width), counts(width) {}

    Resolution resolution;
    PackedRows rows;
    std::int64_t newest_slot = 0;  ///< wall time ÷ step of the newest row
    std::vector<double>
        folded;  ///< sum or extreme of the slot being collected, a column each (coarser rings)
    std::vector<std::uint32_t> counts;
    std::int64_t collecting_slot = 0;
  };
  void begin_anew();
  void push(Ring& ring, std::int64_t slot, const float* row);
  float fold(Ring& ring, std::size_t column, float value) const;

  std::vector<Fold> columns_;
  std::vector<Ring> rings_;  ///< as kResolutions
};

}  // namespace wk::exporter
