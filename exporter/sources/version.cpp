#include "exporter/sources/version.h"

#include <algorithm>
#include <array>

#include "exporter/sources/text.h"

namespace wk::exporter {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_commit(std::string_view text) {
  constexpr std::size_t kShortestAbbreviation = 7;
  return text.starts_with("${") ||
         (text.size() >= kShortestAbbreviation &&
          text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string short_version(std::string_view text) {
  text = trimmed(text.substr(0, text.find(", built on")));
  // "RaftKeeper v2.1.0": the version is the last word, whatever stands before it.
  if (const auto blank = text.rfind(' '); blank != std::string_view::npos) text.remove_prefix(blank + 1);
  if (text.size() > 1 && text[0] == 'v' && is_digit(text[1])) text.remove_prefix(1);
  if (const auto dash = text.rfind('-'); dash != std::string_view::npos && is_commit(text.substr(dash + 1)))
    text = text.substr(0, dash);
  // Builds of 3.4 to 3.6 have one more dash; without a revision -1 stands for it.
  constexpr std::string_view kNoRevision = "--1";
  if (text.ends_with(kNoRevision)) text.remove_suffix(kNoRevision.size());
  while (text.ends_with('-')) text.remove_suffix(1);
  return clean_text(text, kVersionLimit);
}

bool has_digests(Implementation implementation, std::string_view version) {
  // Only these two count as ZooKeeper does.
  if (implementation != Implementation::kApache && implementation != Implementation::kWatchkeeper)
    return false;
  constexpr int kMajor = 3;
  constexpr int kMinor = 6;
  const auto first = version.find('.');
  if (first == std::string_view::npos) return false;
  const auto second = version.find('.', first + 1);
  const int major = parse_integer<int>(version.substr(0, first)).value_or(0);
  const int minor = parse_integer<int>(version.substr(first + 1, second - first - 1)).value_or(0);
  return major > kMajor || (major == kMajor && minor >= kMinor);
}

Implementation implementation_of(std::string_view version_text) {
  const std::string_view text = trimmed(version_text);
  if (contains(text, "Watchkeeper") || contains(text, "watchkeeper")) return Implementation::kWatchkeeper;
  if (contains(text, "RaftKeeper")) return Implementation::kRaftKeeper;
  if (contains(text, "ClickHouse") || (text.size() > 1 && text[0] == 'v' && is_digit(text[1])))
    return Implementation::kClickHouseKeeper;
  if (!text.empty() && is_digit(text[0])) return Implementation::kApache;
  return Implementation::kUnknown;
}

}  // namespace wk::exporter
