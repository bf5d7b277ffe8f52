// The syntax of zoo.cfg: java.util.Properties, line by line.
//
// Separators are `=`, `:` or blanks; `#` and `!` begin a comment only at the start of a line; a backslash at
// the end of a line joins it with the next; bytes are ISO-8859-1, and \uXXXX escapes everything else. Nothing
// is an error but a malformed \uXXXX, as in Java. Reference: reference/configuration.md, section 1.1. Thread:
// any; pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/diagnostic.h"

namespace wk::config {

/// Larger files are no zoo.cfg.
inline constexpr std::size_t kConfigurationBytesMax = 1 << 20;

struct Property {
  std::string key;    ///< UTF-8, trimmed
  std::string value;  ///< UTF-8, trimmed
  int line = 0;       ///< where the entry begins, from 1
};

/// All entries in the order of the file, repeated keys included. Remarks (byte order mark, characters outside
/// ASCII, malformed escapes, control characters) go to `diagnostics`.
/// Differs: a byte order mark is dropped with a warning; in Apache it silently spoils the first key.
std::vector<Property> parse_properties(const std::string& file, std::string_view text,
                                       Diagnostics& diagnostics);

}  // namespace wk::config
