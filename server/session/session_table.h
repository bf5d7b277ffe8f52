// The sessions of the ensemble as this server knows them: the replicated map of ids and timeouts, who is
// alive, who is closing, and which connection here speaks for whom.
//
// Two truths meet in one entry. The replicated one (committed(), the timeout at creation) changes only with
// applied transactions and goes into snapshots. The local one (deadline, closing, connection) belongs to the
// server that expires sessions, a leader or a standalone server, and is made anew by start_tracking().
//
// Pure; time is an argument. Thread: core. Touching a session is one hash look-up and allocates nothing.
// Source: SessionTrackerImpl.java, LeaderSessionTracker.java, ZKDatabase.java (sessionsWithTimeouts);
// reference "Sessions".
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "server/session/expiry_queue.h"

namespace wk::session {

/// The bounds between which a server negotiates session timeouts.
struct TimeoutBounds {
  std::chrono::milliseconds least{4'000};
  std::chrono::milliseconds most{40'000};

  /// What a client that asked for `wanted_ms` (any number, also zero and negative) gets.
  [[nodiscard]] std::chrono::milliseconds clamp(std::int32_t wanted_ms) const;
};

enum class SessionState : std::uint8_t {
  kUnknown,  ///< never opened, or closed and gone
  kOpen,     ///< requests are served
  kClosing,  ///< its closeSession is on the way; requests are not served any more
};

class SessionTable {
 public:
  using Time = ExpiryQueue::Time;

  /// \param tick  tickTime, the width of the expiry buckets
  explicit SessionTable(std::chrono::milliseconds tick) : expiry_(tick) {}

  // The replicated map: called by applying transactions and by loading snapshots, on every role alike.

  /// A createSession was applied, or a snapshot names the session. Known ids take the new timeout.
  void commit_open(SessionId id, std::int32_t timeout_ms);
  /// A closeSession was applied: the entry goes, whatever its local state. Unknown ids are ignored (replay).
  void commit_close(SessionId id);
  /// The timeout of creation, for snapshots; nullopt when the id is not in the replicated map.
  [[nodiscard]] std::optional<std::int32_t> committed_timeout_ms(SessionId id) const;
  /// Calls `visit` for each session of the replicated map, in no order.
  void for_each_committed(const std::function<void(SessionId, std::int32_t timeout_ms)>& visit) const;
  [[nodiscard]] std::size_t committed_count() const { return committed_; }

  // Liveness: the business of the server that expires sessions.

  /// This server expires sessions from now on: everyone gets the full timeout of its creation and nobody is
  /// closing.
  void start_tracking(Time now);
  /// Another server does: deadlines and closing marks are dropped.
  void stop_tracking();
  /// Begins a session that its createSession transaction will commit; live at once, so that it can be found.
  /// \return  false when the id exists already
  bool open(SessionId id, std::chrono::milliseconds timeout, Time now);
  /// Takes back open(), for a session whose transaction will never be written.
  void forget_uncommitted(SessionId id);
  /// Moves the deadline to a full `timeout` from now, if the session is open. O(1).
  SessionState touch(SessionId id, std::chrono::milliseconds timeout, Time now);
  [[nodiscard]] SessionState state(SessionId id) const;
  /// The closeSession of this session is on the way. \return  false unless it was open
  bool mark_closing(SessionId id);
  /// The closeSession will not be written after all: open again with a full timeout.
  void unmark_closing(SessionId id, Time now);
  /// Takes one session whose time has come; it stays open, without deadline, until mark_closing().
  std::optional<SessionId> take_due(Time now);
  /// Postpones everyone who is due by one tick.
  void postpone_due(Time now) { expiry_.postpone_due(now); }

  // The connection of this server that a session speaks through.

  /// 0 when there is none here.
  [[nodiscard]] ConnectionId connection(SessionId id) const;
  /// Binds a known session to a connection, or to none (0).
  void bind(SessionId id, ConnectionId connection);

  // For observers.

  /// How a session of this server's clients is alive.
  struct Liveness {
    SessionId id{};
    ConnectionId connection{};                ///< 0: none here
    std::chrono::milliseconds timeout{0};     ///< as last negotiated or touched
    Time heard{};                             ///< opened or touched last, or tracking began
    std::chrono::nanoseconds longest_gap{0};  ///< between two of these
    bool closing = false;
  };
  /// nullopt when the session is not known.
  [[nodiscard]] std::optional<Liveness> liveness(SessionId id) const;
  /// Calls `visit(const Liveness&)` for the sessions in at most `most` places from `place` on; 0 begins.
  /// \return  where to go on, also after changes; 0 at the end
  template <typename Visit>
  std::size_t visit_liveness(std::size_t place, std::size_t most, Visit&& visit) const {
    const std::size_t end = std::min(entries_.size(), place + most);
    for (; place < end; ++place)
      if (entries_[place].id != SessionId{}) visit(liveness_of(entries_[place]));
    return end == entries_.size() ? 0 : end;
  }
  /// Times that a session was heard of again after more than two thirds of its timeout.
  [[nodiscard]] std::uint64_t near_misses() const { return near_misses_; }

  /// All entries: committed, being opened, closing.
  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] bool contains(SessionId id) const { return slots_.contains(id.value); }
  /// How the sessions with a deadline share the moments at which they end.
  [[nodiscard]] ExpiryQueue::Occupancy expiry_occupancy() const { return expiry_.occupancy(); }
  [[nodiscard]] std::size_t tracked_count() const { return expiry_.size(); }
  /// Bytes of memory held for entries, index and expiry.
  [[nodiscard]] std::size_t allocated_bytes() const;
  /// Calls `visit` for each session with a deadline, earliest first.
  void for_each_tracked(const std::function<void(Time ends, SessionId id)>& visit) const;

 private:
  struct Entry {
    SessionId id{};
    ConnectionId connection{};
    std::chrono::milliseconds timeout{0};  ///< as last negotiated or touched
    Time heard{};
    std::chrono::nanoseconds longest_gap{0};
    std::int32_t committed_timeout_ms = 0;
    bool committed = false;
    bool closing = false;
  };
  using Slot = ExpiryQueue::Slot;

  [[nodiscard]] const Entry* find(SessionId id) const;
  [[nodiscard]] static Liveness liveness_of(const Entry& entry) {
    return {entry.id, entry.connection, entry.timeout, entry.heard, entry.longest_gap, entry.closing};
  }
  void hear(Entry& entry, Time now);
  Slot insert(SessionId id);
  void erase(SessionId id, Slot slot);

  boost::unordered_flat_map<std::int64_t, Slot> slots_;
  std::vector<Entry> entries_;
  std::vector<Slot> free_;
  ExpiryQueue expiry_;
  std::size_t committed_ = 0;
  std::uint64_t near_misses_ = 0;
  bool tracking_ = false;
};

}  // namespace wk::session
