// What a text file may hold.
//
// Thread: any; pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace wk {

/// Where a byte stands that no text file of ours may hold.
struct ControlCharacter {
  std::size_t line = 0;    ///< from 0
  std::size_t column = 0;  ///< from 0, in bytes
  unsigned char value = 0;
};

/// The first control character but tab, line feed and carriage return; nullopt when there is none. Readers of
/// configuration refuse such text before a YAML library sees it: yaml-cpp 0.7 does not come back from some of
/// it.
std::optional<ControlCharacter> find_control_character(std::string_view text);

/// The line (from 0) on which a second YAML document begins: "---" in the first column, behind anything but
/// blank lines, comments and directives. No other construct can hold it there. yaml-cpp reads the first one
/// and says nothing of the rest.
std::optional<std::size_t> second_yaml_document(std::string_view text);

}  // namespace wk
