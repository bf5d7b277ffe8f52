#include "server/config/secrets.h"

#include <algorithm>
#include <array>

namespace wk::config {
namespace {

bool names_a_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 3> kParts{"password", "passwd", "superdigest"};
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::ranges::any_of(
      kParts, [&lower](std::string_view part) { return lower.find(part) != std::string::npos; });
}

}  // namespace

std::string without_secrets(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  bool hidden = false;  // the line before was a secret's and goes on in this one
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool goes_on = line.ends_with('\\') || line.ends_with("\\\r");
    if (!hidden) {
      const std::size_t separator = line.find_first_of("=: \t", line.find_first_not_of(" \t"));
      if (separator != std::string_view::npos && names_a_secret(line.substr(0, separator))) {
        shown += line.substr(0, separator);
        shown += "=***";
        hidden = goes_on;
      } else {
        shown += line;
      }
      if (end != std::string_view::npos) shown += '\n';
    } else {
      hidden = goes_on;
    }
  }
  return shown;
}

}  // namespace wk::config
