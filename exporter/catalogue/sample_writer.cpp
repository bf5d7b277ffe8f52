#include "exporter/catalogue/sample_writer.h"

#include <algorithm>
#include <cmath>

namespace wk::exporter {

bool same_rank(double left, double right) { return std::abs(left - right) < 1e-9; }

prometheus::ClientMetric& SampleWriter::append(Extra first, Extra second) {
  auto& sample = samples_.emplace_back();
  sample.label.reserve((base_ ? base_->size() : 0) + first.size() + second.size());
  if (base_) sample.label.insert(sample.label.end(), base_->begin(), base_->end());
  for (const Extra& extra : {first, second})
    for (const auto& [label, text] : extra) sample.label.push_back({std::string(label), std::string(text)});
  return sample;
}

void SampleWriter::value(double number, Extra extra) {
  if (!std::isfinite(number)) return;
  switch (type_) {
    case prometheus::MetricType::Counter:
      if (number >= 0) append(extra).counter.value = number;
      return;
    case prometheus::MetricType::Untyped:
      append(extra).untyped.value = number;
      return;
    default:
      append(extra).gauge.value = number;
      return;
  }
}

void SampleWriter::summary(const SummaryValue& source, double divisor, std::span<const double> ranks,
                           Extra extra) {
  // Beyond this a double no longer counts one by one, and the conversion below would not be defined much
  // further on.
  constexpr double kCountMax = 9'007'199'254'740'992.0;
  if (!source.count || !source.sum || !(*source.count >= 0 && *source.count <= kCountMax) ||
      !std::isfinite(*source.sum))
    return;
  auto& summary = append(extra).summary;
  summary.sample_count = static_cast<std::uint64_t>(*source.count);
  summary.sample_sum = *source.sum / divisor;
  summary.quantile.reserve(source.quantiles.size());
  for (const auto& [rank, number] : source.quantiles) {
    if (!std::isfinite(number) || !(rank > 0 && rank < 1)) continue;
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
}

}  // namespace wk::exporter
