// The truths that the parts of a Replica share, each owned by one type; the parts hold the rules.
//
// Thread: core.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/ids.h"
#include "base/time.h"
#include "server/replica/connection.h"
#include "server/replica/connections.h"
#include "server/replica/notable.h"
#include "server/replica/settings.h"
#include "server/replica/stats.h"
#include "server/session/session_table.h"
#include "server/tree/data_tree.h"
#include "server/tree/digest.h"
#include "server/tree/watch_table.h"

namespace wk::replica {

/// What survives a restart: built by Recovery, changed only by applying transactions.
struct Database {
  Database(const tree::DataTreeSettings& tree_settings, std::chrono::milliseconds tick)
      : tree(tree_settings), sessions(tick) {}

  tree::DataTree tree;
  session::SessionTable sessions;
  tree::DigestLog digests;
  Zxid last_applied{};
};

/// Requests that wait in the queues of connections without a transaction of their own.
struct WaitingRequests {
  std::size_t count = 0;
  std::size_t bytes = 0;        ///< of the requests
  std::size_t reply_bytes = 0;  ///< that their replies are expected to take

  void entered(const Pending& request) {
    ++count;
    bytes += request.body.size();
    reply_bytes += request.reply_bytes;
  }
  void left(const Pending& request) {
    --count;
    bytes -= request.body.size();
    reply_bytes -= request.reply_bytes;
  }
};

struct State {
  State(const Settings& given, std::unique_ptr<Database> recovered)
      : settings(given), database(std::move(recovered)), watches(given.hash_seed), notable(given) {}

  Settings settings;
  std::unique_ptr<Database> database;
  tree::WatchTable watches;
  Connections connections;
  Stats stats;
  Notable notable;
  /// The moment of the step under way, or of the last one.
  Moment now{};
  WaitingRequests waiting;
};

}  // namespace wk::replica
