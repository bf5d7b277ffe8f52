#include "exporter/web/exposition.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/exporter/web/test_files.h"

namespace wk::exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ClientMetric gauge(double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

ClientMetric counter(double value) {
  ClientMetric metric;
  metric.counter.value = value;
  return metric;
}

ClientMetric histogram(std::vector<ClientMetric::Bucket> buckets, std::uint64_t count, double sum) {
  ClientMetric metric;
  metric.histogram = {count, sum, std::move(buckets)};
  return metric;
}

struct Exposition {
  std::string text;
  std::size_t skipped = 0;
};
Exposition serialise(const std::vector<MetricFamily>& families, ExpositionFormat format) {
  ExpositionWriter writer(format, {});
  for (const MetricFamily& family : families) {
    writer.begin(family.name, family.help, family.type);
    for (const ClientMetric& metric : family.metric) writer.sample(metric);
  }
  Exposition result;
  const TextBuffer text = std::move(writer).finish();
  result.text = text.view();
  result.skipped = writer.skipped();
  return result;
}
std::string text(const std::vector<MetricFamily>& families) {
  return serialise(families, ExpositionFormat::kText004).text;
}
std::string open_metrics(const std::vector<MetricFamily>& families) {
  return serialise(families, ExpositionFormat::kOpenMetrics100).text;
}
std::string value(double number) {
  std::array<char, kValueBytesMax> digits{};
  return {digits.data(), write_value(digits.data(), number)};
}

TEST(Exposition, SpellsValuesSoThatTheyReadBackTheSame) {
  EXPECT_EQ(value(0), "0");
  EXPECT_EQ(value(-0.0), "0");
  EXPECT_EQ(value(1e15), "1000000000000000");
  EXPECT_EQ(value(-42), "-42");
  EXPECT_EQ(value(0.1), "0.1");
  EXPECT_EQ(value(1e300), "1e+300");
  EXPECT_EQ(value(5e-05), "5e-05");
  EXPECT_EQ(value(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(value(std::nan("")), "NaN");
  EXPECT_EQ(value(kInfinity), "+Inf");
  EXPECT_EQ(value(-kInfinity), "-Inf");
}

TEST(Exposition, WritesGaugeWithHelpTypeAndLabels) {
  const std::vector<MetricFamily> families = {
      {"up", "Is it up?", MetricType::Gauge, {gauge(1, {{"a", "x"}, {"b", "y"}})}}};
  EXPECT_EQ(text(families), "# HELP up Is it up?\n# TYPE up gauge\nup{a=\"x\",b=\"y\"} 1\n");
  EXPECT_EQ(open_metrics(families), "# HELP up Is it up?\n# TYPE up gauge\nup{a=\"x\",b=\"y\"} 1\n# EOF\n");
}

TEST(Exposition, EmptyInputIsALegalOpenMetricsText) {
  EXPECT_EQ(text({}), "");
  EXPECT_EQ(open_metrics({}), "# EOF\n");
}

TEST(Exposition, EscapesLabelsAndHelp) {
  const std::vector<MetricFamily> families = {
      {"m", "a\\b\n\"q\"", MetricType::Gauge, {gauge(1, {{"path", "a\"b\\c\nd"}})}}};
  EXPECT_EQ(text(families), "# HELP m a\\\\b\\n\"q\"\n# TYPE m gauge\nm{path=\"a\\\"b\\\\c\\nd\"} 1\n");
  EXPECT_EQ(open_metrics(families),
            "# HELP m a\\\\b\\n\\\"q\\\"\n# TYPE m gauge\nm{path=\"a\\\"b\\\\c\\nd\"} 1\n# EOF\n");
}

TEST(Exposition, ReplacesWhatIsNotUtf8) {
  const auto label = [](std::string content) {
    const std::string out = text({{"m", "", MetricType::Gauge, {gauge(1, {{"l", std::move(content)}})}}});
    const std::size_t begin = out.find("l=\"") + 3;
    return out.substr(begin, out.rfind('"') - begin);
  };
  EXPECT_EQ(label("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(label("\xF0\x9F\xA6\x93"), "\xF0\x9F\xA6\x93");
  EXPECT_EQ(label("a\xFF"
                  "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(label("\xC3"), "\xEF\xBF\xBD");                                  // truncated
  EXPECT_EQ(label("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(label("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(label("\xF4\x90\x80\x80").size(), 12U);                          // above U+10FFFF
  EXPECT_EQ(label(std::string("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Exposition, NamesCounterFamiliesWithoutTotalInOpenMetricsOnly) {
  const std::vector<MetricFamily> families = {{"io_bytes_total", "h", MetricType::Counter, {counter(3)}}};
  EXPECT_EQ(text(families), "# HELP io_bytes_total h\n# TYPE io_bytes_total counter\nio_bytes_total 3\n");
  EXPECT_EQ(open_metrics(families),
            "# HELP io_bytes h\n# TYPE io_bytes counter\n# UNIT io_bytes bytes\nio_bytes_total 3\n# EOF\n");
}

TEST(Exposition, CounterThatOpenMetricsCannotNameKeepsItsNameAsUnknown) {
  EXPECT_EQ(open_metrics({{"zk_packets_received", "", MetricType::Counter, {counter(3)}}}),
            "# TYPE zk_packets_received unknown\nzk_packets_received 3\n# EOF\n");
}

TEST(Exposition, UntypedIsUnknownInOpenMetrics) {
  ClientMetric metric;
  metric.untyped.value = 7;
  const std::vector<MetricFamily> families = {{"u", "", MetricType::Untyped, {metric}}};
  EXPECT_EQ(text(families), "# TYPE u untyped\nu 7\n");
  EXPECT_EQ(open_metrics(families), "# TYPE u unknown\nu 7\n# EOF\n");
}

TEST(Exposition, HistogramGetsTheInfinityBucketAndCanonicalBounds) {
  const std::vector<MetricFamily> families = {
      {"t_seconds", "", MetricType::Histogram, {histogram({{1, 5e-05}, {2, 1}}, 4, 6.5)}}};
  const std::string samples =
      "t_seconds_bucket{le=\"5e-05\"} 1\nt_seconds_bucket{le=\"1.0\"} 2\nt_seconds_bucket{le=\"+Inf\"} 4\n"
      "t_seconds_sum 6.5\nt_seconds_count 4\n";
  EXPECT_EQ(text(families), "# TYPE t_seconds histogram\n" + samples);
  EXPECT_EQ(open_metrics(families),
            "# TYPE t_seconds histogram\n# UNIT t_seconds seconds\n" + samples + "# EOF\n");
}

TEST(Exposition, HistogramThatHasTheInfinityBucketKeepsOne) {
  EXPECT_EQ(text({{"t", "", MetricType::Histogram, {histogram({{4, kInfinity}}, 4, 1)}}}),
            "# TYPE t histogram\nt_bucket{le=\"+Inf\"} 4\nt_sum 1\nt_count 4\n");
}

TEST(Exposition, SummaryHasQuantilesSumAndCount) {
  ClientMetric metric;
  metric.label = {{"op", "read"}};
  metric.summary = {10, 2.5, {{0.5, 0.1}, {0.99, std::nan("")}}};
  EXPECT_EQ(text({{"s", "", MetricType::Summary, {metric}}}),
            "# TYPE s summary\ns{op=\"read\",quantile=\"0.5\"} 0.1\ns{op=\"read\",quantile=\"0.99\"} NaN\n"
            "s_sum{op=\"read\"} 2.5\ns_count{op=\"read\"} 10\n");
}

TEST(Exposition, TimestampsAreMillisecondsOrSeconds) {
  ClientMetric metric = gauge(1);
  metric.timestamp_ms = 1500;
  EXPECT_EQ(text({{"g", "", MetricType::Gauge, {metric}}}), "# TYPE g gauge\ng 1 1500\n");
  EXPECT_EQ(open_metrics({{"g", "", MetricType::Gauge, {metric}}}), "# TYPE g gauge\ng 1 1.5\n# EOF\n");
}

TEST(Exposition, SkipsAndCountsWhatCannotBeWritten) {
  const std::vector<MetricFamily> families = {
      {"bad name", "", MetricType::Gauge, {gauge(1)}},
      {"", "", MetricType::Gauge, {gauge(1)}},
      {"1st", "", MetricType::Gauge, {gauge(1)}},
      {"g",
       "",
       MetricType::Gauge,
       {gauge(1, {{"a-b", "x"}}), gauge(2, {{"__name__", "x"}}), gauge(3, {{"a", "x"}, {"a", "y"}}),
        gauge(4, {{"ok", "x"}})}},
      {"g", "again", MetricType::Gauge, {gauge(5)}},
      {"c_total", "", MetricType::Counter, {counter(-1), counter(std::nan(""))}},
      {"h",
       "",
       MetricType::Histogram,
       {histogram({{5, 1}, {4, 2}}, 5, 1), histogram({{1, 2}, {2, 1}}, 5, 1), histogram({{9, 1}}, 5, 1),
        histogram({{1, std::nan("")}}, 5, 1)}},
  };
  const Exposition result = serialise(families, ExpositionFormat::kText004);
  EXPECT_EQ(result.text, "# TYPE g gauge\ng{ok=\"x\"} 4\n");
  EXPECT_EQ(result.skipped, 13U);
}

TEST(Exposition, LabelsThatTheTypeOwnsAreRefused) {
  ClientMetric metric = histogram({}, 1, 1);
  metric.label = {{"le", "1"}};
  EXPECT_EQ(serialise({{"h", "", MetricType::Histogram, {metric}}}, ExpositionFormat::kText004).skipped, 1U);
}

TEST(Exposition, PromtoolAcceptsTheText) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not installed (package prometheus)";
  ClientMetric summary;
  summary.summary = {10, 2.5, {{0.5, 0.1}}};
  const std::vector<MetricFamily> families = {
      {"wk_up",
       "A \"quoted\" \\ help\nin two lines.",
       MetricType::Gauge,
       {gauge(1, {{"path", "a\"b\\\n\xFF"}}), gauge(kInfinity)}},
      {"wk_packets_total", "Packets.", MetricType::Counter, {counter(1e21)}},
      {"wk_wait_seconds", "Waiting.", MetricType::Histogram, {histogram({{1, 5e-05}, {2, 1}}, 4, 6.5)}},
      {"wk_age_seconds", "Age.", MetricType::Summary, {summary}},
  };
  const TemporaryDirectory directory;
  const auto scrape = directory.write("scrape", text(families));
  const auto said = directory / "said";
  const int status =
      std::system(("promtool check metrics < " + scrape.string() + " > " + said.string() + " 2>&1").c_str());
  EXPECT_EQ(status, 0);
  EXPECT_EQ(std::filesystem::file_size(said), 0U);
}

}  // namespace
}  // namespace wk::exporter
