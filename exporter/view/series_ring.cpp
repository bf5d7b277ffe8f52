#include "exporter/view/series_ring.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"

namespace wk::exporter {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

std::int64_t slot_of(std::chrono::system_clock::time_point at, std::chrono::seconds step) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch() / step;
}

}  // namespace

SeriesRing::SeriesRing(std::vector<Fold> columns) : columns_(std::move(columns)) { begin_anew(); }

void SeriesRing::begin_anew() {
  rings_.clear();
  rings_.reserve(kResolutions.size());
  for (const Resolution& resolution : kResolutions) rings_.emplace_back(resolution, columns_.size());
}

void SeriesRing::push(Ring& ring, std::int64_t slot, const float* row) {
  if (!ring.rows.empty()) {
    if (slot < ring.newest_slot) return;
    if (slot == ring.newest_slot) {
      ring.rows.replace_newest(row);
      return;
    }
    const std::vector<float> unknown(columns_.size(), kUnknown);
    const std::int64_t gap =
        std::min(slot - ring.newest_slot - 1, static_cast<std::int64_t>(ring.resolution.rows));
    for (std::int64_t i = 0; i < gap; ++i) ring.rows.push(unknown.data());
  }
  ring.rows.push(row);
  ring.newest_slot = slot;
}

/// Adds `value` to what the slot has collected, and tells what it comes to.
float SeriesRing::fold(Ring& ring, std::size_t column, float value) const {
  double& folded = ring.folded[column];
  std::uint32_t& count = ring.counts[column];
  const bool mean = columns_[column] == Fold::kMean;
  if (!std::isnan(value)) {
    if (count == 0)
      folded = value;
    else if (mean)
      folded += value;
    else
      folded = columns_[column] == Fold::kLargest ? std::max<double>(folded, value)
                                                  : std::min<double>(folded, value);
    ++count;
  }
  if (count == 0) return kUnknown;
  return static_cast<float>(mean ? folded / count : folded);
}

void SeriesRing::append(std::chrono::system_clock::time_point at, const std::vector<float>& row) {
  WK_CHECK(row.size() == columns_.size(), "row of another width");
  const Ring& finest = rings_.front();
  if (!finest.rows.empty() &&
      slot_of(at, finest.resolution.step) < finest.newest_slot - kStepBackMax / finest.resolution.step)
    begin_anew();
  push(rings_[0], slot_of(at, rings_[0].resolution.step), row.data());
  std::vector<float> folded(columns_.size());
  for (std::size_t i = 1; i < rings_.size(); ++i) {
    Ring& ring = rings_[i];
    const std::int64_t slot = slot_of(at, ring.resolution.step);
    if (slot < ring.collecting_slot) continue;
    if (slot > ring.collecting_slot) {
      std::fill(ring.counts.begin(), ring.counts.end(), 0U);
      ring.collecting_slot = slot;
    }
    for (std::size_t column = 0; column < row.size(); ++column)
      folded[column] = fold(ring, column, row[column]);
    push(ring, slot, folded.data());
  }
}

SeriesPoints SeriesRing::query(std::size_t column, std::chrono::seconds step,
                               std::chrono::system_clock::time_point since) const {
  SeriesPoints result{.first = since, .step = step, .points = {}};
  const auto ring = std::find_if(rings_.begin(), rings_.end(),
                                 [&](const Ring& candidate) { return candidate.resolution.step == step; });
  if (ring == rings_.end() || ring->rows.empty()) return result;
  const std::int64_t oldest = ring->newest_slot - static_cast<std::int64_t>(ring->rows.size()) + 1;
  const std::int64_t first = std::max(oldest, slot_of(since, step));
  result.first = std::chrono::system_clock::time_point(first * step);
  const std::vector<float> values = ring->rows.read(column, static_cast<std::size_t>(first - oldest));
  result.points.reserve(values.size());
  for (const float value : values)
    result.points.push_back(std::isnan(value) ? std::nullopt : std::optional(value));
  return result;
}

std::size_t SeriesRing::bytes() const {
  std::size_t total = sizeof(*this);
  for (const Ring& ring : rings_)
    total += sizeof(Ring) + ring.rows.bytes() + columns_.size() * (sizeof(double) + sizeof(std::uint32_t));
  return total;
}

}  // namespace wk::exporter
