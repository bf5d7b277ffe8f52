// What goes into a Replica and what comes out of it: the contract between the pure core and its shell.
//
// The shell (server/node) turns sockets, clocks and disk completions into Inputs, calls Replica::step() once
// for each, and then carries the Output out. Output only ever grows during step(): several steps of one
// wake-up share one Output, so that a connection gets one write a wake-up and the log one batch; the shell
// carries it out and calls clear(), which keeps the memory.
//
// Order that the shell keeps: sends of one connection leave in the order of `sends`; a connection in `closes`
// is closed after its sends have left; appends reach the log in the order of `appends`. Nothing else: replies
// that depend on durability are held back inside the core until LogSynced covers them.
//
// Thread: core. Plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace wk::replica {

// ----------------------------------------------------------------------------------------------------------
// inputs

/// Why this server ends a connection; each is a label value and a log line.
enum class CloseReason : std::uint8_t {
  kClientAsked,       ///< closeSession was answered
  kSessionRefused,    ///< wrong password, unknown, expired or closed session; answered with zeros
  kSessionExpired,    ///< the session of this connection expired
  kSessionTakenOver,  ///< the same session connected again
  kMalformed,         ///< frame shorter than its header, undecodable handshake, auth or SASL packet
  kUnknownOperation,  ///< answered with UNIMPLEMENTED
  kAuthFailed,        ///< answered with AUTHFAILED
  kClientAhead,       ///< the client has seen a zxid that this server has not applied yet
  kNoLogSpace,        ///< a session could not be opened or closed because the log is full
  kFrameTooLong,      ///< by the shell: a request above jute.maxbuffer
  kDoesNotRead,       ///< by the shell: too much waited for a client that does not read
  kUnanswered,        ///< by the shell: no answer came in the time that a handshake may take
};

/// Number of CloseReason values, for counters by reason.
inline constexpr std::size_t kCloseReasons = 12;

/// Stable name of a reason, fit for a label value: "client_asked", "session_expired", …
const char* name(CloseReason reason);

/// Time passed. Expected at least every 100 ms, or as often as Settings::container_check_interval asks when
/// that is shorter; a late tick only delays expiry.
struct Tick {};

/// A client's transport connection was accepted. `address` is the peer's address without port as ZooKeeper
/// prints it in an `ip` identity: IPv4 dotted, IPv6 uncompressed ("0:0:0:0:0:0:0:1"). Copied.
struct ClientOpened {
  ConnectionId connection{};
  std::string_view address{};
};

/// One frame of a client without its length prefix, at most jute.maxbuffer bytes (the shell closes what is
/// longer). The bytes are only read during step(). A frame of a connection that the core has closed is
/// ignored.
struct ClientFrame {
  ConnectionId connection{};
  std::span<const std::byte> payload{};
};

/// A connection that the shell does not read from, since it does not read, has fetched some of what it is
/// owed: its session's client lives, though no ping of it can be read. Ignored when the connection is
/// unknown.
struct ClientFetched {
  ConnectionId connection{};
};

/// The transport connection ended, from whichever side; also confirms a close that the core asked for, but
/// need not follow it. Ignored when the connection is unknown.
struct ClientGone {
  ConnectionId connection{};
  std::optional<CloseReason> closed{};  ///< when the shell ended it by itself
};

/// The appends of the Output were handed to the log. Given once for each Output that had appends.
struct AppendsHandedOver {};

/// Every append up to and including `zxid` is on stable storage. May cover several batches. The moments tell
/// where the time went; a moment that is not known is left at the clock's epoch.
struct LogSynced {
  Zxid zxid{};
  std::chrono::steady_clock::time_point taken{};    ///< the log began with what is told here
  std::chrono::steady_clock::time_point written{};  ///< all of it was handed to the file
  std::chrono::steady_clock::time_point synced{};   ///< the sync returned
};

/// The log has no room: nothing after `durable` was written, nor will be. Appends handed out before this
/// input and above `durable` are forgotten by both sides. From here on writes are refused (NOTREADONLY),
/// reads go on, until LogSpaceBack.
struct LogSpaceExhausted {
  Zxid durable{};
};

/// The log can be written again.
struct LogSpaceBack {};

/// The snapshot that Output::start_snapshot asked for is on disk (`written`) or was given up.
struct SnapshotFinished {
  bool written = false;
};

/// The shell began, or ended, to remove old snapshots and logs: nothing changes, but whoever asks why a
/// request was slow wants to know.
struct PurgeUnderWay {
  bool under_way = false;
};

/// The sends of the Output were handed to the kernel: the latency of the replies in it ends now. Given after
/// each Output that had sends or applied transactions; without it latencies are not counted.
struct OutputDelivered {
  /// When carrying out began: what the Output tells was decided by then. The clock's epoch: not known.
  std::chrono::steady_clock::time_point began{};
};

using Event =
    std::variant<Tick, ClientOpened, ClientFrame, ClientFetched, ClientGone, AppendsHandedOver, LogSynced,
                 LogSpaceExhausted, LogSpaceBack, SnapshotFinished, PurgeUnderWay, OutputDelivered>;

struct Input {
  Moment now{};
  Event event{};
};

// ---------------------------------------------------------------------------------------------------------
// outputs

/// `size` bytes at `offset` of Output::bytes, length prefixes included, for one connection. Several sends may
/// name the same bytes: an event that many clients watch is encoded once.
struct Send {
  ConnectionId connection{};
  std::size_t offset = 0;
  std::size_t size = 0;
  bool only_events = false;  ///< nobody waits for an answer in it
};

/// Close after the connection's sends of this Output have left.
struct Close {
  ConnectionId connection{};
  CloseReason reason = CloseReason::kClientAsked;
};

/// Stop (`paused`) or resume delivering the frames of a connection. The shell heeds it before the next frame,
/// also with frames that it has read already: with them the core's queues would grow without a bound. A frame
/// that comes nevertheless is kept in order. The last entry of a connection counts.
struct Flow {
  ConnectionId connection{};
  bool paused = false;
};

/// One log record: `size` bytes at `offset` of Output::log_bytes, the record's payload (TxnHeader, body,
/// digest) without checksum and length. zxids rise strictly from append to append.
struct Append {
  Zxid zxid{};
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// Roll the log and take a snapshot (Replica::begin_snapshot); its name is `zxid`, the transaction applied
/// last. Transactions that are applied between this step and the begin of the walk do no harm: replay repeats
/// them. At most one snapshot at a time: the next waits for SnapshotFinished.
struct SnapshotStart {
  Zxid zxid{};
};

struct Output {
  std::vector<std::byte> bytes;
  std::vector<Send> sends;
  std::vector<Close> closes;
  std::vector<Flow> flows;
  std::vector<std::byte> log_bytes;
  std::vector<Append> appends;
  std::optional<SnapshotStart> start_snapshot;
  /// Transactions that these steps applied.
  std::size_t applied = 0;
  /// Work was left for later so that this step stays short (many sessions expired together): deliver a Tick
  /// once everything that is ready now has been handled, without waiting.
  bool more_work = false;

  /// Empties everything; keeps the memory, except what a single huge reply made of it (kArenaKeep).
  void clear();

  /// Arenas above this many bytes are given back by clear().
  static constexpr std::size_t kArenaKeep = 4U << 20;
};

}  // namespace wk::replica
