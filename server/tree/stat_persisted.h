// What a znode stores beside its name, data and ACL: the numbers of its Stat as they stand on disk.
//
// Differs from what clients see (jute::Stat) in three members: cversion counts only creations of children,
// ephemeral_owner also tells containers and TTL nodes, and lengths and counts of children are not stored.
// Thread: any; plain values. Source: StatPersisted in zookeeper.jute; reference storage-formats.md "Node
// record".
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace wk::tree {

struct StatPersisted {
  Zxid czxid{};
  Zxid mzxid{};
  std::int64_t ctime_ms = 0;  ///< since 1970, the leader's clock
  std::int64_t mtime_ms = 0;
  std::int32_t version = 0;
  std::int32_t cversion = 0;  ///< raw: children ever created
  std::int32_t aversion = 0;
  std::int64_t ephemeral_owner = 0;  ///< see owner.h
  Zxid pzxid{};

  friend bool operator==(const StatPersisted&, const StatPersisted&) = default;
};

/// The Stat of a znode that was just created.
/// Source: DataTree.createStat.
[[nodiscard]] inline StatPersisted stat_at_creation(Zxid zxid, std::int64_t time_ms, std::int64_t owner) {
  return {.czxid = zxid,
          .mzxid = zxid,
          .ctime_ms = time_ms,
          .mtime_ms = time_ms,
          .version = 0,
          .cversion = 0,
          .aversion = 0,
          .ephemeral_owner = owner,
          .pzxid = zxid};
}

/// Milliseconds since the data was set last. Wraps around, as Java's subtraction does, when a snapshot holds
/// an absurd time.
[[nodiscard]] constexpr std::int64_t idle_ms(const StatPersisted& stat, std::int64_t now_ms) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(now_ms) -
                                   static_cast<std::uint64_t>(stat.mtime_ms));
}

}  // namespace wk::tree
