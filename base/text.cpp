#include "base/text.h"

#include <algorithm>

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

std::optional<std::size_t> second_yaml_document(std::string_view text) {
  bool content = false;
  for (std::size_t line = 0; !text.empty(); ++line) {
    const std::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), row.size() + 1));
    if (row.starts_with("---") && (row.size() == 3 || row[3] == ' ' || row[3] == '\t' || row[3] == '\r')) {
      if (content) return line;
      content = row.find_first_not_of(" \t\r", 3) != std::string_view::npos;
      continue;
    }
    const auto first = row.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && row[first] != '#' && row[0] != '%') content = true;
  }
  return std::nullopt;
}

}  // namespace wk
