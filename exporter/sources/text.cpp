#include "exporter/sources/text.h"

#include <algorithm>

namespace wk::exporter {
namespace {

constexpr auto kContinuation = [](unsigned char byte) { return (byte & 0xC0U) == 0x80U; };

// Length of the valid UTF-8 character at the start of `text`, 0 when there is none (overlong forms,
// surrogates and values beyond U+10FFFF are none).
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const auto continues = [&](std::size_t i) {
    return i < text.size() && kContinuation(static_cast<unsigned char>(text[i]));
  };
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if ((lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F)) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if ((lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

// U+0080 to U+009F are control characters as well.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  return first < 0x20 || first == 0x7F ||
         (character.size() == 2 && first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t limit) {
  std::string result;
  result.reserve(std::min(text.size(), limit));
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    const std::string_view shown = length == 0 || is_control(character) ? std::string_view("?") : character;
    if (result.size() + shown.size() > limit) break;
    result += shown;
    text.remove_prefix(character.size());
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<std::string_view> Lines::next() {
  if (rest_.empty()) return std::nullopt;
  const auto end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.front() == '+') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Zxid> parse_zxid(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x");
  const auto value = parse_integer<std::uint64_t>(hexadecimal ? text.substr(2) : text, hexadecimal ? 16 : 10);
  if (!value) return std::nullopt;
  return Zxid{*value};
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']') && host.size() >= 2)
    host = host.substr(1, host.size() - 2);
  if (!port || host.empty()) return std::nullopt;
  return HostPort{host, *port};
}

}  // namespace wk::exporter
