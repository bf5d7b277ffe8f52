// The words for types of metrics, in expositions and in documents about them.
//
// Thread: any; constant data. Source: Prometheus "Exposition formats", text 0.0.4.
#pragma once

#include <prometheus/metric_type.h>

#include <string_view>

namespace wk {

/// The word of a TYPE line; OpenMetrics says "unknown" where this says "untyped".
constexpr std::string_view type_name(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Summary:
      return "summary";
    case prometheus::MetricType::Histogram:
      return "histogram";
    case prometheus::MetricType::Untyped:
      break;
  }
  return "untyped";
}

}  // namespace wk
