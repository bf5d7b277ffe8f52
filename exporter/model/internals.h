// What only the inside of a Watchkeeper server knows: where the time of its requests goes, what its parts
// hold, which limits were hit, and which znodes, clients and sessions stand out.
//
// A server fills it from the counters of their owners once a second and publishes it with its report; other
// servers have none. Every list is bounded, and whatever a client chooses (paths, addresses, session ids)
// stands in lists for people only, never in a label. Totals count since the server started or its statistics
// were reset
// (`srst`). Thread: any; plain values, immutable once published.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/count_histogram.h"
#include "base/duration_histogram.h"
#include "base/ids.h"
#include "base/time.h"

namespace wk::exporter {

// ---------------------------------------------------------------------------------------------------------------
// Numbers by a fixed word: a stage, an operation, a reason. The words live as long as the program.

struct NamedCount {
  std::string_view name;
  std::uint64_t count = 0;
};

struct NamedDurations {
  std::string_view name;
  ServiceHistogram durations;
};

struct NamedCrowds {
  std::string_view name;
  CrowdHistogram crowds;
};

/// One operation of the protocol.
struct OperationNumbers {
  std::string_view name;       ///< "getData"
  std::uint64_t requests = 0;  ///< received
  std::uint64_t errors = 0;    ///< answered with an error
  ServiceHistogram latency;    ///< frame received … reply handed to the kernel
};

/// Work in the background that is done now and then: snapshots, purges.
struct JobNumbers {
  std::uint64_t finished = 0;
  std::uint64_t failed = 0;
  std::chrono::nanoseconds duration{0};  ///< of all that finished
  bool running = false;
  std::optional<std::chrono::system_clock::time_point> last_finished;
};

// ---------------------------------------------------------------------------------------------------------------
// What stands out, with names: for people, never for labels. Paths may be cut at 512 bytes.

struct HotPath {
  std::string path;
  double a_second = 0;  ///< over about the last half minute
  double share = 0;     ///< of all operations of that kind, 0 … 1
};

/// A change that notified many.
struct FanOut {
  std::string path;
  std::string_view event;
  std::uint64_t watchers = 0;  ///< of the largest within the last hour
  std::uint64_t times = 0;     ///< changes with several watchers
  std::chrono::system_clock::time_point at{};
};

struct WatchedPath {
  std::string path;
  std::string_view kind;  ///< "data" or "child"
  std::uint64_t watchers = 0;
};

struct LargeZnode {
  std::string path;
  std::uint64_t bytes = 0;  ///< of data
};

struct LargeChildList {
  std::string path;
  std::uint64_t children = 0;
  std::uint64_t reply_bytes = 0;  ///< of getChildren; extrapolated from 1,024 names when there are more
};

struct LargeSubtree {
  std::string path;
  std::uint64_t znodes = 0;  ///< below it
};

/// A znode with sequential ephemeral children: as the recipes for locks and elections make them.
struct Contention {
  std::string path;
  std::uint64_t contenders = 0;  ///< the first of them holds the lock, the others wait
  SessionId holder;              ///< owner of the oldest child
  std::chrono::system_clock::time_point held_since{};
};

struct Talker {
  std::string address;  ///< without port
  std::uint16_t port = 0;
  SessionId session;
  double requests_a_second = 0;
  double bytes_a_second = 0;  ///< in both directions
};

/// A session that has used more than two thirds of its timeout.
struct QuietSession {
  SessionId session;
  std::string address;  ///< of its client, without port; empty when it has no connection
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds silence{0};
};

struct ExpiredSession {
  SessionId session;
  std::string address;  ///< of its client, without port; empty when not known
  std::chrono::system_clock::time_point at{};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds silence{0};                         ///< since its last packet
  std::chrono::nanoseconds longest_gap{0};                     ///< between two packets before that
  std::string_view last_operation;                             ///< "GETD"; empty when not known
  std::uint64_t ephemerals = 0;                                ///< removed with it
  std::optional<std::chrono::nanoseconds> without_connection;  ///< how long; absent: it had one
  std::chrono::nanoseconds server_stood_still{0};              ///< of the silence
  std::chrono::nanoseconds longest_slow_sync{0};               ///< of the log, within the silence
  std::string_view cause;  ///< fixed word: "server_stood_still", "nothing_heard", "not_back", …
  std::string conclusion;  ///< the same in a sentence
};

struct SlowRequest {
  std::string_view operation;  ///< "create"
  std::string path;            ///< empty when the operation has none, or it is not known
  SessionId session;
  std::optional<Zxid> zxid;  ///< of a write
  std::chrono::system_clock::time_point answered{};
  std::chrono::nanoseconds latency{0};
  std::vector<std::pair<std::string_view, std::chrono::nanoseconds>>
      stages;                       ///< of a write; add up to latency
  std::uint64_t queued_before = 0;  ///< of a write: transactions in flight when it arrived
  bool during_snapshot = false;
  bool during_purge = false;
};

/// Something that is bounded: by configuration, the protocol, the disk or the system.
struct Limit {
  std::string_view name;  ///< fixed word: "child_list_reply", "log_disk", ...
  bool in_bytes = false;
  double used = 0;
  double bound = 0;   ///< above 0
  std::string about;  ///< whose use it is, where one stands for many: a path, an address; else empty
  /// Until `used` reaches `bound` at the growth of late; absent when it does not grow, or not steadily.
  std::optional<std::chrono::duration<double>> left;
};

/// A walk over all of something in short slices: what it found is as old as this.
struct Survey {
  std::optional<Moment> finished;  ///< absent before the first
  std::chrono::nanoseconds took{0};
  std::chrono::nanoseconds longest_slice{0};
  std::chrono::nanoseconds busy{0};  ///< of all slices since the start
};

// ---------------------------------------------------------------------------------------------------------------
// All of it

struct ServerInternals {
  /// Rows of each list below, at most.
  static constexpr std::size_t kListLimit = 20;

  /// Why no client is served whatever the status says: "has no client port, …"; empty = it serves.
  std::string serves_nobody;

  // Requests.
  std::vector<NamedDurations> write_stages;  ///< in the order of the way; add up to write_total
  ServiceHistogram write_total;  ///< frame received … reply handed to the kernel, one a transaction
  std::vector<OperationNumbers> operations;  ///< those that clients may ask for
  std::uint64_t transactions_applied = 0;
  std::uint64_t transactions_failed = 0;  ///< of those applied: they tell an error and change nothing
  std::uint64_t transactions_in_flight = 0;
  std::uint64_t requests_outstanding = 0;
  std::uint64_t containers_removed = 0;  ///< containers and TTL nodes, by the server itself

  // The log, snapshots and purge.
  ServiceHistogram fsync;    ///< one a sync of the log
  CrowdHistogram log_batch;  ///< transactions a sync
  std::uint64_t log_bytes = 0;
  std::uint64_t log_files_created = 0;
  std::uint64_t slow_fsyncs = 0;  ///< above fsync.warningthresholdms
  bool log_full = false;          ///< the disk has no room: writes are refused
  JobNumbers snapshots;
  std::optional<Zxid> last_snapshot_zxid;
  std::optional<std::uint64_t> last_snapshot_bytes;
  JobNumbers purges;
  std::optional<std::chrono::system_clock::time_point> last_purge_failed;
  std::uint64_t purged_files = 0;
  std::optional<std::uint64_t> snapshot_folder_bytes, log_folder_bytes;

  // The thread that does everything: one wake-up serves all that is ready.
  ServiceHistogram wake_up;
  ServiceHistogram publish;                     ///< making the copies that observers read, once a second
  std::chrono::nanoseconds longest_wake_up{0};  ///< of the last one to two minutes

  // Clients.
  std::vector<NamedCount> connections_by_state;
  std::uint64_t connections_paused = 0;         ///< not read from: too much is outstanding
  std::vector<NamedCount> connections_closed;   ///< by the server, by reason
  std::vector<NamedCount> connections_refused;  ///< not taken or not kept by the client port, by reason
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_ended_by_peer = 0;
  std::vector<NamedCount> limits_hit;
  std::uint64_t bytes_received = 0, bytes_sent = 0;

  // Sessions.
  std::uint64_t sessions = 0;
  std::vector<NamedCount> session_changes;  ///< opened, resumed, refused, expired, closed
  std::uint64_t expiry_buckets = 0;         ///< that hold sessions
  std::uint64_t expiry_bucket_most = 0;     ///< sessions that end together at most: a storm to come

  std::uint64_t session_near_misses = 0;  ///< heard of again after more than two thirds of the timeout
  Survey session_survey;
  std::vector<NamedCount> sessions_by_timeout_used;
  std::vector<QuietSession> quiet_sessions;                             ///< most of the timeout used first
  std::vector<NamedCount> expiries;                                     ///< by cause
  std::shared_ptr<const std::vector<ExpiredSession>> expired_sessions;  ///< the newest, newest first

  // Who asks most.
  Survey connection_survey;
  std::vector<Talker> busiest_by_requests, busiest_by_bytes;

  // What is asked for.
  double reads_a_second = 0, changes_a_second = 0;  ///< of znodes, over about the last half minute
  std::vector<HotPath> hottest_reads, hottest_writes;
  std::vector<SlowRequest> slowest_requests;  ///< of the last ten minutes, slowest first
  std::chrono::nanoseconds slow_from{0};      ///< latency from which a request counts as slow now

  // The tree.
  Survey tree_survey;
  std::vector<LargeZnode> largest_znodes;
  std::vector<LargeChildList> largest_child_lists;  ///< most children first; the longest reply among them
  std::vector<LargeSubtree> largest_subtrees;
  std::vector<Contention> contentions;
  std::uint64_t reply_bytes_max = 0;  ///< jute.maxbuffer: larger replies kill their clients

  // Watches.
  Survey watch_survey;
  std::vector<WatchedPath> most_watched;
  std::vector<FanOut> largest_fan_outs;  ///< of the last hour
  std::vector<NamedCrowds> fan_out;  ///< by type of event; one a change that somebody watched, its watchers

  // Memory, measured by those who hold it.
  std::vector<NamedCount> memory_bytes;

  // What may run out.
  std::vector<Limit> limits;
};

}  // namespace wk::exporter
