#include "exporter/web/request_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace wk::exporter {
namespace {

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const std::optional<int> high = hex_digit(text[i + 1]);
      const std::optional<int> low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      decoded += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_blank ? ' ' : text[i];
    }
  }
  return decoded;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(std::min(path.size(), slash + 1));
  }
  return false;
}

/// \param path  with valid percent-encodings, which never span a slash; begins with '/' or is empty
std::vector<std::string> decoded_segments(std::string_view path) {
  std::vector<std::string> segments;
  do {
    path.remove_prefix(std::min<std::size_t>(path.size(), 1));
    const std::string_view segment = path.substr(0, path.find('/'));
    segments.push_back(percent_decode(segment, false).value_or(""));
    path.remove_prefix(segment.size());
  } while (!path.empty());
  return segments;
}

Error invalid(std::string_view what) {
  return Error{Errc::kInvalidInput, fmt::format("the request target {}", what)};
}

}  // namespace

Result<RequestTarget> parse_request_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with(scheme)) {
      target.remove_prefix(scheme.size());
      target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
      break;
    }
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  std::string_view query = target.substr(std::min(mark + 1, target.size()));
  const std::string_view encoded_path = target.substr(0, mark);
  if (!encoded_path.empty() && encoded_path[0] != '/') return invalid("does not begin with '/'");
  const std::optional<std::string> path = percent_decode(encoded_path, false);
  if (!path) return invalid("has an invalid percent-encoding in its path");

  RequestTarget result;
  result.path = path->empty() ? "/" : *path;
  if (has_control(result.path)) return invalid("has a control character in its path");
  if (has_dot_segment(result.path)) return invalid("has a '.' or '..' segment in its path");
  result.segments = decoded_segments(encoded_path);

  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    if (result.query.size() == kQueryParametersMax) {
      return Error{Errc::kTooLarge,
                   fmt::format("the request target has more than {} query parameters", kQueryParametersMax)};
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> key = percent_decode(pair.substr(0, equals), true);
    std::optional<std::string> value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!key || !value) return invalid("has an invalid percent-encoding in its query");
    result.query.emplace(std::move(*key), std::move(*value));
  }
  return result;
}

}  // namespace wk::exporter
