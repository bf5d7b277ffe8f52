#include "base/ids.h"

#include <array>
#include <charconv>

namespace wk {

std::string Zxid::to_string() const {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

}  // namespace wk
