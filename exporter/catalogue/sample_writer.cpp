#include "exporter/catalogue/sample_writer.h"

#include <algorithm>
#include <cmath>

namespace wk::exporter {

bool same_rank(double left, double right) { return std::abs(left - right) < 1e-9; }

prometheus::ClientMetric& SampleWriter::labelled(Extra first, Extra second) {
  sample_.label.resize(first.size() + second.size());
  auto label = sample_.label.begin();
  for (const Extra& extra : {first, second})
    for (const auto& [name, text] : extra) {
      label->name = name;
      label->value = text;
      ++label;
    }
  return sample_;
}

void SampleWriter::hand_over() {
  if (!begun_) sink_.begin(name_, help_, type_);
  begun_ = true;
  sink_.sample(common_, sample_);
}

void SampleWriter::value(double number, Extra extra) {
  if (!std::isfinite(number)) return;
  switch (type_) {
    case prometheus::MetricType::Counter:
      if (number < 0) return;
      labelled(extra).counter.value = number;
      break;
    case prometheus::MetricType::Untyped:
      labelled(extra).untyped.value = number;
      break;
    default:
      labelled(extra).gauge.value = number;
      break;
  }
  hand_over();
}

void SampleWriter::summary(const SummaryValue& source, double divisor, std::span<const double> ranks,
                           Extra extra) {
  // Beyond this a double no longer counts one by one, and the conversion below would not be defined much
  // further on.
  constexpr double kCountMax = 9'007'199'254'740'992.0;
  if (!source.count || !source.sum || !(*source.count >= 0 && *source.count <= kCountMax) ||
      !std::isfinite(*source.sum))
    return;
  auto& summary = labelled(extra).summary;
  summary.quantile.clear();
  summary.sample_count = static_cast<std::uint64_t>(*source.count);
  summary.sample_sum = *source.sum / divisor;
  summary.quantile.reserve(source.quantiles.size());
  for (const auto& [rank, number] : source.quantiles) {
    // NaN is what a quantile of nothing is; whoever hands one over means it.
    const bool of_nothing = std::isnan(number) && *source.count == 0;
    if ((!std::isfinite(number) && !of_nothing) || !(rank > 0 && rank < 1)) continue;
    if (ranks.empty()) {
      summary.quantile.push_back({rank, number / divisor});
      continue;
    }
    // The rank as the table spells it, so that the label is the same text whatever the source computed.
    const auto known =
        std::ranges::find_if(ranks, [rank = rank](double wanted) { return same_rank(wanted, rank); });
    if (known != ranks.end()) summary.quantile.push_back({*known, number / divisor});
  }
  std::ranges::sort(summary.quantile, {}, &prometheus::ClientMetric::Quantile::quantile);
  const auto repeated =
      std::ranges::unique(summary.quantile, {}, &prometheus::ClientMetric::Quantile::quantile);
  summary.quantile.erase(repeated.begin(), repeated.end());
  hand_over();
}

}  // namespace wk::exporter
