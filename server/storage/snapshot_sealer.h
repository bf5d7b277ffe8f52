// The running checksum of a snapshot's bytes, and the end of the file with the seals that hold it.
//
// Apart from SnapshotEncoder because a checksum of all bytes is a fifth of the work of a snapshot, and can be
// done by the thread that writes them. Thread: disk (one owner). Pure. Source: reference storage-formats 4.1,
// 4.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "server/storage/snapshot_format.h"

namespace wk::storage {

class SnapshotSealer {
 public:
  /// Everything that a SnapshotEncoder made, in its order, in pieces of any size.
  void count(std::span<const std::byte> bytes);
  /// Appends the end of the nodes, the tail's parts and their seals, which complete the file. Once.
  void finish(std::vector<std::byte>& out, const SnapshotTail& tail);

 private:
  std::uint32_t checksum_ = 1;
};

}  // namespace wk::storage
