#include "server/config/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace wk::config {
namespace {

/// Sign and digits in `base`, all of `text`.
template <typename Integer>
std::optional<Integer> parse_digits(std::string_view sign_and_digits, int base) {
  std::string_view digits = sign_and_digits;
  bool negative = false;
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) {
    negative = digits.front() == '-';
    digits.remove_prefix(1);
  }
  if (digits.empty() || digits.front() == '-' || digits.front() == '+') return std::nullopt;
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const auto limit = static_cast<std::uint64_t>(std::numeric_limits<Integer>::max());
  if (magnitude > limit + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<Integer>(negative ? std::uint64_t{0} - magnitude : magnitude);
}

template <typename Integer>
std::optional<Integer> decode(std::string_view text) {
  std::string sign;
  std::string_view rest = text;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    sign = rest.front();
    rest.remove_prefix(1);
  }
  int base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.starts_with("#")) {
    base = 16;
    rest.remove_prefix(1);
  } else if (rest.starts_with("0") && rest.size() > 1) {
    base = 8;
    rest.remove_prefix(1);
  }
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) return std::nullopt;
  return parse_digits<Integer>(sign.append(rest), base);
}

}  // namespace

std::optional<std::int32_t> parse_strict_int(std::string_view text) {
  return parse_digits<std::int32_t>(text, 10);
}
std::optional<std::int64_t> parse_strict_long(std::string_view text) {
  return parse_digits<std::int64_t>(text, 10);
}
std::optional<std::int32_t> decode_int(std::string_view text) { return decode<std::int32_t>(text); }
std::optional<std::int64_t> decode_long(std::string_view text) { return decode<std::int64_t>(text); }

std::optional<bool> parse_strict_bool(std::string_view text) {
  if (equal_ignoring_case(text, "true")) return true;
  if (equal_ignoring_case(text, "false")) return false;
  return std::nullopt;
}

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace wk::config
