#include "base/text.h"

namespace wk {

std::optional<ControlCharacter> find_control_character(std::string_view text) {
  ControlCharacter at;
  for (const char c : text) {
    at.value = static_cast<unsigned char>(c);
    if (at.value < 0x20 && c != '\t' && c != '\n' && c != '\r') return at;
    if (c == '\n') {
      ++at.line;
      at.column = 0;
    } else {
      ++at.column;
    }
  }
  return std::nullopt;
}

}  // namespace wk
