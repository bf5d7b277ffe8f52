// The life of a session: attempts, handshake, keeping alive, loss and end. Private to Session.
//
// Everything of a Session that handlers under way may still need when the Session itself is gone. It decides;
// what it decides on is kept by parts of their own: the servers (ServerRotation), what makes the session the
// same one everywhere (SessionIdentity), requests without a reply (OutstandingRequests), watches
// (WatchTable), and callbacks that are due (CallbackQueue), through which alone the user is called, so that
// nobody re-enters a change that is under way. Thread: the io_context's one thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "client/callback_queue.h"
#include "client/connection.h"
#include "client/outstanding_requests.h"
#include "client/server_rotation.h"
#include "client/session.h"
#include "client/session_identity.h"
#include "client/watch_table.h"

namespace wk::client {

class Session::Core : public Connection::Owner, public std::enable_shared_from_this<Core> {
 public:
  Core(boost::asio::io_context& io, SessionOptions options, RandomSource random,
       std::function<void(const SessionChange&)> on_change);
  virtual ~Core() = default;

  void open();
  void close(std::chrono::milliseconds timeout, std::function<void()> done);
  /// The Session is gone: calls nothing any more.
  void detach();
  Result<void> add_auth(std::string scheme, std::string auth);

  /// Sends one request. `decode(Reply<T>&, jute::Reader&)` fills the value when a reply came, whatever its
  /// error.
  template <typename T, typename Record, typename Decode>
  void request(jute::OpCode op, const Record& record, std::chrono::milliseconds timeout, Callback<T> done,
               Decode decode);
  /// The same for the requests that can leave a watch; `decode` is called for replies without error only.
  template <typename T, typename Decode>
  void read_request(jute::OpCode op, std::string path, ReadOptions options, Callback<T> done, Decode decode);

  void on_open() override;
  void on_frame(std::span<const std::byte> payload) override;
  void on_closed(const Error& reason) override { lost(reason); }

  [[nodiscard]] SessionState state() const { return state_; }
  [[nodiscard]] const SessionIdentity& identity() const { return identity_; }
  [[nodiscard]] const SessionCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t outstanding() const { return requests_.size(); }
  [[nodiscard]] std::size_t watches() const { return watches_.size(); }

 private:
  using Clock = OutstandingRequests::Clock;

  template <typename T, typename Decode>
  class TypedCall;

  struct Credentials {
    std::string scheme;
    std::string auth;
  };

  /// Longest deadline of a request; keeps time arithmetic away from overflow.
  static constexpr std::chrono::milliseconds kTimeoutMax = std::chrono::hours(24);

  [[nodiscard]] bool connected() const {
    return state_ == SessionState::kConnected || state_ == SessionState::kConnectedReadOnly;
  }
  void change_state(SessionState state, std::optional<Error> reason);

  void schedule_attempt();
  void start_attempt();
  void arm_attempt_timer(std::chrono::milliseconds delay, void (Core::*then)());
  void attempt_timed_out();

  template <typename Record>
  Result<void> send(std::int32_t xid, jute::OpCode op, const Record* record);
  std::optional<Fault> reason_not_to_send() const;
  void restore_registrations();

  void handle_handshake(std::span<const std::byte> payload);
  void handle_watch_event(jute::Reader& body);
  void handle_auth_reply(jute::ErrorCode error);
  void handle_set_watches_reply(jute::ErrorCode error);
  void handle_reply(const jute::ReplyHeader& header, jute::Reader& body);

  void check_liveness();
  void arm_liveness_timer();
  void check_deadlines();
  void arm_request_timer(Clock::time_point deadline);

  void lost(const Error& reason);
  void protocol_fault(const std::string& what);
  void drop_connection();
  void fail_requests(FaultKind kind, const std::string& message);
  void end_watches(jute::KeeperState state);
  void end_session(SessionState state, FaultKind kind, jute::KeeperState watch_state, Error reason);
  void finish_close();

  boost::asio::io_context& io_;
  const SessionOptions options_;
  RandomSource random_;
  std::function<void(const SessionChange&)> on_change_;
  SessionState state_ = SessionState::kDisconnected;
  std::string last_reason_ = "the session was not opened yet";
  bool active_ = false;   ///< open() was called and the session is not over
  bool closing_ = false;  ///< close() was called
  std::function<void()> close_done_;
  SessionCounters counters_;

  const std::shared_ptr<CallbackQueue> callbacks_;
  ServerRotation rotation_;
  SessionIdentity identity_;
  OutstandingRequests requests_;
  WatchTable watches_;
  std::vector<Credentials> credentials_;

  std::shared_ptr<Connection> connection_;
  ServerAddress server_;  ///< of connection_, or of the last one
  std::size_t auths_in_flight_ = 0;
  std::size_t set_watches_in_flight_ = 0;
  Clock::time_point last_sent_;
  Clock::time_point last_received_;

  boost::asio::steady_timer attempt_timer_;   ///< delay before, and deadline of, an attempt
  boost::asio::steady_timer liveness_timer_;  ///< pings and the silent server
  boost::asio::steady_timer request_timer_;   ///< earliest deadline of requests_
  boost::asio::steady_timer close_timer_;
  std::uint64_t attempt_timer_round_ = 0;  ///< a wait of an earlier round is stale even if it already expired
  Clock::time_point request_timer_due_ = Clock::time_point::max();
};

template <typename T, typename Decode>
class Session::Core::TypedCall : public Call {
 public:
  TypedCall(Callback<T> done, Decode decode) : done_(std::move(done)), decode_(std::move(decode)) {}

  Result<void> answer(const jute::ReplyHeader& header, jute::Reader& body,
                      CallbackQueue& callbacks) override {
    Reply<T> reply{header.error, header.zxid, {}};
    decode_(reply, body);
    if (auto status = body.status(); !status) {
      fail({FaultKind::kMalformedReply, status.error().message}, callbacks);
      return status;
    }
    if (done_)
      callbacks.add(
          [done = std::move(done_), reply = std::move(reply)]() mutable { done(std::move(reply)); });
    return {};
  }

  void fail(Fault fault, CallbackQueue& callbacks) override {
    if (done_)
      callbacks.add(
          [done = std::move(done_), fault = std::move(fault)]() mutable { done(std::move(fault)); });
  }

 private:
  Callback<T> done_;
  Decode decode_;
};

template <typename Record>
Result<void> Session::Core::send(std::int32_t xid, jute::OpCode op, const Record* record) {
  jute::Writer out(connection_->begin_frame());
  write(out, jute::RequestHeader{xid, op});
  if constexpr (!std::is_same_v<Record, Nothing>) write(out, *record);
  if (auto status = out.status(); !status) {
    connection_->abandon_frame();
    return status;
  }
  auto queued = connection_->end_frame();
  if (queued) last_sent_ = Clock::now();
  return queued;
}

template <typename T, typename Record, typename Decode>
void Session::Core::request(jute::OpCode op, const Record& record, std::chrono::milliseconds timeout,
                            Callback<T> done, Decode decode) {
  auto call = std::make_unique<TypedCall<T, Decode>>(std::move(done), std::move(decode));
  auto refused = reason_not_to_send();
  if (!refused) {
    if (auto sent = send(requests_.next_xid(), op, &record); !sent)
      refused = Fault{FaultKind::kLimit, std::move(sent).error().message};
  }
  if (refused) {
    if (refused->kind == FaultKind::kLimit) ++counters_.requests_refused_by_limit;
    refused->message = fmt::format("{}: {}", jute::name(op), refused->message);
    return call->fail(*std::move(refused), *callbacks_);
  }
  const auto deadline = last_sent_ + std::clamp(timeout, std::chrono::milliseconds{0}, kTimeoutMax);
  requests_.add(op, deadline, std::move(call));
  ++counters_.requests_sent;
  arm_request_timer(deadline);
}

template <typename T, typename Decode>
void Session::Core::read_request(jute::OpCode op, std::string path, ReadOptions options, Callback<T> done,
                                 Decode decode) {
  const jute::ReadRequest record{std::move(path), options.watch != nullptr};
  if (options.watch && watches_.size() >= options_.max_watches) {
    ++counters_.requests_refused_by_limit;
    return TypedCall<T, Decode>(std::move(done), std::move(decode))
        .fail({FaultKind::kLimit,
               fmt::format("{}: {} watches are set already, the limit", jute::name(op), watches_.size())},
              *callbacks_);
  }
  // `this` owns the call through requests_.
  request<T>(op, record, options.timeout, std::move(done),
             [this, op, path = record.path, watch = std::move(options.watch), decode = std::move(decode)](
                 Reply<T>& reply, jute::Reader& body) mutable {
               if (reply.error == jute::ErrorCode::kOk) decode(reply, body);
               if (!watch || !body.ok()) return;
               if (reply.error == jute::ErrorCode::kOk)
                 watches_.add(
                     op == jute::OpCode::kGetChildren2 ? WatchTable::Kind::kChild : WatchTable::Kind::kData,
                     path, std::move(watch));
               else if (op == jute::OpCode::kExists && reply.error == jute::ErrorCode::kNoNode)
                 watches_.add(WatchTable::Kind::kExist, path, std::move(watch));
             });
}

}  // namespace wk::client
