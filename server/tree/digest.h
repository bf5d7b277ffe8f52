// Digest of a tree: a number that two members with equal trees agree on.
//
// The digest of a tree is the wrapping sum of the digests of its znodes, so one change costs one subtraction
// and one addition. Thread: any; pure. Source: DigestCalculator.java, util/AdHash.java; reference
// storage-formats.md "Digests", version 2.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "server/tree/stat_persisted.h"

namespace wk::tree {

/// Digest of one znode: CRC-32 over path, data and the 60 bytes of its numbers; 0 for everything below
/// "/zookeeper/", which members may hold different contents of.
/// \param path  the root as "" or "/", both give the same
/// \param data  nullopt and empty give the same
[[nodiscard]] std::uint32_t node_digest(std::string_view path, std::optional<std::string_view> data,
                                        const StatPersisted& stat);

/// What a znode's numbers do not change of its digest: CRC-32 over path and data; 0 where node_digest() is.
/// Parameters as there.
[[nodiscard]] std::uint32_t content_crc(std::string_view path, std::optional<std::string_view> data);

/// node_digest() of a znode with that content_crc(); costs the same however long its data is.
[[nodiscard]] std::uint32_t digest_of_content(std::string_view path, std::uint32_t content,
                                              const StatPersisted& stat);

/// The tree's digest after the transaction with that zxid.
struct ZxidDigest {
  Zxid zxid{};
  std::uint64_t digest = 0;
  friend bool operator==(const ZxidDigest&, const ZxidDigest&) = default;
};

/// The digests of the last transactions: what `hash` shows and two members are compared by.
/// Source: DataTree.logZxidDigest.
class DigestLog {
 public:
  /// Only zxids divisible by this are kept, so that members keep the same ones.
  static constexpr std::uint64_t kInterval = 128;
  /// Oldest are forgotten above this many.
  static constexpr std::size_t kMaxEntries = 1024;

  /// Notes the digest after a whole transaction.
  void record(Zxid zxid, std::uint64_t digest);

  /// The last one recorded, whatever its zxid.
  [[nodiscard]] const std::optional<ZxidDigest>& last() const { return last_; }
  /// Kept ones, oldest first.
  [[nodiscard]] const std::deque<ZxidDigest>& entries() const { return entries_; }

 private:
  std::optional<ZxidDigest> last_;
  std::deque<ZxidDigest> entries_;
};

}  // namespace wk::tree
