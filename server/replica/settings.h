// What the configuration tells a Replica. Plain values; the shell fills them from zoo.cfg once.
//
// Thread: any. Source of every default: reference/configuration.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "server/session/authentication.h"
#include "server/session/session_table.h"
#include "server/tree/owner.h"
#include "server/txn/settings.h"

namespace wk::replica {

struct Settings {
  /// This server's id among the voters, and the top byte of the session ids it makes; 1 when standalone.
  ServerId server{1};
  /// tickTime: width of the session expiry buckets.
  std::chrono::milliseconds tick{2'000};
  session::TimeoutBounds timeouts{};

  /// globalOutstandingLimit: with more requests than this in the pipeline, a connection that has requests
  /// outstanding is not read from until its replies drain.
  std::size_t global_outstanding_limit = 1'000;
  /// The same for bytes of requests that are not answered yet, and of the replies that those waiting behind
  /// writes expect, so that few huge requests or replies cannot fill memory.
  std::size_t outstanding_bytes_limit = 100U << 20;

  /// snapCount: transactions between two snapshots, at most; the trigger is drawn from the upper half. At
  /// least 2.
  std::uint64_t snap_count = 100'000;
  /// snapSizeLimitInKb in bytes: log bytes between two snapshots, drawn likewise; nullopt: no such limit.
  std::optional<std::uint64_t> snap_size_bytes = std::uint64_t{4'194'304} * 1024;
  /// Randomness for the snapshot trigger, so that members of an ensemble do not snapshot together, and for
  /// which operations are looked at closely, so that no pattern of a client's hides from it.
  std::uint64_t random_seed = 1;

  /// znode.container.checkIntervalMs: time between two searches for containers and TTL nodes to remove.
  std::chrono::milliseconds container_check_interval{60'000};
  /// znode.container.maxPerMinute: removals a minute, at most; positive.
  std::uint32_t container_max_per_minute = 10'000;
  /// znode.container.maxNeverUsedIntervalMs: age after which a container that never had a child goes; 0:
  /// never.
  std::chrono::milliseconds container_max_never_used{0};

  /// watchkeeper.slowRequestMs: latency from which a request is handed out for the log; 0: none.
  std::chrono::milliseconds slow_request{1'000};

  /// zookeeper.extendedTypesEnabled, zookeeper.emulate353TTLNodes: which owners are TTL nodes.
  tree::OwnerRules owners{};
  /// Random and unknown to clients, so that nobody can choose colliding paths.
  std::uint64_t hash_seed = 0;
  /// What operations may do.
  txn::Settings operations{};
  /// What auth packets prove.
  session::Authentication authentication{};
};

}  // namespace wk::replica
