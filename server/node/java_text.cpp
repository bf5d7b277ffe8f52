#include "server/node/java_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string_view>

namespace wk::node {

std::string java_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  const double magnitude = std::fabs(value);
  std::array<char, 64> buffer{};
  const bool plain = magnitude == 0 || (magnitude >= 1e-3 && magnitude < 1e7);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  std::string text(buffer.data(), end);
  if (plain) return text.find('.') == std::string::npos ? text + ".0" : text;
  // "1.5e-04" → "1.5E-4"; a mantissa always has a decimal.
  const std::size_t exponent = text.find('e');
  std::string mantissa = text.substr(0, exponent);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  int number = 0;
  std::string_view digits = std::string_view(text).substr(exponent + 1);
  if (digits.front() == '+') digits.remove_prefix(1);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return fmt::format("{}E{}", mantissa, number);
}

double round_to_four_decimals(double value) { return std::floor(value * 10'000 + 0.5) / 10'000; }

std::string rounded_mean(double value) {
  std::string text = fmt::format("{:.4f}", round_to_four_decimals(value));
  const std::size_t point = text.find('.');
  while (text.back() == '0' && text.size() > point + 2) text.pop_back();
  return text;
}

std::string java_date(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 64> buffer{};
  const std::size_t size = std::strftime(buffer.data(), buffer.size(), "%a %b %d %H:%M:%S %Z %Y", &parts);
  return {buffer.data(), size};
}

std::string java_hex(std::int64_t value) { return fmt::format("{:x}", static_cast<std::uint64_t>(value)); }

}  // namespace wk::node
