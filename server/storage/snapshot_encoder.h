// Turns a tree into the bytes of a snapshot, piece by piece, all but its end, which a SnapshotSealer makes.
//
// Call begin() once, then node() for every znode (parents before children, the root first). Each appends to a
// buffer that the caller may hand over and empty between two calls, so a large tree is written in slices.
// Sessions and ACLs are those at the time of begin(); a fuzzy snapshot's nodes may be younger.
// Thread: core. Pure. Source: reference storage-formats 4.1, 4.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "server/storage/snapshot_format.h"

namespace wk::storage {

class SnapshotEncoder {
 public:
  /// Appends header, sessions and ACL map in the given order; sort both for files that can be compared.
  void begin(std::vector<std::byte>& out, std::span<const SnapshotSession> sessions,
             std::span<const SnapshotAcl> acls);
  /// Appends one node. `node.path` is not "/", which ends the nodes.
  void node(std::vector<std::byte>& out, const SnapshotNode& node);

  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  bool begun_ = false;
  std::uint64_t nodes_ = 0;
};

}  // namespace wk::storage
