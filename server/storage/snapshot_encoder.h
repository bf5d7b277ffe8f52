// Turns a tree into the bytes of a snapshot, piece by piece, with the running checksum of its seals.
//
// Call begin() once, node() for every znode (parents before children, the root first), finish() once. Each
// appends to a buffer that the caller may hand to a SnapshotWriter and empty between two calls, so a large
// tree is written in slices. Sessions and ACLs are those at the time of begin(); a fuzzy snapshot's nodes may
// be younger.
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
  /// Appends the end of the nodes, the tail's parts and their seals.
  void finish(std::vector<std::byte>& out, const SnapshotTail& tail);

  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }
  /// Uncompressed bytes so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  enum class Stage { kNew, kNodes, kFinished };
  void count(std::span<const std::byte> appended);
  void seal(std::vector<std::byte>& out);

  Stage stage_ = Stage::kNew;
  std::uint32_t checksum_ = 1;
  std::uint64_t nodes_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace wk::storage
