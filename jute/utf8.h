// Text from the wire as Java reads it: UTF-8 in which every malformed sequence is one U+FFFD.
//
// Thread: any. Pure. Source: java.lang.StringCoding (decodeUTF8); reference "Jute encoding".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wk::jute {

inline constexpr char32_t kReplacementCharacter = 0xfffd;

/// Takes the first character off `rest`, which must not be empty: a Unicode scalar value, or
/// kReplacementCharacter for a malformed sequence.
char32_t take_character(std::string_view& rest);

/// True when no sequence of `text` is malformed.
bool is_well_formed(std::string_view text);

/// The first `most` bytes of `text` at most, without a part of a character at their end.
std::string_view cut(std::string_view text, std::size_t most);

/// `text` with each malformed sequence replaced, as UTF-8.
std::string repaired(std::string_view text);

}  // namespace wk::jute
