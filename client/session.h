// A ZooKeeper session: keeps one alive on a list of servers, and carries requests and one-shot watches.
//
//   Session session(io, {.servers = {{"zk1", 2181}}}, random, [](const SessionChange& change) { … });
//   session.open();
//   session.get_data("/a", {.timeout = 1s}, [](Outcome<NodeData> outcome) {
//     if (!outcome) …                                         // operating fault: outcome.error().kind
//     else if (outcome->error != jute::ErrorCode::kOk) …      // the server's answer: NONODE, NOAUTH, …
//     else use(outcome->value.data, outcome->zxid);
//   });
//
// Callbacks, not coroutines: the order of events, replies and state changes *is* the contract here, and a
// callback list states it literally; a coroutine that is resumed through a queue could see a reply before the
// watch event that the server sent first. A session can also be destroyed while callers wait, which leaves no
// suspended frames behind.
//
// Thread: the io_context's one thread, for every call and every callback (or before it runs). No callback is
// ever made from inside a call of the caller; each request's callback is made exactly once, unless the
// Session is destroyed first: then nothing is called any more. A callback may call anything here, and may
// destroy the Session. The io_context must outlive the Session. Invariants: replies are matched in order; at
// most max_outstanding requests are under way; a request is never sent twice, so a lost connection leaves its
// effect unknown. Source: ClientCnxn.java, ZooKeeper.java; reference "Framing and handshake", "Watches",
// "Sessions". Differs: requests made while there is no connection fail at once instead of waiting for one, so
// that a caller measures what happens and no queue builds up; each request has a deadline of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "client/backoff.h"
#include "client/connection.h"
#include "client/outcome.h"
#include "client/server_address.h"
#include "client/watch_table.h"
#include "jute/records.h"

namespace wk::client {

enum class SessionState {
  kDisconnected,       ///< not opened yet, or between two attempts; the session may still live on the servers
  kConnecting,         ///< an attempt is under way
  kConnected,          ///< requests are carried
  kConnectedReadOnly,  ///< requests are carried; writes are answered NOTREADONLY
  kExpired,     ///< the servers ended the session: ephemerals and watches are gone; open() starts a new one
  kAuthFailed,  ///< the server refused credentials; the session is given up; open() starts a new one without
                ///< credentials
  kClosed,      ///< close() is done; final
};

/// Short stable name: "connected_read_only", …
const char* name(SessionState state);

/// One change of state, in the order they happened.
struct SessionChange {
  SessionState state = SessionState::kDisconnected;
  ServerAddress server{};         ///< the server it is about
  std::optional<Error> reason{};  ///< for kDisconnected, kExpired, kAuthFailed: what happened
};

struct Nothing {};

struct NodeData {
  std::string data;  ///< null data reads as empty
  jute::Stat stat;
};

struct NodeChildren {
  std::vector<std::string> names;  ///< in no particular order
  jute::Stat stat;
};

/// The list that lets everybody do everything.
std::vector<jute::Acl> open_acl();

struct CreateOptions {
  jute::CreateMode mode = jute::CreateMode::kPersistent;
  std::vector<jute::Acl> acl = open_acl();
  std::chrono::milliseconds ttl{0};  ///< for the two TTL modes: 1 … 2^40-1
  std::chrono::milliseconds timeout{5'000};
};

struct ReadOptions {
  std::chrono::milliseconds timeout{5'000};
  /// When set: a one-shot watch. Left when the server answers OK (exists: also NONODE); otherwise, or when
  /// this request timed out, the handler is dropped uncalled. Survives reconnects.
  WatchHandler watch{};
};

struct SessionOptions {
  std::vector<ServerAddress> servers{};               ///< at least one; taken in turn, from a random first
  std::chrono::milliseconds session_timeout{10'000};  ///< asked for; the servers clamp it
  std::chrono::milliseconds attempt_timeout{5'000};  ///< name, TCP, TLS and handshake of one attempt together
  BackoffLimits backoff{};                           ///< between rounds through the list
  bool allow_read_only = false;                      ///< accept a server that lost its quorum
  std::size_t max_outstanding = 1'000;               ///< requests without a reply, timed-out ones included
  std::size_t max_watches = 100'000;
  std::size_t max_credentials = 16;
  ConnectionLimits connection{};
  ConnectionTls tls{};
};

/// What this session did so far; all counters rise only.
struct SessionCounters {
  std::uint64_t attempts = 0;          ///< connections tried
  std::uint64_t attempts_failed = 0;   ///< that did not reach the connected state
  std::uint64_t connections_lost = 0;  ///< after the connected state
  std::uint64_t sessions_created = 0;
  std::uint64_t sessions_resumed = 0;
  std::uint64_t sessions_expired = 0;
  std::uint64_t pings_sent = 0;
  std::uint64_t requests_sent = 0;
  std::uint64_t replies = 0;
  std::uint64_t requests_timed_out = 0;
  std::uint64_t requests_refused_by_limit = 0;  ///< FaultKind::kLimit
  std::uint64_t watch_events = 0;
  std::uint64_t protocol_faults = 0;  ///< connections dropped since the peer broke the protocol
};

/// Uniform numbers in [0, 1); called on the io_context's thread.
using RandomSource = std::function<double()>;

class Session {
 public:
  /// Does nothing on the network yet.
  /// \param on_change  may be empty
  Session(boost::asio::io_context& io, SessionOptions options, RandomSource random,
          std::function<void(const SessionChange&)> on_change);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Drops the connection without closeSession (the session ends by timeout on the servers). Calls nothing.
  ~Session();

  /// Starts connecting, and keeps on until the session is over. After kExpired and kAuthFailed: a new
  /// session. In any other state after the first call, and after close(): does nothing.
  void open();

  /// Ends the session: requests already made are still answered, later ones fail with kClosed; ephemerals
  /// vanish. Without a connection, or when the server has not answered by `timeout`, the session is left to
  /// its timeout. \param done  may be empty; called after the change to kClosed
  void close(std::chrono::milliseconds timeout, std::function<void()> done);

  [[nodiscard]] SessionState state() const;
  /// 0 when there is none.
  [[nodiscard]] SessionId id() const;
  /// What the server granted at the last handshake; 0 before the first.
  [[nodiscard]] std::chrono::milliseconds negotiated_timeout() const;
  /// Highest zxid in any reply so far: servers that are behind it refuse the session.
  [[nodiscard]] Zxid last_zxid_seen() const;
  [[nodiscard]] const SessionCounters& counters() const;
  /// Requests without a reply.
  [[nodiscard]] std::size_t outstanding() const;
  /// Watches that may still fire.
  [[nodiscard]] std::size_t watches() const;

  /// The value is the path, with the sequence number if any. Uses the operations that every server since 3.3
  /// knows (containers: 3.5, TTL: 3.6).
  void create(std::string path, std::string data, CreateOptions options, Callback<std::string> done);
  /// \param version  -1 matches any
  void remove(std::string path, std::int32_t version, std::chrono::milliseconds timeout,
              Callback<Nothing> done);
  void exists(std::string path, ReadOptions options, Callback<jute::Stat> done);
  void get_data(std::string path, ReadOptions options, Callback<NodeData> done);
  void set_data(std::string path, std::string data, std::int32_t version, std::chrono::milliseconds timeout,
                Callback<jute::Stat> done);
  void get_children(std::string path, ReadOptions options, Callback<NodeChildren> done);
  /// Reads made after the answer see everything that the leader had committed when it got this.
  void sync(std::string path, std::chrono::milliseconds timeout, Callback<Nothing> done);
  void get_acl(std::string path, std::chrono::milliseconds timeout, Callback<jute::GetAclResponse> done);
  /// \param version  compared with Stat::aversion; -1 matches any
  void set_acl(std::string path, std::vector<jute::Acl> acl, std::int32_t version,
               std::chrono::milliseconds timeout, Callback<jute::Stat> done);
  /// All operations happen or none. The reply's error is that of the operation that failed; the value holds
  /// one result an operation either way.
  void multi(std::vector<jute::MultiOperation> operations, std::chrono::milliseconds timeout,
             Callback<std::vector<jute::MultiResult>> done);
  /// Presents credentials ("digest", "user:password") now, when connected, and first on every later
  /// connection; what is requested behind it is judged by them. A refusal ends the session with kAuthFailed;
  /// there is no other answer. \return  kTooLarge above max_credentials, or when the frame does not fit
  Result<void> add_auth(std::string scheme, std::string auth);

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace wk::client
