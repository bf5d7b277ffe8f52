#include "exporter/app/exposition_response.h"

#include <string>
#include <utility>

#include "exporter/web/exposition.h"
#include "exporter/web/negotiation.h"

namespace wk::exporter {
namespace {

/// Lends the writer of exporter/web, which knows no catalogue, to the catalogue, which knows no HTTP.
class ExpositionSink final : public SampleSink {
 public:
  explicit ExpositionSink(ExpositionWriter& writer) : writer_(writer) {}

  CommonLabels add_common(const Labels& labels) override { return writer_.add_common(labels); }
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type) override {
    writer_.begin(name, help, type);
  }
  void sample(CommonLabels common, const prometheus::ClientMetric& metric) override {
    writer_.sample(metric, common);
  }

 private:
  static_assert(kNoCommonLabels == ExpositionWriter::kNoCommonLabels);
  ExpositionWriter& writer_;
};

}  // namespace

Response exposition_response(const Request& request, std::atomic<std::size_t>& expected_bytes,
                             const std::function<void(SampleSink&)>& collect_all) {
  // A little more than last time, since counters get longer.
  constexpr std::size_t kGrowth = 4096;
  const ExpositionFormat format = choose_format(request.header("Accept"));
  // No catalogue has a counter whose name without _total is another family's: tests/unit/exporter/catalogue.
  ExpositionWriter writer(format, expected_bytes.load(std::memory_order_relaxed) + kGrowth);
  ExpositionSink sink(writer);
  collect_all(sink);
  Response response;
  response.content_type = content_type(format);
  std::string text = std::move(writer).finish().text;
  expected_bytes.store(text.size(), std::memory_order_relaxed);
  response.body = std::move(text);
  response.headers = {{"Cache-Control", "no-store"}, {"Vary", "Accept"}};
  return response;
}

void WithoutFamilies::begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
  skipping_ = left_out_.contains(name);
  if (!skipping_) rest_.begin(name, help, type);
}

void WithoutFamilies::sample(CommonLabels common, const prometheus::ClientMetric& metric) {
  if (!skipping_) rest_.sample(common, metric);
}

void write_gauge(SampleSink& sink, std::string_view name, std::string_view help, double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  sink.begin(name, help, prometheus::MetricType::Gauge);
  sink.sample(SampleSink::kNoCommonLabels, metric);
}

}  // namespace wk::exporter
