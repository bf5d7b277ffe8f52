// From the catalogue's samples to the answer of a scrape, in the format that Prometheus asks for.
//
// Thread: any; functions without state.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/catalogue/sample_sink.h"
#include "exporter/web/http.h"
#include "exporter/web/text_pool.h"

namespace wk::exporter {

/// An exposition of whatever `collect_all` hands to its sink, by the `Accept` header of `request`.
/// \param texts  lends the memory for the text
Response exposition_response(const Request& request, TextPool& texts,
                             const std::function<void(SampleSink&)>& collect_all);

/// Hands on the families whose names `keep` wants. All referred-to objects must outlive it.
class FamilyFilter final : public SampleSink {
 public:
  FamilyFilter(std::function<bool(std::string_view)> keep, SampleSink& rest)
      : keep_(std::move(keep)), rest_(rest) {}

  CommonLabels add_common(const Labels& labels) override { return rest_.add_common(labels); }
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type) override;
  void sample(CommonLabels common, const prometheus::ClientMetric& metric) override;

 private:
  const std::function<bool(std::string_view)> keep_;
  SampleSink& rest_;
  bool skipping_ = false;
};

/// Whether a family has samples called as one of `samples`; every family has, where there are none.
bool has_sample_of(std::string_view family, const std::set<std::string>& samples);

/// A gauge with one sample without labels.
void write_gauge(SampleSink& sink, std::string_view name, std::string_view help, double value);

}  // namespace wk::exporter
