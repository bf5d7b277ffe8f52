#include "exporter/app/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace wk::exporter {

Result<std::string> query_text(const Query& query, const std::string& name) {
  const auto [begin, end] = query.equal_range(name);
  if (begin == end) return std::string{};
  if (std::next(begin) != end)
    return Error{Errc::kInvalidInput,
                 fmt::format("parameter \"{}\" stands more than once; write it once", name)};
  return begin->second;
}

Result<std::uint64_t> query_number(const Query& query, const std::string& name, std::uint64_t lowest,
                                   std::uint64_t highest, std::uint64_t fallback) {
  const auto text = query_text(query, name);
  if (!text) return text.error();
  if (text->empty()) return fallback;
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (fault != std::errc{} || end != text->data() + text->size() || value < lowest || value > highest)
    return Error{Errc::kInvalidInput, fmt::format("parameter \"{}\": \"{}\" is no whole number from {} to {}",
                                                  name, printable(*text, 40), lowest, highest)};
  return value;
}

std::vector<std::string> query_list(const Query& query, const std::string& name) {
  std::vector<std::string> values;
  const auto [first, last] = query.equal_range(name);
  for (auto each = first; each != last; ++each) {
    const std::string& text = each->second;
    for (std::size_t begin = 0; begin <= text.size();) {
      const auto comma = std::min(text.find(',', begin), text.size());
      if (comma > begin) values.push_back(text.substr(begin, comma - begin));
      begin = comma + 1;
    }
  }
  return values;
}

int http_status_of(const Error& error) {
  switch (error.code) {
    case Errc::kInvalidInput:
      return 400;
    case Errc::kNotFound:
      return 404;
    case Errc::kNotAllowed:
      return 403;
    case Errc::kTooLarge:
    case Errc::kCancelled:
      return 503;
    case Errc::kTimedOut:
      return 504;
    default:
      return 500;
  }
}

}  // namespace wk::exporter
