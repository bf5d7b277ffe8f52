// Paths of znodes: which ones are valid, and their parts.
//
// A path is UTF-8. Validation works on UTF-16 code units as Java sees them, so what Java cannot hold in one
// unit, and malformed UTF-8 (which Java reads as U+FFFD), is invalid. Thread: any; pure, no allocation.
// Source: PathUtils.java; reference client-protocol.md "Path rules".
#pragma once

#include <cstddef>
#include <string_view>

namespace wk::tree {

/// The full check that create, setData, setACL and check make: starts with '/', does not end with one (but
/// for the root), no empty, "." or ".." component, no character of U+0000–U+001F, U+007F–U+009F,
/// U+D800–U+F8FF, U+FFF0–U+FFFF or above.
[[nodiscard]] bool is_valid_path(std::string_view path);

/// True for "/", "/zookeeper", "/zookeeper/quota" and "/zookeeper/config", which nobody may delete.
[[nodiscard]] bool is_reserved_path(std::string_view path);

/// True for a path that begins with '/' and ends with another byte, so that it has a parent and a name.
[[nodiscard]] bool has_parent_and_name(std::string_view path);
/// Everything before the last '/': "" for a child of the root, and for a path without any '/'.
[[nodiscard]] std::string_view parent_of(std::string_view path);
/// Everything behind the last '/'.
[[nodiscard]] std::string_view name_of(std::string_view path);

/// Length in UTF-16 code units, the length that Java's String reports and approximateDataSize sums up.
[[nodiscard]] std::size_t utf16_length(std::string_view utf8);

inline constexpr std::string_view kRootPath = "/";
inline constexpr std::string_view kZookeeperPath = "/zookeeper";
inline constexpr std::string_view kQuotaPath = "/zookeeper/quota";
inline constexpr std::string_view kConfigPath = "/zookeeper/config";

}  // namespace wk::tree
