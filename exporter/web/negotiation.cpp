#include "exporter/web/negotiation.h"

#include <algorithm>
#include <optional>

#include "exporter/web/http.h"

namespace wk::exporter {
namespace {

constexpr int kQualityMax = 1000;  // q-values have three decimals

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Cuts the text up to the next `separator` outside quotes from `rest`.
std::string_view next_part(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (rest[i] == '"') quoted = !quoted;
    if (quoted && rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
    } else if (!quoted && rest[i] == separator) {
      break;
    }
  }
  const std::string_view part = rest.substr(0, i);
  rest.remove_prefix(std::min(rest.size(), i + 1));
  return trim(part);
}

/// A q-value in thousandths; nothing when it is not one (RFC 9110, 12.4.2).
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = (text[0] - '0') * kQualityMax;
  if (text.size() > 1) {
    if (text[1] != '.' || text.size() > 5) return std::nullopt;
    int weight = kQualityMax / 10;
    for (const char c : text.substr(2)) {
      if (c < '0' || c > '9') return std::nullopt;
      value += (c - '0') * weight;
      weight /= 10;
    }
  }
  if (value > kQualityMax) return std::nullopt;
  return value;
}

struct Element {
  std::string_view value;    ///< media type or coding
  std::string_view version;  ///< the parameter of that name, without quotes; empty when absent
  int quality = kQualityMax;
};

/// The next element of `header`; quality 0 when its q-value cannot be read.
Element next_element(std::string_view& header) {
  std::string_view parameters = next_part(header, ',');
  Element element;
  element.value = next_part(parameters, ';');
  while (!parameters.empty()) {
    std::string_view value = next_part(parameters, ';');
    const std::string_view name = next_part(value, '=');
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (equal_header_name(name, "q")) element.quality = parse_quality(trim(value)).value_or(0);
    if (equal_header_name(name, "version")) element.version = trim(value);
  }
  return element;
}

std::optional<ExpositionFormat> format_of(const Element& element) {
  if (equal_header_name(element.value, "application/openmetrics-text")) {
    if (element.version == "1.0.0") return ExpositionFormat::kOpenMetrics100;
    if (element.version == "0.0.1" || element.version.empty()) return ExpositionFormat::kOpenMetrics001;
    return std::nullopt;
  }
  if (equal_header_name(element.value, "text/plain")) {
    if (element.version == "0.0.4" || element.version.empty()) return ExpositionFormat::kText004;
    return std::nullopt;
  }
  if (element.value == "*/*" || equal_header_name(element.value, "text/*")) return ExpositionFormat::kText004;
  return std::nullopt;
}

}  // namespace

ExpositionFormat choose_format(std::string_view accept) {
  ExpositionFormat best = ExpositionFormat::kText004;
  int best_quality = 0;
  for (std::size_t i = 0; i < kNegotiationElementsMax && !accept.empty(); ++i) {
    const Element element = next_element(accept);
    const std::optional<ExpositionFormat> format = format_of(element);
    if (format && element.quality > best_quality) {
      best = *format;
      best_quality = element.quality;
    }
  }
  return best;
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<int> gzip;
  std::optional<int> any;
  for (std::size_t i = 0; i < kNegotiationElementsMax && !accept_encoding.empty(); ++i) {
    const Element element = next_element(accept_encoding);
    if (equal_header_name(element.value, "gzip") || equal_header_name(element.value, "x-gzip")) {
      gzip = std::max(gzip.value_or(0), element.quality);
    } else if (element.value == "*") {
      any = element.quality;
    }
  }
  return gzip.value_or(any.value_or(0)) > 0;
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  if (trim(if_none_match) == "*") return true;
  for (std::size_t i = 0; i < kNegotiationElementsMax && !if_none_match.empty(); ++i) {
    std::string_view tag = next_part(if_none_match, ',');
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
  }
  return false;
}

}  // namespace wk::exporter
