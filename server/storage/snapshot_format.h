// What a snapshot file holds, as plain values between the tree and the bytes.
//
// Thread: any; plain values. Source: reference storage-formats 4.1, 4.2; persistence/FileSnap.java,
// DataTree.java (serialize), util/SerializeUtils.java.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "jute/records.h"

namespace wk::storage {

inline constexpr std::uint32_t kSnapshotMagic = 0x5a4b534e;  ///< "ZKSN"
inline constexpr std::uint32_t kSnapshotVersion = 2;
inline constexpr std::size_t kSnapshotHeaderBytes = 16;  ///< magic, version, dbid -1
inline constexpr std::string_view kEndOfNodes = "/";     ///< stands where the next node's path would
inline constexpr std::size_t kSealBytes = 13;            ///< Adler-32 as long, then the ustring "/"
inline constexpr std::int32_t kDigestVersion = 2;
/// ACL number of a node that is open to everybody; never in the ACL map.
inline constexpr std::int64_t kOpenAcl = -1;

struct SnapshotSession {
  SessionId id{};
  std::int32_t timeout_ms = 0;
  friend bool operator==(const SnapshotSession&, const SnapshotSession&) = default;
};

/// One entry of the ACL map.
struct SnapshotAcl {
  std::int64_t number = 0;
  std::vector<jute::Acl> acl{};
  friend bool operator==(const SnapshotAcl&, const SnapshotAcl&) = default;
};

/// One znode. The root's path is empty; every other begins with '/'.
struct SnapshotNode {
  std::string_view path{};
  std::optional<std::string_view> data{};
  std::int64_t acl = kOpenAcl;
  Zxid czxid{};
  Zxid mzxid{};
  std::int64_t ctime_ms = 0;
  std::int64_t mtime_ms = 0;
  std::int32_t version = 0;
  std::int32_t cversion = 0;  ///< counts creations of children only, unlike a client's Stat::cversion
  std::int32_t aversion = 0;
  std::int64_t ephemeral_owner = 0;  ///< session, or container and TTL marks
  Zxid pzxid{};
  friend bool operator==(const SnapshotNode&, const SnapshotNode&) = default;
};

/// Digest of the tree after transaction `zxid`, which may be later than the snapshot's name. Zxid 0: none.
struct SnapshotDigest {
  Zxid zxid{};
  std::int32_t version = kDigestVersion;
  std::uint64_t digest = 0;
  friend bool operator==(const SnapshotDigest&, const SnapshotDigest&) = default;
};

/// What stands after the nodes. Each is present only when the writer's settings ask for it.
struct SnapshotTail {
  std::optional<SnapshotDigest> digest{};  ///< digest.enabled
  std::optional<Zxid> last_processed{};    ///< serializeLastProcessedZxid.enabled
  friend bool operator==(const SnapshotTail&, const SnapshotTail&) = default;
};

}  // namespace wk::storage
