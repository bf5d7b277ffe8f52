// What the shell of a member counts: the log's syncs, snapshots, purge, the event loop.
//
// Thread: core; plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/count_histogram.h"
#include "base/duration_histogram.h"
#include "base/ids.h"
#include "base/time.h"
#include "server/node/recent_maximum.h"
#include "server/replica/distribution.h"

namespace wk::node {

/// What was found at start; constant afterwards.
struct RestoreFacts {
  std::uint64_t transactions = 0;             ///< "startup_txns_loaded"
  std::chrono::nanoseconds snapshot_time{0};  ///< "startup_snap_load_time"
  std::chrono::nanoseconds replay_time{0};    ///< "startup_txns_load_time"
  std::uint64_t digest_mismatches = 0;
};

struct NodeStats {
  Moment started{};

  replica::Distribution fsync_ns;  ///< "fsynctime"
  ServiceHistogram fsync;
  CrowdHistogram log_batch;             ///< transactions a sync
  std::uint64_t slow_fsyncs = 0;        ///< "fsync_threshold_exceed_count"
  std::uint64_t log_bytes = 0;          ///< payload written and durable
  std::uint64_t log_files_created = 0;  ///< since the start: by rolls, and the first one
  bool log_full = false;                ///< the disk has no room for the log
  std::uint64_t log_full_times = 0;

  replica::Distribution snapshot_ns;  ///< "snapshottime"
  std::uint64_t snapshots_failed = 0;
  std::optional<Moment> last_snapshot;
  Zxid last_snapshot_zxid{};
  std::uint64_t last_snapshot_bytes = 0;
  std::chrono::nanoseconds longest_slice{0};

  std::uint64_t purges = 0;
  std::uint64_t purges_failed = 0;
  std::chrono::nanoseconds purge_time{0};
  bool purging = false;
  std::uint64_t purged_files = 0;
  std::optional<Moment> last_purge;  ///< that succeeded
  std::optional<Moment> last_purge_failed;

  ServiceHistogram publish;  ///< making the copies for observers
  ServiceHistogram wake_up;  ///< from the first event of a wake-up to its end
  RecentMaximum longest_wake_up;
};

}  // namespace wk::node
