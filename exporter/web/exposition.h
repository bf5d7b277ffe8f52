// Prometheus exposition: metric families as text that a Prometheus server can always read.
//
// One pass over the families into one text. Whatever the families hold (names, labels and help may come
// from a hostile peer), the result is legal in the chosen format: what cannot be written legally is left out
// and counted, never half written. A series has the same name and labels in both formats, so that a change of
// negotiation cannot break a dashboard; for that reason `le` and `quantile` are written as OpenMetrics wants
// them ("1.0") in both. Thread: any; pure functions. Source: Prometheus "Exposition formats", text 0.0.4;
// OpenMetrics 1.0.0.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/web/text_buffer.h"

namespace wk::exporter {

enum class ExpositionFormat {
  kText004,         ///< Prometheus text format 0.0.4
  kOpenMetrics001,  ///< OpenMetrics under its draft version number; the same text as 1.0.0
  kOpenMetrics100,  ///< OpenMetrics 1.0.0
};

/// The Content-Type of a body in `format`.
std::string_view content_type(ExpositionFormat format);

/// Writes families as text in one of the formats, one after the other: begin() and its samples for each.
///
/// Counters: OpenMetrics names the family without `_total`. A counter whose name does not end in `_total` is
/// written as `unknown` there: its series keeps its name and the text stays legal. The caller vouches that no
/// shortened name is another family's. Untyped families are `untyped` in 0.0.4 and `unknown` in OpenMetrics.
/// A `# UNIT` line stands where the name ends in a base unit (OpenMetrics only). Histograms get the `+Inf`
/// bucket if it is missing. Label values and help that are not UTF-8, and NUL, appear as U+FFFD.
class ExpositionWriter {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;
  using CommonLabels = std::size_t;
  static constexpr CommonLabels kNoCommonLabels = 0;

  /// \param text  what is written is added to it
  ExpositionWriter(ExpositionFormat format, TextBuffer text);

  /// Labels that many samples begin with, checked and escaped once.
  /// \return  the number by which samples refer to them; never kNoCommonLabels
  CommonLabels add_common(const Labels& labels);
  /// Begins a family: the samples that follow belong to it.
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type);
  void sample(const prometheus::ClientMetric& metric, CommonLabels common = kNoCommonLabels);
  /// Ends the text; nothing may be written after it.
  [[nodiscard]] TextBuffer finish() &&;

  /// Families and samples that were left out because they cannot be written legally: invalid or repeated
  /// metric name, invalid or repeated label name, a counter that is negative or NaN, buckets that are not
  /// cumulative.
  [[nodiscard]] std::size_t skipped() const { return skipped_; }

 private:
  /// Names of families, each once. Exact, and without an allocation for each of the thousand names of a
  /// scrape.
  class NameSet {
   public:
    NameSet();
    /// False when `name` was there.
    bool insert(std::string_view name);

   private:
    struct Place {
      std::uint32_t end = 0;  ///< of the name in text_; 0 = free
      std::uint32_t length = 0;
    };
    [[nodiscard]] Place& place_of(std::string_view name);
    std::vector<Place> places_;  ///< hash table with open addressing; a power of two, at most half full
    std::size_t count_ = 0;
    TextBuffer text_;  ///< all names
  };
  struct Common {
    std::string text;                ///< escaped, without braces
    std::vector<std::string> names;  ///< of the labels in `text`
    bool valid = true;
  };
  /// `le` or `quantile` of one line.
  struct Extra {
    std::string_view name;
    std::string_view value;
  };
  void close_family();
  void write_header(std::string_view help);
  [[nodiscard]] bool legal(const prometheus::ClientMetric& metric, const Common& common) const;
  void write_summary(const prometheus::ClientMetric& metric);
  void write_histogram(const prometheus::ClientMetric& metric);
  /// One line.
  /// \param value  double or std::uint64_t
  template <typename Value>
  void write_line(std::string_view suffix, std::optional<Extra> extra, Value value,
                  std::int64_t timestamp_ms);
  /// `bound` as a label value. `index` is its place among those of its sample: most samples have the same.
  [[nodiscard]] std::string_view bound_text(std::size_t index, double bound);

  const bool open_metrics_;
  NameSet written_;
  std::vector<Common> common_;                          ///< by number
  std::vector<std::pair<double, std::string>> bounds_;  ///< rendered last, by place

  // The family that was begun last.
  std::string name_;
  prometheus::MetricType type_ = prometheus::MetricType::Untyped;
  bool writable_ = false;  ///< its name is legal and new
  bool refused_ = false;   ///< a sample of it was left out
  std::size_t start_ = 0, header_end_ = 0;

  TextBuffer labels_;  ///< of the sample being written, without braces
  TextBuffer out_;
  std::size_t skipped_ = 0;
};

/// Writes `value` as both formats spell it: NaN, +Inf, -Inf, integers below 2^53 plain, else the shortest
/// decimal that reads back as the same double.
/// \param at  room for kValueBytesMax
/// \return   behind the last byte
char* write_value(char* at, double value);
inline constexpr std::size_t kValueBytesMax = 32;

}  // namespace wk::exporter
