// Rebuilds what a server knew before it stopped: a snapshot, then every logged transaction behind it.
//
// The caller reads the files (server/storage) and gives what it decodes: tree().begin_restore() and so on and
// restore_session() for the newest usable snapshot, snapshot_loaded(), then replay() for each record of the
// log. Without a snapshot the fresh tree stands and replay begins at zxid 0. The result goes into a Replica.
// Thread: any one; nothing else runs yet. Pure.
// Source: FileTxnSnapLog.java (restore, fastForwardFromEdits, processTransaction), ZooKeeperServer.java
// (loadData); reference storage-formats "Recovery algorithm".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/replica/state.h"
#include "server/tree/watch_table.h"

namespace wk::replica {

/// What recovery found, for the log line, the metrics and the decision whether to serve.
struct RecoveryReport {
  std::optional<Zxid> snapshot{};           ///< nullopt: there was none
  Zxid last{};                              ///< applied last
  std::uint64_t transactions_replayed = 0;  ///< "startup_txns_loaded"
  std::uint64_t digest_mismatches = 0;
  std::optional<Zxid> first_digest_mismatch{};
  /// The snapshot's digest belongs to a transaction behind the end of the log, so it could not be compared.
  bool snapshot_digest_unreached = false;
  /// Records whose zxid was not above the one before, which Apache logs and applies, too.
  std::uint64_t out_of_order = 0;
};

class Recovery {
 public:
  explicit Recovery(const Settings& settings);

  /// To be filled with the snapshot's ACLs and znodes.
  [[nodiscard]] tree::DataTree& tree() { return database_->tree; }
  void restore_session(SessionId id, std::int32_t timeout_ms);
  /// Drops the sessions restored so far; for the next snapshot after one that turned out to be broken (the
  /// tree is emptied by its own begin_restore()).
  void restart();
  /// The snapshot is complete; its name says `zxid`.
  /// \param digest  from its digest section, when that is of version 2. zxid 0 or below the name's means
  /// none, too.
  ///                While the tree is fuzzy, up to that zxid, digests of transactions are not compared; at it
  ///                the tree must have this one.
  void snapshot_loaded(Zxid zxid, const std::optional<tree::ZxidDigest>& digest);

  /// Applies one record of the log; records up to the snapshot's zxid are skipped.
  /// \param payload  TxnHeader, body, digest
  /// \return         kTruncated, kTooLarge or kInvalidInput when it cannot be decoded: the server must not
  /// start
  Result<void> replay(std::span<const std::byte> payload);

  [[nodiscard]] const RecoveryReport& report() const { return report_; }
  /// Ends the recovery; report() is complete then.
  [[nodiscard]] std::unique_ptr<Database> take();

 private:
  class NoClients;

  void compare_digests(Zxid zxid, bool transaction_differs);

  Settings settings_;
  std::unique_ptr<Database> database_;
  tree::WatchTable no_watches_;
  RecoveryReport report_;
  std::optional<tree::ZxidDigest> awaited_digest_;
};

}  // namespace wk::replica
