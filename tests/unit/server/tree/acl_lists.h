// ACL lists as tests write them down, encoded as the code under test takes them.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

#include "jute/codes.h"
#include "jute/views.h"
#include "jute/writer.h"

namespace wk::tree {

/// Owns the bytes that its view() views.
class AclBytes {
 public:
  AclBytes(std::initializer_list<jute::AclView> entries) : count_(entries.size()) {
    jute::Writer out(bytes_);
    for (const jute::AclView& entry : entries) write(out, entry);
  }
  [[nodiscard]] jute::AclListView view() const { return {bytes_, count_}; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t count_;
};

/// A copy of a list that outlives what it was read from.
inline std::vector<jute::Acl> copy(const jute::AclListView& list) {
  std::vector<jute::Acl> entries;
  for (const jute::AclView& entry : list)
    entries.push_back(
        {entry.perms,
         {std::optional<std::string>(entry.id.scheme), std::optional<std::string>(entry.id.id)}});
  return entries;
}

inline const AclBytes kOpenList{{jute::kPermAll, {"world", "anyone"}}};
inline const AclBytes kReadList{{jute::kPermRead, {"world", "anyone"}}};

}  // namespace wk::tree
