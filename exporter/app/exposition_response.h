// From the catalogue's samples to the answer of a scrape, in the format that Prometheus asks for.
//
// Thread: any; functions without state.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <set>
#include <string_view>

#include "exporter/catalogue/sample_sink.h"
#include "exporter/web/http.h"

namespace wk::exporter {

/// An exposition of whatever `collect_all` hands to its sink, by the `Accept` header of `request`.
/// \param expected_bytes  in: length of the last such text, 0 when there was none; out: of this one
Response exposition_response(const Request& request, std::atomic<std::size_t>& expected_bytes,
                             const std::function<void(SampleSink&)>& collect_all);

/// Hands everything on but the families with the names `left_out`. All referred-to objects must outlive it.
class WithoutFamilies final : public SampleSink {
 public:
  WithoutFamilies(const std::set<std::string_view>& left_out, SampleSink& rest)
      : left_out_(left_out), rest_(rest) {}

  CommonLabels add_common(const Labels& labels) override { return rest_.add_common(labels); }
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type) override;
  void sample(CommonLabels common, const prometheus::ClientMetric& metric) override;

 private:
  const std::set<std::string_view>& left_out_;
  SampleSink& rest_;
  bool skipping_ = false;
};

/// A gauge with one sample without labels.
void write_gauge(SampleSink& sink, std::string_view name, std::string_view help, double value);

}  // namespace wk::exporter
