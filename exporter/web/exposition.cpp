#include "exporter/web/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "base/metric_type.h"

namespace wk::exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kTotal = "_total";
constexpr std::size_t kFamiliesExpected = 1024;
constexpr std::size_t kNameBytesExpected = 48 * kFamiliesExpected;

// Above this, neighbouring doubles are more than 1 apart and plain digits would claim a precision that is not
// there.
constexpr double kPlainIntegerMax = 9007199254740992.0;

// OpenMetrics' and Prometheus' base units; `ratio` is Prometheus' name for a fraction of one.
constexpr std::array<std::string_view, 9> kUnits = {"seconds", "bytes",   "ratio",  "celsius", "meters",
                                                    "volts",   "amperes", "joules", "grams"};

/// What a character may be part of. Every character of a scrape's names and labels is looked up.
enum CharacterClass : std::uint8_t {
  kNameStart = 1,  ///< the first one of a name
  kName = 2,
  kPlain = 4,  ///< stands for itself in HELP lines and label values
};
constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (letter) classes[c] |= kNameStart;
    if (letter || (c >= '0' && c <= '9')) classes[c] |= kName;
    if (c >= 0x20 && c < 0x7F && c != '\\' && c != '"') classes[c] |= kPlain;
  }
  return classes;
}();
bool is_of(char c, CharacterClass wanted) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; }

bool valid_metric_name(std::string_view name) {
  if (name.empty() || !(is_of(name[0], kNameStart) || name[0] == ':')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_of(c, kName) || c == ':'; });
}

bool valid_label_name(std::string_view name) {
  // Two leading underscores are reserved to Prometheus itself (__name__ and relabelling).
  if (name.empty() || !is_of(name[0], kNameStart) || name.starts_with("__")) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_of(c, kName); });
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

void append_escaped(TextBuffer& out, std::string_view text, bool escape_quote) {
  const auto first = std::find_if_not(text.begin(), text.end(), [](char c) { return is_of(c, kPlain); });
  auto i = static_cast<std::size_t>(first - text.begin());
  out.append(text.substr(0, i));
  while (i < text.size()) {
    const char c = text[i];
    if (c == '\\') {
      out.append("\\\\");
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '"' && escape_quote) {
      out.append("\\\"");
    } else if (c == '\0') {
      out.append(kReplacement);
    } else if (static_cast<unsigned char>(c) < 0x80) {
      out.append(c);
    } else if (const std::size_t length = utf8_length(text.substr(i)); length > 0) {
      out.append(text.substr(i, length));
      i += length;
      continue;
    } else {
      out.append(kReplacement);
    }
    ++i;
  }
}

constexpr std::size_t kIntegerBytesMax = 24;

char* write_integer(char* at, std::int64_t value) {
  return std::to_chars(at, at + kIntegerBytesMax, value).ptr;
}

char* write_number(char* at, double value) { return write_value(at, value); }
char* write_number(char* at, std::uint64_t value) {
  return std::to_chars(at, at + kIntegerBytesMax, value).ptr;
}

char* write_text(char* at, std::string_view text) {
  if (text.empty()) return at;
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
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

void append_labels(TextBuffer& out, const std::vector<ClientMetric::Label>& labels) {
  for (const auto& label : labels) {
    if (out.size() > 0) out.append(',');
    out.append(label.name);
    out.append("=\"");
    append_escaped(out, label.value, true);
    out.append('"');
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

ExpositionWriter::NameSet::NameSet() : places_(2 * kFamiliesExpected) { text_.reserve(kNameBytesExpected); }

ExpositionWriter::NameSet::Place& ExpositionWriter::NameSet::place_of(std::string_view name) {
  const std::size_t mask = places_.size() - 1;
  std::size_t at = std::hash<std::string_view>{}(name)&mask;
  while (places_[at].end != 0) {
    const Place& taken = places_[at];
    if (text_.view().substr(taken.end - taken.length, taken.length) == name) break;
    at = (at + 1) & mask;
  }
  return places_[at];
}

bool ExpositionWriter::NameSet::insert(std::string_view name) {
  if (2 * (count_ + 1) > places_.size()) {
    const std::vector<Place> before = std::exchange(places_, std::vector<Place>(2 * places_.size()));
    for (const Place& old : before)
      if (old.end != 0) place_of(text_.view().substr(old.end - old.length, old.length)) = old;
  }
  Place& place = place_of(name);
  if (place.end != 0) return false;
  text_.append(name);
  place = {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size())};
  ++count_;
  return true;
}

ExpositionWriter::ExpositionWriter(ExpositionFormat format, TextBuffer text)
    : open_metrics_(format != ExpositionFormat::kText004), common_(1), out_(std::move(text)) {}

ExpositionWriter::CommonLabels ExpositionWriter::add_common(const Labels& labels) {
  Common& common = common_.emplace_back();
  common.valid = valid_labels(labels, {}, {});
  labels_.truncate(0);
  if (common.valid) append_labels(labels_, labels);
  common.text = labels_.view();
  for (const auto& label : labels) common.names.push_back(label.name);
  return common_.size() - 1;
}

TextBuffer ExpositionWriter::finish() && {
  close_family();
  if (open_metrics_) out_.append("# EOF\n");
  return std::move(out_);
}

void ExpositionWriter::begin(std::string_view name, std::string_view help, MetricType type) {
  close_family();
  name_ = name;
  type_ = type;
  refused_ = false;
  writable_ = valid_metric_name(name) && written_.insert(name);
  if (!writable_) {
    ++skipped_;
    return;
  }
  start_ = out_.size();
  write_header(help);
  header_end_ = out_.size();
}

// A family whose every sample was refused would leave a header that promises something.
void ExpositionWriter::close_family() {
  if (writable_ && refused_ && out_.size() == header_end_) out_.truncate(start_);
  writable_ = false;
}

void ExpositionWriter::write_header(std::string_view help) {
  std::string_view name = name_;
  std::string_view type = open_metrics_ && type_ == MetricType::Untyped ? "unknown" : type_name(type_);
  if (open_metrics_ && type_ == MetricType::Counter) {
    const std::string_view shortened =
        name.ends_with(kTotal) ? name.substr(0, name.size() - kTotal.size()) : std::string_view();
    if (shortened.empty()) {
      type = "unknown";
    } else {
      name = shortened;
    }
  }
  const auto write = [this, name](std::string_view keyword, std::string_view text) {
    char* at = out_.room(keyword.size() + name.size() + text.size() + 2);
    at = write_text(at, keyword);
    at = write_text(at, name);
    *at++ = ' ';
    at = write_text(at, text);
    *at++ = '\n';
    out_.commit(at);
  };
  if (!help.empty()) {
    out_.append("# HELP ");
    out_.append(name);
    out_.append(' ');
    append_escaped(out_, help, open_metrics_);
    out_.append('\n');
  }
  write("# TYPE ", type);
  if (!open_metrics_) return;
  for (const std::string_view unit : kUnits) {
    if (name.size() > unit.size() + 1 && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_') {
      write("# UNIT ", unit);
      return;
    }
  }
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
    ++skipped_;
    refused_ = true;
    return;
  }
  // A histogram writes its labels many times: they are rendered once.
  labels_.truncate(0);
  labels_.append(shared.text);
  append_labels(labels_, metric.label);
  switch (type_) {
    case MetricType::Counter:
      write_line("", std::nullopt, metric.counter.value, metric.timestamp_ms);
      break;
    case MetricType::Gauge:
      write_line("", std::nullopt, metric.gauge.value, metric.timestamp_ms);
      break;
    case MetricType::Untyped:
      write_line("", std::nullopt, metric.untyped.value, metric.timestamp_ms);
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
  const auto& summary = metric.summary;
  for (std::size_t i = 0; i < summary.quantile.size(); ++i)
    write_line("", Extra{"quantile", bound_text(i, summary.quantile[i].quantile)}, summary.quantile[i].value,
               metric.timestamp_ms);
  write_line("_sum", std::nullopt, summary.sample_sum, metric.timestamp_ms);
  write_line("_count", std::nullopt, summary.sample_count, metric.timestamp_ms);
}

void ExpositionWriter::write_histogram(const ClientMetric& metric) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto& histogram = metric.histogram;
  const auto& buckets = histogram.bucket;
  for (std::size_t i = 0; i < buckets.size(); ++i)
    write_line("_bucket", Extra{"le", bound_text(i, buckets[i].upper_bound)}, buckets[i].cumulative_count,
               metric.timestamp_ms);
  if (buckets.empty() || buckets.back().upper_bound != infinity)
    write_line("_bucket", Extra{"le", bound_text(buckets.size(), infinity)}, histogram.sample_count,
               metric.timestamp_ms);
  write_line("_sum", std::nullopt, histogram.sample_sum, metric.timestamp_ms);
  write_line("_count", std::nullopt, histogram.sample_count, metric.timestamp_ms);
}

std::string_view ExpositionWriter::bound_text(std::size_t index, double bound) {
  if (index >= bounds_.size()) bounds_.resize(index + 1, {std::numeric_limits<double>::quiet_NaN(), ""});
  auto& [rendered, text] = bounds_[index];
  if (rendered == bound) return text;
  // As OpenMetrics' canonical numbers: always with a point or an exponent.
  std::array<char, kValueBytesMax> digits{};
  text.assign(digits.data(), write_value(digits.data(), bound));
  if (std::isfinite(bound) && text.find_first_of(".e") == std::string::npos) text += ".0";
  rendered = bound;
  return text;
}

template <typename Value>
void ExpositionWriter::write_line(std::string_view suffix, std::optional<Extra> extra, Value value,
                                  std::int64_t timestamp_ms) {
  constexpr std::size_t kPunctuation = 16;
  const std::string_view labels = labels_.view();
  char* at = out_.room(name_.size() + suffix.size() + labels.size() + kPunctuation +
                       (extra ? extra->name.size() + extra->value.size() : 0) + 2 * kValueBytesMax);
  at = write_text(at, name_);
  at = write_text(at, suffix);
  if (!labels.empty() || extra) {
    *at++ = '{';
    at = write_text(at, labels);
    if (extra) {
      if (!labels.empty()) *at++ = ',';
      at = write_text(at, extra->name);
      at = write_text(at, "=\"");
      at = write_text(at, extra->value);
      *at++ = '"';
    }
    *at++ = '}';
  }
  *at++ = ' ';
  at = write_number(at, value);
  if (timestamp_ms != 0) {
    *at++ = ' ';
    at = open_metrics_ ? write_value(at, static_cast<double>(timestamp_ms) / 1000.0)
                       : write_integer(at, timestamp_ms);
  }
  *at++ = '\n';
  out_.commit(at);
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

char* write_value(char* at, double value) {
  if (std::isnan(value)) return write_text(at, "NaN");
  if (std::isinf(value)) return write_text(at, value > 0 ? "+Inf" : "-Inf");
  if (std::abs(value) < kPlainIntegerMax && std::trunc(value) == value)
    return write_integer(at, static_cast<std::int64_t>(value));
  return std::to_chars(at, at + kValueBytesMax, value).ptr;
}

}  // namespace wk::exporter
