// Prometheus exposition: metric families as text that a Prometheus server can always read.
//
// One pass over the families into one string. Whatever the families hold (names, labels and help may come
// from a hostile peer), the result is legal in the chosen format: what cannot be written legally is left out
// and counted, never half written. A series has the same name and labels in both formats, so that a change of
// negotiation cannot break a dashboard; for that reason `le` and `quantile` are written as OpenMetrics wants
// them ("1.0") in both. Thread: any; pure functions. Source: Prometheus "Exposition formats", text 0.0.4;
// OpenMetrics 1.0.0.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wk::exporter {

enum class ExpositionFormat {
  kText004,         ///< Prometheus text format 0.0.4
  kOpenMetrics001,  ///< OpenMetrics under its draft version number; the same text as 1.0.0
  kOpenMetrics100,  ///< OpenMetrics 1.0.0
};

/// The Content-Type of a body in `format`.
std::string_view content_type(ExpositionFormat format);

struct Exposition {
  std::string text;
  /// Families and samples that were left out because they cannot be written legally: invalid or repeated
  /// metric name, invalid or repeated label name, a counter that is negative or NaN, buckets that are not
  /// cumulative.
  std::size_t skipped = 0;
};

/// `families` as text in `format`.
///
/// Counters: OpenMetrics names the family without `_total`. A counter whose name does not end in `_total`, or
/// whose shortened name another family bears, is written as `unknown` there: its series keeps its name and
/// the text stays legal. Untyped families are `untyped` in 0.0.4 and `unknown` in OpenMetrics. A `# UNIT`
/// line stands where the name ends in a base unit (OpenMetrics only). Histograms get the `+Inf` bucket if it
/// is missing. Label values and help that are not UTF-8, and NUL, appear as U+FFFD.
Exposition serialise(const std::vector<prometheus::MetricFamily>& families, ExpositionFormat format);

/// Appends `value` as both formats spell it: NaN, +Inf, -Inf, integers below 2^53 plain, else the shortest
/// decimal that reads back as the same double.
void append_value(std::string& out, double value);

}  // namespace wk::exporter
