#include "server/tree/path.h"

#include <cstdint>

namespace wk::tree {
namespace {

/// True for the second and later bytes of a UTF-8 sequence.
constexpr bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

/// Size of the UTF-8 sequence that starts at `at` when it stands for a character that a path may hold; 0 when
/// not. Only two- and three-byte sequences can: one byte is the caller's, four bytes are a surrogate pair in
/// UTF-16.
std::size_t valid_sequence(std::string_view path, std::size_t at) {
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(path[i])}; };
  const auto continues = [&](std::size_t i) { return i < path.size() && is_continuation(path[i]); };
  const std::uint32_t lead = byte(at);
  if (lead >= 0xc2 && lead <= 0xdf) {
    if (!continues(at + 1)) return 0;
    return ((lead & 0x1f) << 6 | (byte(at + 1) & 0x3f)) >= 0xa0 ? 2 : 0;  // U+0080–U+009F are controls
  }
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!continues(at + 1) || !continues(at + 2)) return 0;
    const std::uint32_t point = (lead & 0x0f) << 12 | (byte(at + 1) & 0x3f) << 6 | (byte(at + 2) & 0x3f);
    const bool overlong = point < 0x800;
    const bool surrogate_or_private = point >= 0xd800 && point <= 0xf8ff;
    return overlong || surrogate_or_private || point >= 0xfff0 ? 0 : 3;
  }
  return 0;
}

}  // namespace

bool is_valid_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return false;
  if (path.size() == 1) return true;
  if (path.back() == '/') return false;
  std::size_t component = 1;  // where the current component starts
  for (std::size_t i = 1; i <= path.size();) {
    if (i == path.size() || path[i] == '/') {
      const std::string_view name = path.substr(component, i - component);
      if (name.empty() || name == "." || name == "..") return false;
      component = ++i;
      continue;
    }
    const auto byte = static_cast<unsigned char>(path[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    const std::size_t size = byte < 0x80 ? 1 : valid_sequence(path, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

bool is_reserved_path(std::string_view path) {
  return path == kRootPath || path == kZookeeperPath || path == kQuotaPath || path == kConfigPath;
}

bool has_parent_and_name(std::string_view path) {
  return !path.empty() && path.front() == '/' && path.back() != '/';
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::size_t utf16_length(std::string_view utf8) {
  std::size_t units = 0;
  for (const char byte : utf8) {
    if (is_continuation(byte)) continue;
    units += static_cast<unsigned char>(byte) >= 0xf0 ? 2 : 1;
  }
  return units;
}

}  // namespace wk::tree
