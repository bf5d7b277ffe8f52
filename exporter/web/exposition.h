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
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
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

/// Writes families as text in one of the formats, one after the other.
///
/// Counters: OpenMetrics names the family without `_total`. A counter whose name does not end in `_total`, or
/// whose shortened name another family bears, is written as `unknown` there: its series keeps its name and
/// the text stays legal. Untyped families are `untyped` in 0.0.4 and `unknown` in OpenMetrics. A `# UNIT`
/// line stands where the name ends in a base unit (OpenMetrics only). Histograms get the `+Inf` bucket if it
/// is missing. Label values and help that are not UTF-8, and NUL, appear as U+FFFD.
class ExpositionWriter {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;
  using CommonLabels = std::size_t;
  static constexpr CommonLabels kNoCommonLabels = 0;

  /// \param expected_bytes  length of the text, as far as it can be guessed: saves copying it while it grows
  /// \param all_names       names of all families to come, where they are known: decides which counters may
  /// be shortened.
  ///                    Without them the caller vouches that no shortened name is another family's.
  explicit ExpositionWriter(ExpositionFormat format, std::size_t expected_bytes = 0,
                            std::unordered_set<std::string> all_names = {});

  /// Labels that many samples begin with, checked and escaped once.
  /// \return  the number by which samples refer to them; never kNoCommonLabels
  CommonLabels add_common(const Labels& labels);
  /// Begins a family: the samples that follow belong to it.
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type);
  void sample(const prometheus::ClientMetric& metric, CommonLabels common = kNoCommonLabels);
  /// A whole family.
  void write(const prometheus::MetricFamily& family);
  /// Ends the text; nothing may be written after it.
  [[nodiscard]] Exposition finish() &&;

 private:
  struct Common {
    std::string text;                ///< escaped, without braces
    std::vector<std::string> names;  ///< of the labels in `text`
    bool valid = true;
  };
  struct Extra {
    std::string_view name;
    double value;
  };
  void close_family();
  void write_header(std::string_view help);
  void write_unit(std::string_view name);
  [[nodiscard]] std::string_view type_name(prometheus::MetricType type) const;
  [[nodiscard]] bool legal(const prometheus::ClientMetric& metric, const Common& common) const;
  void write_summary(const prometheus::ClientMetric& metric);
  void write_histogram(const prometheus::ClientMetric& metric);
  void write_sample(std::string_view suffix, const prometheus::ClientMetric& metric, double value);
  void write_count(std::string_view suffix, const prometheus::ClientMetric& metric, std::uint64_t count,
                   std::optional<Extra> extra);
  void write_series(std::string_view suffix, std::optional<Extra> extra);
  void end_sample(const prometheus::ClientMetric& metric);
  std::string& out() { return result_.text; }

  const bool open_metrics_;
  const std::unordered_set<std::string> all_names_;
  std::unordered_set<std::string> written_;  ///< names so far
  std::vector<Common> common_;               ///< by number

  // The family that was begun last.
  std::string name_;
  prometheus::MetricType type_ = prometheus::MetricType::Untyped;
  bool writable_ = false;  ///< its name is legal and new
  bool refused_ = false;   ///< a sample of it was left out
  std::size_t start_ = 0, header_end_ = 0;

  std::string labels_;  ///< of the sample being written, as text
  Exposition result_;
};

/// All of `families` through one writer.
Exposition serialise(const std::vector<prometheus::MetricFamily>& families, ExpositionFormat format);

/// Appends `value` as both formats spell it: NaN, +Inf, -Inf, integers below 2^53 plain, else the shortest
/// decimal that reads back as the same double.
void append_value(std::string& out, double value);

}  // namespace wk::exporter
