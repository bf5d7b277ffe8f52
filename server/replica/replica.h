// One member of the service without sockets, clocks, files and threads: events go in, work for the shell
// comes out.
//
// Role is a state of the parts inside, not a type: a standalone server is a leader whose quorum is itself.
// The parts, each in its own file: connection (what a client has open), handshake (opening and resuming
// sessions), requests (order, reads, replies), pipeline (writes, from preparation to application), expiry,
// clean_up (containers and TTL nodes), outbox (frames), recovery (before a Replica exists).
//
// Thread: core; every call. Pure: equal inputs give equal outputs.
// Source: ZooKeeperServer.java and the request processors behind it; reference client-protocol.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/ids.h"
#include "base/time.h"
#include "server/quorum/verifier.h"
#include "server/replica/clean_up.h"
#include "server/replica/expiry.h"
#include "server/replica/handshake.h"
#include "server/replica/io.h"
#include "server/replica/outbox.h"
#include "server/replica/pipeline.h"
#include "server/replica/recovery.h"
#include "server/replica/requests.h"
#include "server/replica/settings.h"
#include "server/replica/state.h"

namespace wk::replica {

class Replica {
 public:
  /// A standalone server: its own log is the quorum.
  /// \param database  of Recovery::take()
  /// \param now       seeds session ids; timers start here
  Replica(const Settings& settings, std::unique_ptr<Database> database, const Moment& now);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  /// Begins to serve, before the first step(): removes the ephemerals of sessions that no longer exist, gives
  /// every session a full timeout, and asks for a snapshot when `snapshot` (of the RecoveryReport) is not
  /// what is in memory. \return  number of orphaned ephemerals removed. They are not logged, as in Apache, so
  /// no client may be served before that snapshot is on disk.
  std::size_t start(std::optional<Zxid> snapshot, const Moment& now, Output& output);

  /// Handles one input and appends to `output` what is to be done.
  void step(const Input& input, Output& output);

  // The walk of a snapshot that Output::start_snapshot asked for; sessions() are to be copied when it begins.
  // See tree::DataTree. Between its slices step() may be called.
  void begin_snapshot(tree::SnapshotSink& sink) { state_.database->tree.begin_snapshot(sink); }
  [[nodiscard]] bool step_snapshot(std::size_t budget_bytes) {
    return state_.database->tree.step_snapshot(budget_bytes);
  }
  void abandon_snapshot() { state_.database->tree.abandon_snapshot(); }

  // For observers and four-letter words; nothing here changes anything.

  [[nodiscard]] const Settings& settings() const { return state_.settings; }
  [[nodiscard]] const tree::DataTree& tree() const { return state_.database->tree; }
  [[nodiscard]] const session::SessionTable& sessions() const { return state_.database->sessions; }
  [[nodiscard]] const tree::DigestLog& digests() const { return state_.database->digests; }
  [[nodiscard]] const tree::WatchTable& watches() const { return state_.watches; }
  [[nodiscard]] const Connections& connections() const { return state_.connections; }
  [[nodiscard]] const Stats& stats() const { return state_.stats; }
  [[nodiscard]] const Pipeline& pipeline() const { return pipeline_; }
  [[nodiscard]] Zxid last_applied() const { return state_.database->last_applied; }
  /// "outstanding_requests"
  [[nodiscard]] std::size_t outstanding_requests() const { return requests_.outstanding(); }
  /// What stands out, with names.
  [[nodiscard]] const Notable& notable() const { return state_.notable; }
  /// Slow requests that are to be logged, each once.
  SlowRequests::ToLog take_slow_requests() { return state_.notable.slow.take_to_log(); }
  /// Containers and TTL nodes found that wait for their removal.
  [[nodiscard]] std::size_t clean_up_due() const { return clean_up_.due(); }

  /// `srst`: counters and distributions start anew.
  void reset_stats(const Moment& now);
  /// `crst`: the counters of the connections start anew.
  void reset_connection_stats() { state_.connections.reset_stats(); }

 private:
  void on(const Tick&, const Moment& now);
  void on(const ClientOpened& opened, const Moment& now);
  void on(const ClientFrame& frame, const Moment& now);
  void on(const ClientFetched& fetched, const Moment& now);
  void on(const ClientGone& gone, const Moment& now);
  void on(const AppendsHandedOver&, const Moment& now);
  void on(const LogSynced& synced, const Moment& now);
  void on(const LogSpaceExhausted& exhausted, const Moment& now);
  void on(const LogSpaceBack&, const Moment& now);
  void on(const SnapshotFinished& finished, const Moment& now);
  void on(const PurgeUnderWay& purge, const Moment& now);
  void on(const OutputDelivered& delivered, const Moment& now);

  std::size_t remove_orphans();

  State state_;
  Outbox outbox_;
  Pipeline pipeline_;
  Handshake handshake_;
  Requests requests_;
  Expiry expiry_;
  CleanUp clean_up_;
  std::chrono::steady_clock::time_point looked_at_latency_{};
};

}  // namespace wk::replica
