#include "jute/utf8.h"

#include <cstddef>
#include <cstdint>

namespace wk::jute {

namespace {

std::uint32_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

bool continues(std::string_view text, std::size_t index) { return (byte_at(text, index) & 0xc0) == 0x80; }

char32_t replace(std::string_view& rest, std::size_t consumed) {
  rest.remove_prefix(consumed);
  return kReplacementCharacter;
}

char32_t take_two(std::string_view& rest) {
  if (rest.size() < 2 || !continues(rest, 1)) return replace(rest, 1);
  const char32_t character = (byte_at(rest, 0) & 0x1f) << 6 | (byte_at(rest, 1) & 0x3f);
  rest.remove_prefix(2);
  return character;
}

char32_t take_three(std::string_view& rest) {
  const bool overlong = rest.size() > 1 && byte_at(rest, 0) == 0xe0 && (byte_at(rest, 1) & 0xe0) == 0x80;
  if (rest.size() < 2 || !continues(rest, 1) || overlong) return replace(rest, 1);
  if (rest.size() < 3 || !continues(rest, 2)) return replace(rest, 2);
  const char32_t character =
      (byte_at(rest, 0) & 0x0f) << 12 | (byte_at(rest, 1) & 0x3f) << 6 | (byte_at(rest, 2) & 0x3f);
  rest.remove_prefix(3);
  return character >= 0xd800 && character <= 0xdfff ? kReplacementCharacter : character;
}

char32_t take_four(std::string_view& rest) {
  const std::uint32_t first = byte_at(rest, 0);
  if (first > 0xf4 || rest.size() < 2 || !continues(rest, 1)) return replace(rest, 1);
  const std::uint32_t second = byte_at(rest, 1);
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90)) return replace(rest, 1);
  if (rest.size() < 3 || !continues(rest, 2)) return replace(rest, 2);
  if (rest.size() < 4 || !continues(rest, 3)) return replace(rest, 3);
  const char32_t character = (first & 0x07) << 18 | (second & 0x3f) << 12 | (byte_at(rest, 2) & 0x3f) << 6 |
                             (byte_at(rest, 3) & 0x3f);
  rest.remove_prefix(4);
  return character;
}

void append(std::string& out, char32_t character) {
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80 | (character >> shift & 0x3f)));
  };
  if (character < 0x80) {
    out.push_back(static_cast<char>(character));
  } else if (character < 0x800) {
    out.push_back(static_cast<char>(0xc0 | character >> 6));
    tail(0);
  } else if (character < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | character >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | character >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

char32_t take_character(std::string_view& rest) {
  const std::uint32_t first = byte_at(rest, 0);
  if (first < 0x80) {
    rest.remove_prefix(1);
    return first;
  }
  if (first >= 0xc2 && first <= 0xdf) return take_two(rest);
  if (first >= 0xe0 && first <= 0xef) return take_three(rest);
  if (first >= 0xf0 && first <= 0xf7) return take_four(rest);
  return replace(rest, 1);
}

std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  const auto continues = [text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  while (end > 0 && most - end < 3 && continues(end)) --end;
  // More continuations than a character has belong to none.
  return text.substr(0, continues(end) ? most : end);
}

bool is_well_formed(std::string_view text) {
  while (!text.empty()) {
    const std::string_view before = text;
    // A replacement character that is written out is well formed.
    if (take_character(text) == kReplacementCharacter && !before.starts_with("\xef\xbf\xbd")) return false;
  }
  return true;
}

std::string repaired(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) append(out, take_character(text));
  return out;
}

}  // namespace wk::jute
