#include "server/config/properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "server/config/value.h"

namespace wk::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | (code >> 6));
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3F));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

/// Hands out the natural lines of a text (ended by \n, \r or \r\n).
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const std::size_t end = rest_.find_first_of("\r\n");
    const std::string_view line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      const bool pair = rest_[end] == '\r' && end + 1 < rest_.size() && rest_[end + 1] == '\n';
      rest_.remove_prefix(end + (pair ? 2 : 1));
    }
    return line;
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

bool ends_in_continuation(std::string_view line) {
  const std::size_t last_other = line.find_last_not_of('\\');
  const std::size_t count = last_other == std::string_view::npos ? line.size() : line.size() - last_other - 1;
  return count % 2 == 1;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

/// Where the key ends: the first unescaped separator.
std::size_t end_of_key(std::string_view line) {
  bool escaped = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (!escaped && (c == '=' || c == ':' || is_blank(c))) return i;
    escaped = c == '\\' && !escaped;
  }
  return line.size();
}

class Unescaper {
 public:
  Unescaper(const Place& place, Diagnostics& diagnostics) : place_(place), diagnostics_(diagnostics) {}

  std::string run(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::uint32_t high_surrogate = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c != '\\' || i + 1 == text.size()) {
        append_utf8(out, static_cast<unsigned char>(c));
        continue;
      }
      c = text[++i];
      if (c == 'u') {
        const std::optional<std::uint32_t> unit = hex_unit(text.substr(i + 1, 4));
        if (!unit) {
          diagnostics_.push_back({Severity::kError, place_, "", "Malformed \\uxxxx encoding.",
                                  "write \\u and four hexadecimal digits"});
          return out;
        }
        i += 4;
        if (*unit >= 0xD800 && *unit < 0xDC00) {
          high_surrogate = *unit;
        } else if (*unit >= 0xDC00 && *unit < 0xE000) {
          append_utf8(out, high_surrogate != 0
                               ? 0x10000 + ((high_surrogate - 0xD800) << 10) + (*unit - 0xDC00)
                               : 0xFFFD);
          high_surrogate = 0;
        } else {
          append_utf8(out, *unit);
        }
        continue;
      }
      static constexpr std::string_view kNames = "tnrf", kCharacters = "\t\n\r\f";
      const std::size_t known = kNames.find(c);
      append_utf8(out, static_cast<unsigned char>(known != std::string_view::npos ? kCharacters[known] : c));
    }
    return out;
  }

 private:
  static std::optional<std::uint32_t> hex_unit(std::string_view digits) {
    if (digits.size() != 4) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : digits) {
      const bool decimal = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
      if (!decimal && !lower && !upper) return std::nullopt;
      value = value * 16 + static_cast<std::uint32_t>(decimal ? c - '0'
                                                      : lower ? c - 'a' + 10
                                                              : c - 'A' + 10);
    }
    return value;
  }

  const Place& place_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::vector<Property> parse_properties(const std::string& file, std::string_view text,
                                       Diagnostics& diagnostics) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
    diagnostics.push_back(
        {Severity::kWarning,
         {file, 1},
         "",
         "the file begins with a byte order mark, which would spoil its first key in Apache ZooKeeper",
         "save it as plain ASCII"});
  }
  std::vector<Property> properties;
  Lines lines(text);
  while (auto line = lines.next()) {
    skip_blanks(*line);
    if (line->empty() || line->front() == '#' || line->front() == '!') continue;
    const Place place{file, lines.number()};
    std::string logical(*line);
    while (ends_in_continuation(logical)) {
      logical.pop_back();
      auto next = lines.next();
      if (!next) break;
      skip_blanks(*next);
      logical += *next;
    }
    if (std::ranges::any_of(logical, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
      Diagnostic& diagnostic = diagnostics.emplace_back();
      diagnostic.severity = Severity::kWarning;
      diagnostic.place = place;
      diagnostic.reason =
          "the line has bytes outside ASCII; they are read as ISO-8859-1, as Apache ZooKeeper does";
      diagnostic.remedy = "write such characters as \\uXXXX";
    }
    const std::string_view whole = logical;
    const std::size_t key_end = end_of_key(whole);
    std::string_view rest = whole.substr(key_end);
    skip_blanks(rest);
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) {
      rest.remove_prefix(1);
      skip_blanks(rest);
    }
    Unescaper unescaper(place, diagnostics);
    const std::string key = unescaper.run(whole.substr(0, key_end));
    const std::string value = unescaper.run(rest);
    properties.push_back({std::string(trimmed(key)), std::string(trimmed(value)), place.line});
  }
  return properties;
}

}  // namespace wk::config
