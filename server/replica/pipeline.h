// The way of a write: prepared into a transaction, given to the log, acknowledged by a quorum, applied,
// settled.
//
// One object for every role. submit() is what a leader does with a request, and a standalone server leads a
// quorum of one; log_synced() acknowledges for this server; commit_up_to() applies, on a leader because of
// acknowledgements, on a follower because of the leader's COMMIT. Batches form by themselves: whatever is
// submitted while the log is busy shares its next sync; nothing waits for a batch.
//
// Invariants: zxids are handed out without gaps; transactions apply in zxid order; a transaction applies only
// after its quorum has it on stable storage. Thread: core. Source: PrepRequestProcessor.java,
// SyncRequestProcessor.java, FinalRequestProcessor.java; reference quorum-protocol "Broadcast phase".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "server/quorum/verifier.h"
#include "server/replica/acknowledgements.h"
#include "server/replica/in_flight.h"
#include "server/replica/outbox.h"
#include "server/replica/snapshot_trigger.h"
#include "server/replica/state.h"
#include "server/replica/write_stages.h"
#include "server/txn/apply.h"
#include "server/txn/outstanding.h"
#include "server/txn/request.h"

namespace wk::replica {

/// Learns what became of the transactions that settle clients' requests.
class Settlement {
 public:
  /// The transaction was applied; its events are sent already.
  /// \param entry               without its payload
  /// \param session_connection  where the session spoke before it was closed; 0: nowhere here
  /// \param body                of the reply, when a request of `entry.connection` waits for it
  virtual void applied(const InFlight& entry, const txn::Applied& applied, ConnectionId session_connection,
                       std::span<const std::byte> body) = 0;
  /// The transaction will never be: the log has no room.
  virtual void abandoned(const InFlight& entry) = 0;

 protected:
  ~Settlement() = default;
};

class Pipeline {
 public:
  /// \param voters  who acknowledges; this server (settings.server) among them
  Pipeline(State& state, Outbox& outbox, quorum::Verifier voters);

  void set_settlement(Settlement& settlement) { settlement_ = &settlement; }

  /// False while the log has no room: submit() must not be called.
  [[nodiscard]] bool accepts_writes() const { return accepts_writes_; }
  /// Makes a transaction of the request, also when it fails its checks, and gives it to the log.
  /// \param request  of Service::kWrite
  /// \return         its zxid; nothing when its body cannot be decoded, which makes no transaction
  std::optional<Zxid> submit(const txn::Request& request, const Moment& now);

  /// What was submitted so far is with the log.
  void handed_over(const Moment& now) { stages_.handed_over(now.steady); }
  /// This server's log is on stable storage up to a zxid; what has its quorum now is applied.
  void log_synced(const LogSynced& synced, const Moment& now);
  /// The replies to what was applied left. \param applied  when the last of it was applied
  void delivered(std::chrono::steady_clock::time_point applied, const Moment& now) {
    stages_.delivered(applied, now.steady, state_.stats.write_stages);
  }
  /// Nothing behind `durable` will be written: what is in flight behind it is given up, and its zxids are
  /// free.
  void log_space_exhausted(Zxid durable, const Moment& now);
  void log_space_back() { accepts_writes_ = true; }

  /// Asks for a snapshot when one is due and none is under way.
  void start_snapshot_if_due();
  void start_snapshot();
  void snapshot_finished(bool written);

  [[nodiscard]] const InFlightQueue& in_flight() const { return in_flight_; }
  [[nodiscard]] InFlightQueue& in_flight() { return in_flight_; }
  /// Given to the log last.
  [[nodiscard]] Zxid last_logged() const { return last_logged_; }
  [[nodiscard]] const txn::Outstanding& outstanding_changes() const { return outstanding_; }
  [[nodiscard]] const SnapshotTrigger& snapshot_trigger() const { return snapshot_trigger_; }
  [[nodiscard]] bool snapshot_running() const { return snapshot_running_; }
  [[nodiscard]] const WriteStages& stages() const { return stages_; }

 private:
  /// \param acknowledged  when a quorum had it
  void commit_up_to(Zxid zxid, std::chrono::steady_clock::time_point acknowledged, const Moment& now);
  void apply_front(const Moment& now);
  void count_written(const InFlight& entry, const txn::Applied& applied);
  void note_if_slow(const InFlight& entry, const txn::Applied& applied, const Connection* waiting,
                    const Moment& now);

  State& state_;
  Outbox& outbox_;
  Settlement* settlement_ = nullptr;
  Acknowledgements acknowledgements_;
  InFlightQueue in_flight_;
  WriteStages stages_;
  txn::Outstanding outstanding_;
  SnapshotTrigger snapshot_trigger_;
  Zxid last_logged_;
  Zxid last_synced_;
  bool accepts_writes_ = true;
  bool snapshot_running_ = false;
  std::vector<std::byte> reply_body_;
};

}  // namespace wk::replica
