#include "exporter/app/history_row.h"

namespace wk::exporter {
namespace {

constexpr std::chrono::seconds kStep{1};

template <std::size_t kCount>
void read_row(const SeriesRing& ring, std::chrono::system_clock::time_point at,
              std::array<std::optional<float>, kCount>& out) {
  for (std::size_t column = 0; column < kCount; ++column) {
    const SeriesPoints found = ring.query(column, kStep, at);
    if (!found.points.empty() && found.first == at) out[column] = found.points.front();
  }
}

}  // namespace

std::optional<HistoryRow> latest_history_row(const History& history, std::size_t members,
                                             std::chrono::system_clock::time_point appended) {
  const SeriesPoints newest = history.ensemble().query(0, kStep, appended);
  if (newest.points.empty()) return std::nullopt;
  HistoryRow row;
  row.at = newest.first + kStep * (newest.points.size() - 1);
  row.members.resize(members);
  for (std::size_t index = 0; index < members; ++index)
    read_row(history.member(index), row.at, row.members[index]);
  read_row(history.ensemble(), row.at, row.ensemble);
  return row;
}

}  // namespace wk::exporter
