// One client connection as the core sees it: who speaks, for which session, and what is still unanswered.
//
// Thread: core. Plain state; the rules live in handshake, requests and pipeline.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "jute/codes.h"
#include "jute/records.h"
#include "server/replica/io.h"

namespace wk::replica {

/// A request that could not be answered at once. Requests of a connection are answered in the order of their
/// arrival, so everything behind the first unanswered one waits, too (except pings).
struct Pending {
  enum class Kind : std::uint8_t {
    kOpenSession,  ///< the createSession of this connection: answered by a ConnectResponse once applied
    kResume,   ///< a resumed session's writes of before: nothing to answer, but what comes now is behind them
    kWrite,    ///< a write: answered when its transaction is applied
    kRead,     ///< a read behind a write: executed when it gets to the head
    kReply,    ///< nothing to do but to send `error`, `zxid` and `body` in its turn (auth)
    kRefused,  ///< a write that was not accepted: `error` with the zxid applied last, in its turn
  };

  Kind kind = Kind::kRead;
  jute::OpCode op = jute::OpCode::kNotification;
  std::int32_t xid = 0;
  jute::ErrorCode error = jute::ErrorCode::kOk;
  /// kReply, kRefused: the connection closes behind the reply.
  std::optional<CloseReason> then_close{};
  /// kRead: how many of the connection's identities were there when the request arrived.
  std::uint32_t identities = 0;
  /// kOpenSession, kResume, kWrite: the transaction that settles it. kReply: the header's zxid. kRead: it
  /// waits at the head, too, while transactions up to this one are under way (sync).
  Zxid zxid{};
  std::chrono::steady_clock::time_point received{};
  /// kRead: the request's record. kReply: the reply's.
  std::vector<std::byte> body;
  /// kRead: how long its reply is expected to get, see txn::expected_reply_bytes().
  std::size_t reply_bytes = 0;

  /// True when it is settled by reaching the head of its queue, false when a transaction settles it.
  [[nodiscard]] bool waits_for_turn() const {
    return kind != Kind::kOpenSession && kind != Kind::kResume && kind != Kind::kWrite;
  }
};

/// First in, first out; costs nothing while empty.
class PendingQueue {
 public:
  [[nodiscard]] bool empty() const { return head_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - head_; }
  [[nodiscard]] const Pending& front() const { return items_[head_]; }
  /// Sum of Pending::reply_bytes.
  [[nodiscard]] std::size_t reply_bytes() const { return reply_bytes_; }
  /// Bytes of memory held, but for the requests' own.
  [[nodiscard]] std::size_t allocated_bytes() const { return items_.capacity() * sizeof(Pending); }
  void push(Pending pending);
  /// Takes the front out.
  Pending pop();

 private:
  std::vector<Pending> items_;
  std::size_t head_ = 0;
  std::size_t reply_bytes_ = 0;
};

/// What `cons` and the page tell about one connection.
struct ConnectionStats {
  Moment established{};
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t bytes_received = 0;  ///< with length prefixes, as the next
  std::uint64_t bytes_sent = 0;
  jute::OpCode last_op = jute::OpCode::kNotification;  ///< kNotification: none yet
  std::int32_t last_cxid = -1;                         ///< last non-negative xid; -1: none yet
  Zxid last_zxid{};                                    ///< in the header of the last reply
  Moment last_response{};                              ///< steady epoch: none yet
  std::chrono::nanoseconds last_latency{0};
  std::chrono::nanoseconds least_latency{0};
  std::chrono::nanoseconds most_latency{0};
  std::chrono::nanoseconds latency_sum{0};
  std::uint64_t latencies = 0;
};

struct Connection {
  /// How far it has come.
  enum class Stage : std::uint8_t {
    kFresh,     ///< nothing received yet
    kOpening,   ///< handshake received, its ConnectResponse not sent yet; requests queue up behind it
    kOpen,      ///< the session speaks
    kFinishing  ///< a pending entry will close the connection; whatever arrives is ignored
  };
  static constexpr std::size_t kStages = 4;

  ConnectionId id{};
  std::size_t place = 0;        ///< Connections' own
  Stage stage = Stage::kFresh;  ///< set by Connections::set_stage() alone, which counts
  /// The ConnectRequest carried the readOnly byte, so the ConnectResponse does.
  bool knows_read_only = false;
  /// Reading is paused, see Flow; set by Connections::set_paused() alone.
  bool paused = false;
  SessionId session{};
  std::chrono::milliseconds timeout{0};
  std::string address;
  /// In the order of their appearance; only grows.
  std::vector<jute::Id> identities;
  PendingQueue pending;
  ConnectionStats stats;

  /// Bytes of memory held for it here, but for the texts of its identities.
  [[nodiscard]] std::size_t allocated_bytes() const {
    return sizeof(*this) + address.capacity() + identities.capacity() * sizeof(jute::Id) +
           pending.allocated_bytes();
  }
  [[nodiscard]] std::span<const jute::Id> identities_at(std::uint32_t count) const {
    return std::span(identities).first(count);
  }
};

/// Stable name of a stage, fit for a label value: "fresh", "opening", "open", "finishing".
const char* name(Connection::Stage stage);

}  // namespace wk::replica
