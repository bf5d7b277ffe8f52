#include "exporter/web/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_set>

namespace wk::exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kTotal = "_total";
constexpr std::size_t kFirstReserve = 64 * 1024;
constexpr std::size_t kFamiliesExpected = 1024;

// Above this, neighbouring doubles are more than 1 apart and plain digits would claim a precision that is not
// there.
constexpr double kPlainIntegerMax = 9007199254740992.0;

// OpenMetrics' and Prometheus' base units; `ratio` is Prometheus' name for a fraction of one.
constexpr std::array<std::string_view, 9> kUnits = {"seconds", "bytes",   "ratio",  "celsius", "meters",
                                                    "volts",   "amperes", "joules", "grams"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool valid_metric_name(std::string_view name) {
  if (name.empty() || !(is_letter(name[0]) || name[0] == ':')) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == ':'; });
}

bool valid_label_name(std::string_view name) {
  // Two leading underscores are reserved to Prometheus itself (__name__ and relabelling).
  if (name.empty() || !is_letter(name[0]) || name.starts_with("__")) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

/// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none (Unicode 15, table
/// 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned char low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = first == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned char low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// True for the characters that stand for themselves in HELP lines and label values.
bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '\\' && c != '"'; }

void append_escaped(std::string& out, std::string_view text, bool escape_quote) {
  const auto first = std::find_if_not(text.begin(), text.end(), is_plain);
  out.append(text.begin(), first);
  for (auto i = static_cast<std::size_t>(first - text.begin()); i < text.size();) {
    const char c = text[i];
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && escape_quote) {
      out += "\\\"";
    } else if (c == '\0') {
      out += kReplacement;
    } else if (static_cast<unsigned char>(c) < 0x80) {
      out += c;
    } else if (const std::size_t length = utf8_length(text.substr(i)); length > 0) {
      out += text.substr(i, length);
      i += length;
      continue;
    } else {
      out += kReplacement;
    }
    ++i;
  }
}

template <typename Integer>
void append_integer(std::string& out, Integer value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// A bound or quantile as a label value: always with a point or an exponent, as OpenMetrics' canonical
/// numbers.
void append_bound(std::string& out, double value) {
  const std::size_t start = out.size();
  append_value(out, value);
  if (std::isfinite(value) && out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

/// Whether `labels` may be written after labels with the names `before`.
bool valid_labels(const std::vector<ClientMetric::Label>& labels, const std::vector<std::string>& before,
                  std::string_view reserved) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string& name = labels[i].name;
    if (!valid_label_name(name) || name == reserved) return false;
    // A sample has a handful of labels: comparing pairs is cheaper than any set.
    for (std::size_t j = 0; j < i; ++j)
      if (name == labels[j].name) return false;
    for (const std::string& other : before)
      if (name == other) return false;
  }
  return true;
}

std::string_view reserved_label(MetricType type) {
  return type == MetricType::Histogram ? "le" : type == MetricType::Summary ? "quantile" : std::string_view();
}

void append_labels(std::string& out, const std::vector<ClientMetric::Label>& labels) {
  for (const auto& label : labels) {
    if (!out.empty()) out += ',';
    out.append(label.name).append("=\"");
    append_escaped(out, label.value, true);
    out += '"';
  }
}

bool valid_histogram(const ClientMetric::Histogram& histogram) {
  double bound = -std::numeric_limits<double>::infinity();
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < histogram.bucket.size(); ++i) {
    const ClientMetric::Bucket& bucket = histogram.bucket[i];
    if (std::isnan(bucket.upper_bound) || bucket.cumulative_count < count) return false;
    if (i > 0 && bucket.upper_bound <= bound) return false;
    bound = bucket.upper_bound;
    count = bucket.cumulative_count;
  }
  const bool ends_at_infinity = std::isinf(bound) && bound > 0;
  return ends_at_infinity ? count == histogram.sample_count : count <= histogram.sample_count;
}

bool valid_summary(const ClientMetric::Summary& summary) {
  return std::all_of(summary.quantile.begin(), summary.quantile.end(),
                     [](const auto& q) { return q.quantile >= 0 && q.quantile <= 1; });
}

}  // namespace

ExpositionWriter::ExpositionWriter(ExpositionFormat format, std::size_t expected_bytes,
                                   std::unordered_set<std::string> all_names)
    : open_metrics_(format != ExpositionFormat::kText004), all_names_(std::move(all_names)), common_(1) {
  written_.reserve(kFamiliesExpected);
  result_.text.reserve(std::max(expected_bytes, kFirstReserve));
}

ExpositionWriter::CommonLabels ExpositionWriter::add_common(const Labels& labels) {
  Common& common = common_.emplace_back();
  common.valid = valid_labels(labels, {}, {});
  if (common.valid) append_labels(common.text, labels);
  for (const auto& label : labels) common.names.push_back(label.name);
  return common_.size() - 1;
}

Exposition ExpositionWriter::finish() && {
  close_family();
  if (open_metrics_) out() += "# EOF\n";
  return std::move(result_);
}

void ExpositionWriter::begin(std::string_view name, std::string_view help, MetricType type) {
  close_family();
  name_ = name;
  type_ = type;
  refused_ = false;
  writable_ = valid_metric_name(name) && written_.insert(name_).second;
  if (!writable_) {
    ++result_.skipped;
    return;
  }
  start_ = out().size();
  write_header(help);
  header_end_ = out().size();
}

// A family whose every sample was refused would leave a header that promises something.
void ExpositionWriter::close_family() {
  if (writable_ && refused_ && out().size() == header_end_) out().resize(start_);
  writable_ = false;
}

void ExpositionWriter::write(const MetricFamily& family) {
  begin(family.name, family.help, family.type);
  for (const ClientMetric& metric : family.metric) sample(metric);
}

void ExpositionWriter::write_header(std::string_view help) {
  std::string_view name = name_;
  std::string_view type = type_name(type_);
  if (open_metrics_ && type_ == MetricType::Counter) {
    const std::string_view shortened =
        name.ends_with(kTotal) ? name.substr(0, name.size() - kTotal.size()) : std::string_view();
    if (shortened.empty() || all_names_.contains(std::string(shortened))) {
      type = "unknown";
    } else {
      name = shortened;
    }
  }
  if (!help.empty()) {
    out().append("# HELP ").append(name) += ' ';
    append_escaped(out(), help, open_metrics_);
    out() += '\n';
  }
  out().append("# TYPE ").append(name).append(" ").append(type) += '\n';
  if (open_metrics_) write_unit(name);
}

void ExpositionWriter::write_unit(std::string_view name) {
  for (const std::string_view unit : kUnits) {
    if (name.size() > unit.size() + 1 && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_') {
      out().append("# UNIT ").append(name).append(" ").append(unit) += '\n';
      return;
    }
  }
}

std::string_view ExpositionWriter::type_name(MetricType type) const {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Summary:
      return "summary";
    case MetricType::Histogram:
      return "histogram";
    case MetricType::Untyped:
      break;
  }
  return open_metrics_ ? "unknown" : "untyped";
}

bool ExpositionWriter::legal(const ClientMetric& metric, const Common& common) const {
  if (!common.valid) return false;
  const std::string_view reserved = reserved_label(type_);
  if (!reserved.empty() && std::ranges::find(common.names, reserved) != common.names.end()) return false;
  if (!valid_labels(metric.label, common.names, reserved)) return false;
  switch (type_) {
    case MetricType::Counter:
      return metric.counter.value >= 0;
    case MetricType::Histogram:
      return valid_histogram(metric.histogram);
    case MetricType::Summary:
      return valid_summary(metric.summary);
    case MetricType::Gauge:
    case MetricType::Untyped:
      break;
  }
  return true;
}

void ExpositionWriter::sample(const ClientMetric& metric, CommonLabels common) {
  if (!writable_) return;
  const Common& shared = common_.at(common);
  if (!legal(metric, shared)) {
    ++result_.skipped;
    refused_ = true;
    return;
  }
  // A histogram writes its labels many times: they are rendered once.
  labels_ = shared.text;
  append_labels(labels_, metric.label);
  switch (type_) {
    case MetricType::Counter:
      write_sample("", metric, metric.counter.value);
      break;
    case MetricType::Gauge:
      write_sample("", metric, metric.gauge.value);
      break;
    case MetricType::Untyped:
      write_sample("", metric, metric.untyped.value);
      break;
    case MetricType::Summary:
      write_summary(metric);
      break;
    case MetricType::Histogram:
      write_histogram(metric);
      break;
  }
}

void ExpositionWriter::write_summary(const ClientMetric& metric) {
  for (const auto& quantile : metric.summary.quantile) {
    write_series("", Extra{"quantile", quantile.quantile});
    append_value(out(), quantile.value);
    end_sample(metric);
  }
  write_sample("_sum", metric, metric.summary.sample_sum);
  write_count("_count", metric, metric.summary.sample_count, std::nullopt);
}

void ExpositionWriter::write_histogram(const ClientMetric& metric) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto& histogram = metric.histogram;
  for (const auto& bucket : histogram.bucket) {
    write_count("_bucket", metric, bucket.cumulative_count, Extra{"le", bucket.upper_bound});
  }
  if (histogram.bucket.empty() || histogram.bucket.back().upper_bound != infinity) {
    write_count("_bucket", metric, histogram.sample_count, Extra{"le", infinity});
  }
  write_sample("_sum", metric, histogram.sample_sum);
  write_count("_count", metric, histogram.sample_count, std::nullopt);
}

void ExpositionWriter::write_sample(std::string_view suffix, const ClientMetric& metric, double value) {
  write_series(suffix, std::nullopt);
  append_value(out(), value);
  end_sample(metric);
}

void ExpositionWriter::write_count(std::string_view suffix, const ClientMetric& metric, std::uint64_t count,
                                   std::optional<Extra> extra) {
  write_series(suffix, extra);
  append_integer(out(), count);
  end_sample(metric);
}

void ExpositionWriter::write_series(std::string_view suffix, std::optional<Extra> extra) {
  out().append(name_).append(suffix);
  if (!labels_.empty() || extra) {
    out() += '{';
    out() += labels_;
    if (extra) {
      if (!labels_.empty()) out() += ',';
      out().append(extra->name).append("=\"");
      append_bound(out(), extra->value);
      out() += '"';
    }
    out() += '}';
  }
  out() += ' ';
}

void ExpositionWriter::end_sample(const ClientMetric& metric) {
  if (metric.timestamp_ms != 0) {
    out() += ' ';
    if (open_metrics_) {
      append_value(out(), static_cast<double>(metric.timestamp_ms) / 1000.0);
    } else {
      append_integer(out(), metric.timestamp_ms);
    }
  }
  out() += '\n';
}

std::string_view content_type(ExpositionFormat format) {
  switch (format) {
    case ExpositionFormat::kOpenMetrics001:
      return "application/openmetrics-text; version=0.0.1; charset=utf-8";
    case ExpositionFormat::kOpenMetrics100:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case ExpositionFormat::kText004:
      break;
  }
  return "text/plain; version=0.0.4; charset=utf-8";
}

void append_value(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else if (std::abs(value) < kPlainIntegerMax && std::trunc(value) == value) {
    append_integer(out, static_cast<std::int64_t>(value));
  } else {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
  }
}

Exposition serialise(const std::vector<MetricFamily>& families, ExpositionFormat format) {
  std::unordered_set<std::string> names;
  for (const MetricFamily& family : families) names.insert(family.name);
  ExpositionWriter writer(format, 0, std::move(names));
  for (const MetricFamily& family : families) writer.write(family);
  return std::move(writer).finish();
}

}  // namespace wk::exporter
