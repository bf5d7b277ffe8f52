// Where the walk over the catalogue puts its samples: one at a time, so that a scrape of many members holds
// no more of them than the one being written.
//
// Values are prometheus-cpp's ClientMetric. Labels that many samples share are told once and referred to by
// number. Thread: one.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace wk::exporter {

class SampleSink {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;
  using CommonLabels = std::size_t;
  static constexpr CommonLabels kNoCommonLabels = 0;

  SampleSink() = default;
  virtual ~SampleSink() = default;
  SampleSink(const SampleSink&) = delete;
  SampleSink& operator=(const SampleSink&) = delete;

  /// \return  the number by which samples refer to `labels` from now on; never kNoCommonLabels
  virtual CommonLabels add_common(const Labels& labels) = 0;
  /// Begins a family: its samples follow, at least one. Names are unique among the families of one scrape.
  /// \param help  empty for families without HELP
  virtual void begin(std::string_view name, std::string_view help, prometheus::MetricType type) = 0;
  /// One sample of the family begun last. `metric.label` holds the labels that follow the common ones; of the
  /// values, the one of the family's type counts.
  virtual void sample(CommonLabels common, const prometheus::ClientMetric& metric) = 0;
};

}  // namespace wk::exporter
