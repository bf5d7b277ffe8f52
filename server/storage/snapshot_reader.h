// Reads snapshot files, checks every seal, and finds the newest one that is whole.
//
// Which parts stand after the nodes is decided by the bytes that are left, never by settings. Differs: Apache
// decides by its own current flags and refuses its own files after digest.enabled was changed (S2).
// Thread: disk, or the one that starts the server. Source: reference storage-formats 4.1, 4.8, 8.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/storage/file_names.h"
#include "server/storage/file_system.h"
#include "server/storage/snapshot_format.h"

namespace wk::storage {

/// Snapshots that are tried before giving up, newest first. Source: FileSnap.java (deserialize).
inline constexpr std::size_t kSnapshotCandidatesMax = 100;
/// Longest path, data or ACL text by default: jute.maxbuffer plus its extra size.
inline constexpr std::size_t kSnapshotFieldBytesMaxDefault = 2 * 0xfffff;

/// Receives a snapshot's content. Any error that a call returns makes the file count as invalid.
class SnapshotVisitor {
 public:
  SnapshotVisitor() = default;
  SnapshotVisitor(const SnapshotVisitor&) = delete;
  SnapshotVisitor& operator=(const SnapshotVisitor&) = delete;
  virtual ~SnapshotVisitor() = default;

  /// A file is read from its beginning: everything received before is to be forgotten.
  virtual void restart() = 0;
  virtual Result<void> session(const SnapshotSession& session) = 0;
  virtual Result<void> acl(SnapshotAcl acl) = 0;
  /// The views live during the call. Refuse a node whose parent has not come yet.
  virtual Result<void> node(const SnapshotNode& node) = 0;
  /// Everything has been handed over and every seal held.
  virtual Result<void> complete() = 0;
};

struct SnapshotContent {
  SnapshotName name{};  ///< its zxid is the one that counts, not the tail's
  SnapshotTail tail{};
  std::uint64_t nodes = 0;
  std::uint64_t sessions = 0;
  std::uint64_t bytes = 0;  ///< uncompressed
};

/// Reads one file wholly. Content has been verified only when the call returns without an error.
/// Errc::kInvalidInput or kTruncated: damaged, with file and offset of the uncompressed stream; kTooLarge: a
/// field above the limit.
/// \param visitor  nullptr: verify only
/// \param stop     asked before each piece that is read; Errc::kCancelled when it was requested
Result<SnapshotContent> read_snapshot(FileSystem& files, const std::string& directory,
                                      const SnapshotName& name, SnapshotVisitor* visitor,
                                      std::size_t field_bytes_max = kSnapshotFieldBytesMaxDefault,
                                      const std::stop_token& stop = {});

/// Apache's cheap test for candidates: the last bytes of a plain file, the first of a compressed one.
Result<bool> passes_quick_check(FileSystem& files, const std::string& directory, const SnapshotName& name);

struct PassedOverSnapshot {
  SnapshotName name{};
  std::string reason{};  ///< with the path
};

struct NewestSnapshot {
  /// nullopt: the folder holds no snapshot at all, or none that is usable (accept_loss).
  std::optional<SnapshotContent> content{};
  std::vector<PassedOverSnapshot> passed_over{};  ///< newer ones that were not used, newest first
};

struct SnapshotReadOptions {
  std::size_t field_bytes_max = kSnapshotFieldBytesMaxDefault;
  /// For a learner whose log was cut; by default the newest of all.
  Zxid max = Zxid{~std::uint64_t{0} >> 1};
  /// Operator's order to start although transactions are lost: snapshots of which none is usable are none.
  bool accept_loss = false;
};

/// Reads the newest usable snapshot into the visitor.
/// Errc::kInvalidInput "not able to find valid snapshots" when there are candidates and none is usable.
Result<NewestSnapshot> read_newest_snapshot(FileSystem& files, const std::string& directory,
                                            SnapshotVisitor& visitor, SnapshotReadOptions options = {});

}  // namespace wk::storage
