// What clients ask: decodes frames, keeps the order of each connection, serves reads, hands writes to the
// pipeline, and answers when a transaction settles them.
//
// A read is served at once unless its connection has something unanswered; then it queues behind it, and so
// behind the session's own writes, never behind anybody else's; only sync waits for all writes that were
// under way when it came, so that what follows it sees them. Writes enter the pipeline as they arrive.
// Replies leave in the order of the requests; only pings overtake, so that a slow disk does not look like a
// dead server.
//
// All reads behind a write are answered in the step that applies the write, for its session's next write may
// be applied right behind it. So what they may answer is bounded where they queue up: a connection whose
// waiting reads expect too long replies is paused until they are answered. Thread: core. Source:
// ZooKeeperServer.java (processPacket, submitRequestNow), SyncRequestProcessor.java (run), Leader.java
// (processSync), CommitProcessor.java, FinalRequestProcessor.java; reference "Ordering, pipelining", "When
// the server closes a connection".
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <utility>

#include "base/time.h"
#include "server/replica/handshake.h"
#include "server/replica/outbox.h"
#include "server/replica/pipeline.h"
#include "server/replica/state.h"
#include "server/txn/operation.h"

namespace wk::replica {

/// Identities that one connection may collect with auth packets, and the bytes of their texts; more are
/// answered like a failed authentication. Differs: Apache has no limit.
inline constexpr std::size_t kMaxIdentities = 256;
inline constexpr std::size_t kMaxIdentityBytes = 1U << 20;

/// Bytes of replies to waiting reads that one connection may expect; with more it is not read from until they
/// are answered. Differs: Apache has no limit.
inline constexpr std::size_t kMaxWaitingReplyBytes = 8U << 20;

class Requests final : public Settlement {
 public:
  Requests(State& state, Outbox& outbox, Pipeline& pipeline, Handshake& handshake)
      : state_(state), outbox_(outbox), pipeline_(pipeline), handshake_(handshake) {}

  /// A frame of `connection`, which may be gone afterwards.
  void on_frame(Connection& connection, std::span<const std::byte> payload, const Moment& now);

  void applied(const InFlight& entry, const txn::Applied& applied, ConnectionId session_connection,
               std::span<const std::byte> body) override;
  void abandoned(const InFlight& entry) override;
  /// Requests received and not answered yet, and transactions of this server's own on their way:
  /// "outstanding_requests".
  [[nodiscard]] std::size_t outstanding() const {
    return pipeline_.in_flight().size() + state_.waiting.count;
  }

 private:
  void on_auth(Connection& connection, const Answered& answered, std::span<const std::byte> body);
  void on_sasl(Connection& connection, const Answered& answered, std::span<const std::byte> body);
  bool add_identities(Connection& connection, std::span<const jute::Id> identities);
  void on_ping(Connection& connection, const Answered& answered);
  void on_read(Connection& connection, const txn::Operation& operation, const Answered& answered,
               std::span<const std::byte> body);
  void on_write(Connection& connection, const Answered& answered, std::span<const std::byte> body);

  void serve(Connection& connection, const txn::Operation& operation, const Answered& answered,
             std::span<const jute::Id> identities, std::span<const std::byte> body);
  void note_slow_read(const Connection& connection, const txn::Operation& operation, const Answered& answered,
                      std::span<const std::byte> body);
  /// Settles it now when nothing is unanswered before it, else in its turn. \return  false when the
  /// connection is gone
  bool in_turn(Connection& connection, Pending pending);
  void wait(Connection& connection, Pending pending);
  /// \return  false when the connection is gone
  bool settle(Connection& connection, const Pending& pending);
  void drain(Connection& connection);
  void settle_applied(const InFlight& entry, const txn::Applied& applied, ConnectionId session_connection,
                      std::span<const std::byte> body);
  /// Whether a transaction up to `zxid` is still under way.
  [[nodiscard]] bool under_way(Zxid zxid) const {
    return !pipeline_.in_flight().empty() && pipeline_.in_flight().front().zxid <= zxid;
  }
  /// Goes on with the connections whose sync has waited long enough.
  void serve_syncs();
  void update_flow(Connection& connection);

  State& state_;
  Outbox& outbox_;
  Pipeline& pipeline_;
  Handshake& handshake_;
  /// Connections with such a sync at the head of their queue, and the last transaction that it waits for.
  /// Those that are gone leave with their transaction.
  std::set<std::pair<Zxid, ConnectionId>> syncs_;
};

}  // namespace wk::replica
