// What a Replica counts: plain integers and histograms of fixed size, owned by the core thread.
//
// The shell copies them once a second into the exporter's snapshot, and answers four-letter words from them
// directly. Gauges that are the size of something (sessions, connections, watches, znodes) are asked of their
// owners and do not stand here. Durations are exact in nanoseconds; a reader rounds.
// Thread: core. Source of the names in quotes: reference/metrics.md, sections 4 and 5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/count_histogram.h"
#include "base/duration_histogram.h"
#include "base/ids.h"
#include "base/time.h"
#include "server/replica/distribution.h"
#include "server/replica/io.h"
#include "server/replica/namespace_traffic.h"
#include "server/replica/write_stages.h"
#include "server/txn/operation.h"

namespace wk::replica {

/// One operation of txn::operations(), by its index.
struct OperationStats {
  std::uint64_t requests = 0;  ///< received, whether answered or not
  std::uint64_t errors = 0;    ///< answered with an error
  ServiceHistogram latency;    ///< frame received … reply handed to the kernel
};

struct Stats {
  /// Since when everything here counts.
  Moment since{};

  // Requests.
  std::array<OperationStats, txn::kOperationCount> operations;
  Distribution latency;         ///< all requests, in ns; "avg_latency", "max_latency", "min_latency"
  Distribution read_latency;    ///< "readlatency": reads, pings, sync, setWatches
  Distribution update_latency;  ///< "updatelatency": writes, also failed ones, session open and close
  std::uint64_t unknown_operations = 0;
  std::uint64_t dropped_requests = 0;     ///< of sessions that are unknown or closing
  std::uint64_t stale_replies = 0;        ///< "stale_replies": answered after the connection had gone
  std::uint64_t throttled = 0;            ///< times that reading from a connection was paused
  std::uint64_t reads_behind_writes = 0;  ///< reads that had to wait for a write of their connection
  Distribution
      queued_behind_write;  ///< "requests_in_session_queue": length of a queue when a request joins it

  // Bytes and packets of clients; packets are frames, events included.
  std::uint64_t packets_received = 0;  ///< "packets_received"
  std::uint64_t packets_sent = 0;      ///< "packets_sent"
  std::uint64_t bytes_received = 0;    ///< "bytes_received_count", with length prefixes
  std::uint64_t response_bytes = 0;    ///< "response_bytes": replies, without length prefixes
  std::uint64_t watch_bytes = 0;       ///< "watch_bytes": events, without length prefixes
  /// "last_client_response_size" and its extremes, in bytes of a reply without length prefix.
  std::optional<std::size_t> last_response_size, least_response_size, most_response_size;
  NamespaceTraffic namespaces;  ///< "read_per_namespace", "write_per_namespace"

  // Watches fired, one observation a trigger with its number of watchers, by EventType 1 … 4.
  Distribution node_created_watches;   ///< "node_created_watch_count"
  Distribution node_deleted_watches;   ///< "node_deleted_watch_count"
  Distribution node_changed_watches;   ///< "node_changed_watch_count"
  Distribution node_children_watches;  ///< "node_children_watch_count"

  /// Its watchers, one observation a change that somebody watched, by EventType - 1.
  std::array<CrowdHistogram, 4> fan_out;

  // Connections and sessions.
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_gone = 0;                 ///< ended by the peer or the network
  std::array<std::uint64_t, kCloseReasons> closes{};  ///< ended by this server, by CloseReason
  std::uint64_t connect_requests = 0;                 ///< "connection_request_count"
  std::uint64_t sessions_opened = 0;
  std::uint64_t sessions_resumed = 0;  ///< "connection_revalidate_count" counts resumed and refused together
  std::uint64_t sessions_refused = 0;
  std::uint64_t sessions_expired = 0;  ///< "stale_sessions_expired"
  std::uint64_t sessions_closed = 0;   ///< by their clients
  std::uint64_t auth_failures = 0;     ///< "auth_failed_count"
  std::uint64_t auth_successes = 0;

  // Transactions on their way.
  std::uint64_t transactions_logged =
      0;  ///< "sync_processor_request_queued", "prep_processor_request_queued"
  std::uint64_t log_payload_bytes = 0;
  std::uint64_t transactions_applied = 0;
  std::uint64_t error_transactions = 0;  ///< of those applied, how many told an error
  WriteStageStats write_stages;          ///< of transactions that were applied, with or without a client here
  Distribution log_latency;  ///< append … on stable storage, "sync_processor_queue_and_flush_time_ms"
  Distribution log_batch;    ///< transactions a LogSynced, "sync_processor_batch_size"
  Distribution log_queue;    ///< transactions in flight at an append, "sync_processor_queue_size"
  Distribution propagation_latency;     ///< time stamp of the transaction … applied, "propagation_latency"
  std::uint64_t digest_mismatches = 0;  ///< "digest_mismatches_count"
  std::optional<Zxid> first_digest_mismatch;
  std::uint64_t writes_refused_no_space = 0;
  std::uint64_t transactions_abandoned = 0;  ///< in flight when the log ran out of room
  std::uint64_t snapshots_started = 0;
  std::uint64_t snapshots_failed = 0;
  std::uint64_t containers_removed = 0;  ///< and TTL nodes, by the clean-up
};

}  // namespace wk::replica
