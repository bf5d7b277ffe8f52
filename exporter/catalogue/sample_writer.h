// Appends samples to one metric family, with labels that are common to an ensemble or member set once.
//
// Thread: one; lives for one walk over one row.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/duration_histogram.h"
#include "base/time.h"
#include "exporter/model/facts.h"

namespace wk::exporter {

class SampleWriter {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;
  using Extra = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// Samples of `type` go to the end of `samples`, which must outlive this object.
  SampleWriter(prometheus::MetricType type, std::vector<prometheus::ClientMetric>& samples)
      : type_(type), samples_(samples) {}

  /// Labels of the samples to come, before their extra ones; `base` must stay alive as long.
  void set_base(const Labels& base) { base_ = &base; }

  /// One sample of a gauge, counter or untyped family. NaN, infinities and negative counters are left out.
  void value(double number, Extra extra = {});

  /// 1 for `active` and 0 for every other value of an enumeration with the values 0 … count - 1 and a name()
  /// each.
  template <typename Enum>
  void enumeration(std::string_view label, Enum active, std::size_t count, Extra before = {}) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto candidate = static_cast<Enum>(i);
      append(before, {{label, name(candidate)}}).gauge.value = candidate == active ? 1 : 0;
    }
  }

  template <const auto& kBounds>
  void histogram(const DurationHistogram<kBounds>& source, Extra extra = {}) {
    auto& histogram = append(extra).histogram;
    histogram.sample_count = source.count();
    histogram.sample_sum = seconds(source.sum());
    histogram.bucket.reserve(kBounds.size() + 1);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      cumulative += source.bucket(i);
      histogram.bucket.push_back({cumulative, std::chrono::duration<double>(kBounds[i]).count()});
    }
    histogram.bucket.push_back({source.count(), std::numeric_limits<double>::infinity()});
  }

  /// One sample of a summary without quantiles: how long `count` things took together.
  void total(std::chrono::nanoseconds sum, std::uint64_t count, Extra extra = {}) {
    auto& summary = append(extra).summary;
    summary.sample_count = count;
    summary.sample_sum = seconds(sum);
  }

  /// One sample of a summary whose values are divided by `divisor`; only the quantiles in `ranks` are taken,
  /// or all when it is empty. Nothing is appended unless count and sum are known and sane.
  void summary(const SummaryValue& source, double divisor, std::span<const double> ranks, Extra extra = {});

 private:
  prometheus::ClientMetric& append(Extra first, Extra second = {});

  prometheus::MetricType type_;
  std::vector<prometheus::ClientMetric>& samples_;
  const Labels* base_ = nullptr;
};

/// True when both are the same quantile's rank, however it was computed.
bool same_rank(double left, double right);

}  // namespace wk::exporter
