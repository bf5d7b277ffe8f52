// Hands the samples of one metric family to a sink, with the labels of an ensemble or member set once.
//
// The family begins with its first sample: one without samples never appears. One ClientMetric serves for all
// samples, since making and freeing their labels was half of a scrape's cost. Thread: one; lives for one walk
// over one row.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/count_histogram.h"
#include "base/duration_histogram.h"
#include "base/time.h"
#include "exporter/catalogue/sample_sink.h"
#include "exporter/model/facts.h"

namespace wk::exporter {

class SampleWriter {
 public:
  using Extra = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// `sink`, `name` and `help` must outlive this object.
  SampleWriter(SampleSink& sink, std::string_view name, std::string_view help, prometheus::MetricType type)
      : sink_(sink), name_(name), help_(help), type_(type) {}

  /// Labels of the samples to come, before their extra ones: a number of the sink's.
  void set_common(SampleSink::CommonLabels common) { common_ = common; }

  /// One sample of a gauge, counter or untyped family. NaN, infinities and negative counters are left out.
  void value(double number, Extra extra = {});

  /// 1 for `active` and 0 for every other value of an enumeration with the values 0 … count - 1 and a name()
  /// each.
  template <typename Enum>
  void enumeration(std::string_view label, Enum active, std::size_t count, Extra before = {}) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto candidate = static_cast<Enum>(i);
      labelled(before, {{label, name(candidate)}}).gauge.value = candidate == active ? 1 : 0;
      hand_over();
    }
  }

  template <const auto& kBounds>
  void histogram(const DurationHistogram<kBounds>& source, Extra extra = {}) {
    histogram_over(
        source, seconds(source.sum()),
        [](auto bound) { return std::chrono::duration<double>(bound).count(); }, extra);
  }
  template <const auto& kBounds>
  void histogram(const CountHistogram<kBounds>& source, Extra extra = {}) {
    histogram_over(
        source, static_cast<double>(source.sum()), [](auto bound) { return static_cast<double>(bound); },
        extra);
  }

  /// One sample of a summary without quantiles: how long `count` things took together.
  void total(std::chrono::nanoseconds sum, std::uint64_t count, Extra extra = {}) {
    auto& summary = labelled(extra).summary;
    summary.sample_count = count;
    summary.sample_sum = seconds(sum);
    summary.quantile.clear();
    hand_over();
  }

  /// One sample of a summary whose values are divided by `divisor`; only the quantiles in `ranks` are taken,
  /// or all when it is empty. Nothing is written unless count and sum are known and sane.
  void summary(const SummaryValue& source, double divisor, std::span<const double> ranks, Extra extra = {});

 private:
  template <typename Source, typename InBaseUnit>
  void histogram_over(const Source& source, double sum, InBaseUnit in_base_unit, Extra extra) {
    auto& histogram = labelled(extra).histogram;
    histogram.bucket.clear();
    histogram.sample_count = source.count();
    histogram.sample_sum = sum;
    histogram.bucket.reserve(Source::kBounds.size() + 1);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < Source::kBounds.size(); ++i) {
      cumulative += source.bucket(i);
      histogram.bucket.push_back({cumulative, in_base_unit(Source::kBounds[i])});
    }
    histogram.bucket.push_back({source.count(), std::numeric_limits<double>::infinity()});
    hand_over();
  }

  /// The sample to come, with these labels beside the common ones; its values are to be set.
  prometheus::ClientMetric& labelled(Extra first, Extra second = {});
  void hand_over();

  SampleSink& sink_;
  std::string_view name_, help_;
  prometheus::MetricType type_;
  SampleSink::CommonLabels common_ = SampleSink::kNoCommonLabels;
  bool begun_ = false;
  prometheus::ClientMetric sample_;
};

/// True when both are the same quantile's rank, however it was computed.
bool same_rank(double left, double right);

}  // namespace wk::exporter
