// Hexadecimal text ↔ bytes, for expectations that can be compared with a packet dump.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wk::jute {

/// "00 0a ff" → three bytes; blanks are ignored.
inline std::vector<std::byte> bytes(std::string_view hex) {
  std::string digits;
  for (const char c : hex)
    if (c != ' ') digits.push_back(c);
  std::vector<std::byte> out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return out;
}

inline std::string hex(const std::vector<std::byte>& in) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : in) {
    if (!out.empty()) out.push_back(' ');
    out.push_back(kDigits[std::to_integer<std::size_t>(byte >> 4)]);
    out.push_back(kDigits[std::to_integer<std::size_t>(byte & std::byte{0xf})]);
  }
  return out;
}

}  // namespace wk::jute
