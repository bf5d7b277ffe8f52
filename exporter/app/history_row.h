// The newest second of an ensemble's history, all series of all members together.
//
// Thread: any; pure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "exporter/view/history.h"

namespace wk::exporter {

struct HistoryRow {
  std::chrono::system_clock::time_point at;  ///< a whole second
  /// In the order of the configuration; each by MemberSeries. Absent = unknown.
  std::vector<std::array<std::optional<float>, kMemberSeriesCount>> members;
  std::array<std::optional<float>, kEnsembleSeriesCount> ensemble{};  ///< by EnsembleSeries
};

/// \param appended  when the newest row was added; earlier than that row only if the clock went back
/// \return          nothing while there is no row
std::optional<HistoryRow> latest_history_row(const History& history, std::size_t members,
                                             std::chrono::system_clock::time_point appended);

}  // namespace wk::exporter
