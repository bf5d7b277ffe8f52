#include "exporter/app/exposition_response.h"

#include <algorithm>
#include <array>
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

Response exposition_response(const Request& request, TextPool& texts,
                             const std::function<void(SampleSink&)>& collect_all) {
  const ExpositionFormat format = choose_format(request.header("Accept"));
  // No catalogue has a counter whose name without _total is another family's: tests/unit/exporter/catalogue.
  ExpositionWriter writer(format, texts.borrow());
  ExpositionSink sink(writer);
  collect_all(sink);
  Response response;
  response.content_type = content_type(format);
  response.body = texts.share(std::move(writer).finish());
  response.headers = {{"Cache-Control", "no-store"}, {"Vary", "Accept"}};
  return response;
}

void FamilyFilter::begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
  skipping_ = !keep_(name);
  if (!skipping_) rest_.begin(name, help, type);
}

void FamilyFilter::sample(CommonLabels common, const prometheus::ClientMetric& metric) {
  if (!skipping_) rest_.sample(common, metric);
}

bool has_sample_of(std::string_view family, const std::set<std::string>& samples) {
  static constexpr std::array<std::string_view, 5> kSuffixes{"", "_count", "_sum", "_bucket", "_total"};
  return samples.empty() || std::ranges::any_of(samples, [family](std::string_view sample) {
           return sample.starts_with(family) &&
                  std::ranges::find(kSuffixes, sample.substr(family.size())) != kSuffixes.end();
         });
}

void write_gauge(SampleSink& sink, std::string_view name, std::string_view help, double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  sink.begin(name, help, prometheus::MetricType::Gauge);
  sink.sample(SampleSink::kNoCommonLabels, metric);
}

}  // namespace wk::exporter
