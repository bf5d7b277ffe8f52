#include "server/node/forecast.h"

#include <algorithm>

namespace wk::node {

void Forecast::add(double used, Time now) {
  if (!samples_.empty() && now - samples_.back().at < kSampleInterval) return;
  samples_.push_back({now, used});
  while (now - samples_.front().at > kWindow) samples_.pop_front();
}

std::optional<Forecast::Seconds> Forecast::left(double used, double bound, Time now) const {
  if (used >= bound) return Seconds{0};
  if (samples_.empty() || now - samples_.front().at < kHistoryMin) return std::nullopt;
  const Sample& oldest = samples_.front();
  const Time middle = oldest.at + (now - oldest.at) / 2;
  // The last one that is old enough: there always is one, the oldest.
  const auto half = std::prev(std::ranges::upper_bound(samples_, middle, {}, &Sample::at));
  const auto growth = [&](const Sample& since) {
    return (used - since.used) / Seconds(now - since.at).count();
  };
  const double a_second = std::min(growth(oldest), growth(*half));
  if (a_second <= 0) return std::nullopt;
  const Seconds left{(bound - used) / a_second};
  return left > kFarthest ? std::nullopt : std::optional(left);
}

}  // namespace wk::node
