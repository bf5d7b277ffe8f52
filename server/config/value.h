// Values as Apache's server reads them.
//
// Reference: reference/configuration.md, section 1.2. Thread: any; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wk::config {

/// Integer.parseInt: decimal digits with an optional sign, 32 bits.
std::optional<std::int32_t> parse_strict_int(std::string_view text);
/// Long.parseLong: the same with 64 bits.
std::optional<std::int64_t> parse_strict_long(std::string_view text);
/// Integer.decode and Long.decode: an optional sign, then decimal, 0x, 0X or # for hexadecimal, a leading 0
/// for octal.
std::optional<std::int32_t> decode_int(std::string_view text);
std::optional<std::int64_t> decode_long(std::string_view text);
/// "true" or "false" in any case.
std::optional<bool> parse_strict_bool(std::string_view text);
/// A decimal floating-point number, finite.
std::optional<double> parse_double(std::string_view text);

/// String.trim: without blanks and control characters at both ends.
std::string_view trimmed(std::string_view text);

/// Equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace wk::config
