// Carries out a transaction: on every member, in zxid order, live and in replay after a restart alike.
//
// Replay over a fuzzy snapshot is idempotent: a node that exists or is missing already is no fault. Digests
// are compared, and a difference is reported, never fatal. Thread: core. Pure. Source: DataTree.java
// (processTxn, createNode, deleteNode, setData), FinalRequestProcessor.java (replies); reference "Watches",
// "multi and multiRead", storage-formats.md "Fuzzy snapshot semantics".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "jute/codes.h"
#include "jute/txn_records.h"
#include "server/session/session_table.h"
#include "server/tree/data_tree.h"
#include "server/tree/watch_table.h"
#include "server/txn/events.h"
#include "server/txn/settings.h"

namespace wk::txn {

/// What an apply() works on.
struct ApplyTarget {
  tree::DataTree& tree;
  session::SessionTable& sessions;
  tree::WatchTable& watches;
  EventSink& events;
  const Settings& settings;
};

/// The client here that waits for the transaction, if there is one.
struct ReplyTo {
  jute::OpCode op = jute::OpCode::kError;  ///< of its request
  std::vector<std::byte>& body;            ///< appended to when the reply has a body
};

struct Applied {
  jute::TxnHeader header{};
  /// For the ReplyHeader. kOk for a multi that failed: its parts tell. kSessionMoved: the connection is
  /// closed without a reply.
  jute::ErrorCode error = jute::ErrorCode::kOk;
  /// A multi that changed nothing since one of its parts failed.
  bool rolled_back = false;
  /// The tree's digest differs from the one in the transaction.
  bool digest_mismatch = false;
};

/// Applies one payload. Sessions are opened and closed in the table (commit_open, commit_close).
/// \param reply_to  null in replay and for other members' clients
/// \return  kTruncated, kTooLarge or kInvalidInput when the payload cannot be decoded; nothing is changed
/// then
Result<Applied> apply(std::span<const std::byte> payload, const ApplyTarget& target, const ReplyTo* reply_to);

}  // namespace wk::txn
