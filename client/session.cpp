#include "client/session.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace wk::client {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kPasswordBytes = 16;
/// Longest deadline of a request; keeps time arithmetic away from overflow.
constexpr milliseconds kTimeoutMax = std::chrono::hours(24);

std::int32_t to_wire_ms(milliseconds duration) {
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(duration.count(), 0, std::numeric_limits<std::int32_t>::max()));
}

/// The error of a multi: that of the part which failed. Parts in front of it say kOk (rolled back), parts
/// behind it kRuntimeInconsistency.
jute::ErrorCode first_error(const std::vector<jute::MultiResult>& results) {
  for (const jute::MultiResult& result : results)
    if (result.op == jute::OpCode::kError && result.error != jute::ErrorCode::kOk) return result.error;
  return jute::ErrorCode::kOk;
}

}  // namespace

const char* name(SessionState state) {
  switch (state) {
    case SessionState::kDisconnected:
      return "disconnected";
    case SessionState::kConnecting:
      return "connecting";
    case SessionState::kConnected:
      return "connected";
    case SessionState::kConnectedReadOnly:
      return "connected_read_only";
    case SessionState::kExpired:
      return "expired";
    case SessionState::kAuthFailed:
      return "auth_failed";
    case SessionState::kClosed:
      return "closed";
  }
  return "disconnected";
}

const char* name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kConnectionLoss:
      return "connection_loss";
    case FaultKind::kTimedOut:
      return "timed_out";
    case FaultKind::kSessionExpired:
      return "session_expired";
    case FaultKind::kAuthFailed:
      return "auth_failed";
    case FaultKind::kClosed:
      return "closed";
    case FaultKind::kLimit:
      return "limit";
    case FaultKind::kMalformedReply:
      return "malformed_reply";
  }
  return "connection_loss";
}

void throw_exception_from_error(const Fault& fault, const boost::source_location& location) {
  check_failed("Outcome::value() of a fault", location.file_name(), static_cast<int>(location.line()),
               fault.message);
}

std::vector<jute::Acl> open_acl() { return {{jute::kPermAll, {"world", "anyone"}}}; }

// ---------------------------------------------------------------------------------------------------------------
// core

/// Everything of a Session that handlers under way may still need when the Session itself is gone.
///
/// Callbacks of the user never run in the middle of a change: they are put into outbox_ and run, in that
/// order, from a handler of their own. So every function here may assume that nobody re-enters it.
class Session::Core : public Connection::Owner, public std::enable_shared_from_this<Core> {
 public:
  Core(asio::io_context& io, SessionOptions options, RandomSource random,
       std::function<void(const SessionChange&)> on_change)
      : io_(io),
        options_(std::move(options)),
        random_(std::move(random)),
        on_change_(std::move(on_change)),
        backoff_(options_.backoff),
        attempt_timer_(io),
        liveness_timer_(io),
        request_timer_(io),
        close_timer_(io) {
    WK_CHECK(!options_.servers.empty(), "a session needs at least one server");
    WK_CHECK(random_ != nullptr, "a session needs a source of random numbers");
    const auto first = static_cast<std::size_t>(std::clamp(random_(), 0.0, 1.0) *
                                                static_cast<double>(options_.servers.size()));
    next_server_ = first % options_.servers.size();
  }
  virtual ~Core() = default;

  void open();
  void close(milliseconds timeout, std::function<void()> done);
  void detach();
  Result<void> add_auth(std::string scheme, std::string auth);

  /// Sends one request. `decode(Reply<T>&, Reader&, Core&)` fills the value when a reply came, whatever its
  /// error.
  template <typename T, typename Record, typename Decode>
  void request(jute::OpCode op, const Record& record, milliseconds timeout, Callback<T> done, Decode decode);
  /// The same for the requests that can leave a watch.
  template <typename T, typename Decode>
  void read_request(jute::OpCode op, std::string path, ReadOptions options, Callback<T> done, Decode decode);

  void on_open() override;
  void on_frame(std::span<const std::byte> payload) override;
  void on_closed(const Error& reason) override { lost(reason); }

  asio::io_context& io_;
  const SessionOptions options_;
  SessionState state_ = SessionState::kDisconnected;
  SessionId id_;
  milliseconds negotiated_timeout_{0};
  Zxid last_zxid_seen_;
  SessionCounters counters_;
  WatchTable watches_;

  /// A request waiting for its reply, with its type erased.
  class Call {
   public:
    virtual ~Call() = default;
    /// Decodes the reply and queues the user's callback. \return whether the reply could be decoded.
    virtual Result<void> answer(Core& core, const jute::ReplyHeader& header, jute::Reader& body) = 0;
    virtual void fail(Core& core, Fault fault) = 0;
  };

  /// One slot in the order of sending. `call` is null once its deadline has passed, and for closeSession.
  struct Pending {
    std::int32_t xid = 0;
    jute::OpCode op = jute::OpCode::kPing;
    Clock::time_point deadline;
    std::unique_ptr<Call> call;
  };
  std::deque<Pending> pending_;

 private:
  template <typename T, typename Decode>
  class TypedCall;

  struct Credentials {
    std::string scheme;
    std::string auth;
  };

  [[nodiscard]] bool connected() const {
    return state_ == SessionState::kConnected || state_ == SessionState::kConnectedReadOnly;
  }

  void queue_callback(std::function<void()> callback);
  void run_callbacks();
  void change_state(SessionState state, std::optional<Error> reason);

  void schedule_attempt();
  void start_attempt();
  void arm_attempt_timer(milliseconds delay, void (Core::*then)());
  void attempt_timed_out();

  template <typename Record>
  Result<void> send(std::int32_t xid, jute::OpCode op, const Record* record);
  std::optional<Fault> reason_not_to_send() const;
  std::int32_t take_xid();
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
  void fail_pending(FaultKind kind, const std::string& message);
  void end_session(SessionState state, FaultKind kind, jute::KeeperState watch_state, Error reason);
  void finish_close();

  RandomSource random_;
  std::function<void(const SessionChange&)> on_change_;
  Backoff backoff_;
  asio::steady_timer attempt_timer_;   ///< delay before, and deadline of, an attempt
  asio::steady_timer liveness_timer_;  ///< pings and the silent server
  asio::steady_timer request_timer_;   ///< earliest deadline of pending_
  asio::steady_timer close_timer_;
  std::uint64_t attempt_timer_round_ = 0;  ///< a wait of an earlier round is stale even if it already expired
  Clock::time_point request_timer_due_ = Clock::time_point::max();

  std::deque<std::function<void()>> outbox_;
  bool outbox_posted_ = false;
  bool detached_ = false;
  bool active_ = false;   ///< open() was called and the session is not over
  bool closing_ = false;  ///< close() was called
  std::function<void()> close_done_;

  std::shared_ptr<Connection> connection_;
  ServerAddress server_;  ///< of connection_, or of the last one
  std::size_t next_server_ = 0;
  std::size_t tried_in_round_ = 0;
  std::size_t attempt_number_ = 0;
  std::string last_reason_ = "the session was not opened yet";

  std::string password_;
  SessionId id_asked_;      ///< in the ConnectRequest under way
  bool resumable_ = false;  ///< a server with a quorum has confirmed the session
  std::vector<Credentials> credentials_;
  std::size_t auths_in_flight_ = 0;
  std::size_t set_watches_in_flight_ = 0;
  std::int32_t next_xid_ = 1;
  Clock::time_point last_sent_;
  Clock::time_point last_received_;
};

template <typename T, typename Decode>
class Session::Core::TypedCall : public Call {
 public:
  TypedCall(Callback<T> done, Decode decode) : done_(std::move(done)), decode_(std::move(decode)) {}

  Result<void> answer(Core& core, const jute::ReplyHeader& header, jute::Reader& body) override {
    Reply<T> reply{header.error, header.zxid, {}};
    decode_(reply, body, core);
    if (auto status = body.status(); !status) {
      fail(core, {FaultKind::kMalformedReply, status.error().message});
      return status;
    }
    if (done_)
      core.queue_callback(
          [done = std::move(done_), reply = std::move(reply)]() mutable { done(std::move(reply)); });
    return {};
  }

  void fail(Core& core, Fault fault) override {
    if (done_)
      core.queue_callback(
          [done = std::move(done_), fault = std::move(fault)]() mutable { done(std::move(fault)); });
  }

 private:
  Callback<T> done_;
  Decode decode_;
};

// ----------------------------------------------------------------------------------------------------------
// callbacks

void Session::Core::queue_callback(std::function<void()> callback) {
  if (detached_) return;
  outbox_.push_back(std::move(callback));
  if (!std::exchange(outbox_posted_, true))
    asio::post(io_, [self = shared_from_this()] { self->run_callbacks(); });
}

void Session::Core::run_callbacks() {
  // Callbacks that are queued by these callbacks wait for the next round, so that sockets and timers get
  // their turn.
  for (std::size_t left = outbox_.size(); left > 0 && !outbox_.empty(); --left) {
    const auto callback = std::move(outbox_.front());
    outbox_.pop_front();
    callback();
  }
  outbox_posted_ = !outbox_.empty();
  if (outbox_posted_) asio::post(io_, [self = shared_from_this()] { self->run_callbacks(); });
}

void Session::Core::change_state(SessionState state, std::optional<Error> reason) {
  state_ = state;
  if (reason) last_reason_ = reason->message;
  if (!on_change_) return;
  queue_callback([this, change = SessionChange{state, server_, std::move(reason)}] { on_change_(change); });
}

void Session::Core::detach() {
  detached_ = true;
  outbox_.clear();
  pending_.clear();
  watches_.take_all();
  close_done_ = nullptr;
  drop_connection();
  attempt_timer_.cancel();
  close_timer_.cancel();
}

// ---------------------------------------------------------------------------------------------------------
// connecting

void Session::Core::open() {
  if (active_ || closing_) return;
  active_ = true;
  schedule_attempt();
}

void Session::Core::schedule_attempt() {
  milliseconds delay{0};
  if (tried_in_round_ >= options_.servers.size()) {
    delay = backoff_.next(random_());
    tried_in_round_ = 0;
  }
  arm_attempt_timer(delay, &Core::start_attempt);
}

void Session::Core::arm_attempt_timer(milliseconds delay, void (Core::*then)()) {
  attempt_timer_.expires_after(delay);
  attempt_timer_.async_wait([self = shared_from_this(), round = ++attempt_timer_round_,
                             then](const boost::system::error_code& code) {
    if (!code && round == self->attempt_timer_round_ && !self->detached_) ((*self).*then)();
  });
}

void Session::Core::start_attempt() {
  server_ = options_.servers[next_server_];
  next_server_ = (next_server_ + 1) % options_.servers.size();
  ++tried_in_round_;
  ++counters_.attempts;
  change_state(SessionState::kConnecting, std::nullopt);
  connection_ = std::make_shared<Connection>(io_, server_, options_.tls, options_.connection);
  arm_attempt_timer(options_.attempt_timeout, &Core::attempt_timed_out);
  connection_->start(shared_from_this(), attempt_number_++);
}

void Session::Core::attempt_timed_out() {
  lost({Errc::kTimedOut, fmt::format("{}: no session after {} ms, while {}", server_.to_string(),
                                     options_.attempt_timeout.count(), connection_->step())});
}

void Session::Core::on_open() {
  id_asked_ = resumable_ ? id_ : SessionId{};
  jute::ConnectRequest hello;
  hello.last_zxid_seen = last_zxid_seen_;
  hello.timeout_ms = to_wire_ms(options_.session_timeout);
  hello.session_id = id_asked_;
  hello.password = resumable_ ? password_ : std::string(kPasswordBytes, '\0');
  hello.read_only = options_.allow_read_only;
  jute::Writer out(connection_->begin_frame());
  write(out, hello);
  if (auto sent = connection_->end_frame(); !sent) lost(sent.error());
}

void Session::Core::handle_handshake(std::span<const std::byte> payload) {
  auto hello = jute::decode<jute::ConnectResponse>(payload);
  if (!hello) return protocol_fault("handshake answer: " + hello.error().message);
  if (hello->timeout_ms <= 0 || hello->session_id.value == 0) {
    ++counters_.attempts_failed;
    return end_session(
        SessionState::kExpired, FaultKind::kSessionExpired, jute::KeeperState::kExpired,
        {Errc::kClosed, id_asked_.value == 0
                            ? fmt::format("{}: the server refused a new session", server_.to_string())
                            : fmt::format("{}: session {:#x} has expired", server_.to_string(),
                                          static_cast<std::uint64_t>(id_asked_.value))});
  }
  if (id_asked_.value != 0 && hello->session_id != id_asked_)
    return protocol_fault("handshake answer: it is for another session than the one asked for");

  ++(id_asked_.value != 0 ? counters_.sessions_resumed : counters_.sessions_created);
  const bool read_only = hello->read_only.value_or(false);
  id_ = hello->session_id;
  password_ = hello->password.value_or(std::string());
  negotiated_timeout_ = milliseconds(hello->timeout_ms);
  resumable_ = resumable_ || !read_only;
  ++attempt_timer_round_;
  attempt_timer_.cancel();
  change_state(read_only ? SessionState::kConnectedReadOnly : SessionState::kConnected, std::nullopt);
  last_sent_ = last_received_;
  restore_registrations();
  if (connected()) arm_liveness_timer();
}

/// Credentials before watches, as the servers judge what is read by them.
void Session::Core::restore_registrations() {
  Result<void> sent;
  for (const Credentials& credentials : credentials_) {
    if (!sent) break;
    const jute::AuthPacket packet{0, credentials.scheme, credentials.auth};
    sent = send(jute::kXidAuth, jute::OpCode::kAuth, &packet);
    ++auths_in_flight_;
  }
  for (const jute::SetWatches& record : watches_.registrations(last_zxid_seen_)) {
    if (!sent) break;
    sent = send(jute::kXidSetWatches, jute::OpCode::kSetWatches, &record);
    ++set_watches_in_flight_;
  }
  if (!sent) lost(sent.error());
}

// ------------------------------------------------------------------------------------------------------------
// sending

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

std::int32_t Session::Core::take_xid() {
  const std::int32_t xid = next_xid_;
  next_xid_ = xid == std::numeric_limits<std::int32_t>::max() ? 1 : xid + 1;
  return xid;
}

std::optional<Fault> Session::Core::reason_not_to_send() const {
  if (closing_) return Fault{FaultKind::kClosed, "the session is being closed"};
  if (state_ == SessionState::kExpired) return Fault{FaultKind::kSessionExpired, last_reason_};
  if (state_ == SessionState::kAuthFailed) return Fault{FaultKind::kAuthFailed, last_reason_};
  if (!connected()) return Fault{FaultKind::kConnectionLoss, "not connected; last: " + last_reason_};
  if (pending_.size() >= options_.max_outstanding)
    return Fault{FaultKind::kLimit,
                 fmt::format("{}: {} requests wait for a reply already, the limit; the server is "
                             "too slow for this rate of requests",
                             server_.to_string(), pending_.size())};
  return std::nullopt;
}

template <typename T, typename Record, typename Decode>
void Session::Core::request(jute::OpCode op, const Record& record, milliseconds timeout, Callback<T> done,
                            Decode decode) {
  auto call = std::make_unique<TypedCall<T, Decode>>(std::move(done), std::move(decode));
  auto refused = reason_not_to_send();
  if (!refused) {
    if (auto sent = send(next_xid_, op, &record); !sent)
      refused = Fault{FaultKind::kLimit, std::move(sent).error().message};
  }
  if (refused) {
    if (refused->kind == FaultKind::kLimit) ++counters_.requests_refused_by_limit;
    refused->message = fmt::format("{}: {}", jute::name(op), refused->message);
    return call->fail(*this, *std::move(refused));
  }
  const auto deadline = last_sent_ + std::clamp(timeout, milliseconds{0}, kTimeoutMax);
  pending_.push_back({take_xid(), op, deadline, std::move(call)});
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
        .fail(*this, {FaultKind::kLimit, fmt::format("{}: {} watches are set already, the limit",
                                                     jute::name(op), watches_.size())});
  }
  request<T>(op, record, options.timeout, std::move(done),
             [op, path = record.path, watch = std::move(options.watch), decode = std::move(decode)](
                 Reply<T>& reply, jute::Reader& body, Core& core) mutable {
               if (reply.error == jute::ErrorCode::kOk) decode(reply, body, core);
               if (!watch || !body.ok()) return;
               if (reply.error == jute::ErrorCode::kOk)
                 core.watches_.add(
                     op == jute::OpCode::kGetChildren2 ? WatchTable::Kind::kChild : WatchTable::Kind::kData,
                     path, std::move(watch));
               else if (op == jute::OpCode::kExists && reply.error == jute::ErrorCode::kNoNode)
                 core.watches_.add(WatchTable::Kind::kExist, path, std::move(watch));
             });
}

Result<void> Session::Core::add_auth(std::string scheme, std::string auth) {
  if (credentials_.size() >= options_.max_credentials)
    return Error{Errc::kTooLarge,
                 fmt::format("the session holds {} credentials already, the limit", credentials_.size())};
  const jute::AuthPacket packet{0, std::move(scheme), std::move(auth)};
  if (connected() && !closing_) {
    if (auto sent = send(jute::kXidAuth, jute::OpCode::kAuth, &packet); !sent) return sent;
    ++auths_in_flight_;
  }
  credentials_.push_back({packet.scheme, *packet.auth});
  return {};
}

// ----------------------------------------------------------------------------------------------------------
// receiving

void Session::Core::on_frame(std::span<const std::byte> payload) {
  last_received_ = Clock::now();
  if (!connected()) return handle_handshake(payload);

  jute::Reader in(payload);
  jute::ReplyHeader header;
  read(in, header);
  if (auto status = in.status(); !status) return protocol_fault("reply header: " + status.error().message);
  if (header.error == jute::ErrorCode::kOk) {
    // Only now the server has shown that it is of use; a handshake alone could be followed by a close, over
    // and over.
    backoff_.reset();
    tried_in_round_ = 1;
  }
  switch (header.xid) {
    case jute::kXidNotification:
      return handle_watch_event(in);
    case jute::kXidPing:
      return;
    case jute::kXidAuth:
      return handle_auth_reply(header.error);
    case jute::kXidSetWatches:
      return handle_set_watches_reply(header.error);
    default:
      return handle_reply(header, in);
  }
}

void Session::Core::handle_watch_event(jute::Reader& body) {
  jute::WatcherEvent event;
  read(body, event);
  if (auto status = body.status(); !status) return protocol_fault("watch event: " + status.error().message);
  ++counters_.watch_events;
  for (WatchHandler& handler : watches_.take(event))
    queue_callback([handler = std::move(handler), event] { handler(event); });
}

void Session::Core::handle_auth_reply(jute::ErrorCode error) {
  if (auths_in_flight_ == 0) return protocol_fault("a reply to credentials that were not sent");
  --auths_in_flight_;
  if (error == jute::ErrorCode::kOk) return;
  credentials_.clear();
  end_session(
      SessionState::kAuthFailed, FaultKind::kAuthFailed, jute::KeeperState::kAuthFailed,
      {Errc::kNotAllowed, fmt::format("{}: the server refused the credentials ({}); check scheme, user and "
                                      "password",
                                      server_.to_string(), jute::name(error))});
}

void Session::Core::handle_set_watches_reply(jute::ErrorCode error) {
  if (set_watches_in_flight_ == 0) return protocol_fault("a reply to setWatches that was not sent");
  --set_watches_in_flight_;
  // Going on would leave watches that never fire. A new connection registers them anew.
  if (error != jute::ErrorCode::kOk)
    protocol_fault(fmt::format("watches could not be registered again: {}", jute::name(error)));
}

void Session::Core::handle_reply(const jute::ReplyHeader& header, jute::Reader& body) {
  if (pending_.empty() || pending_.front().xid != header.xid)
    return protocol_fault(
        pending_.empty()
            ? fmt::format("a reply with xid {} while none is awaited", header.xid)
            : fmt::format("a reply with xid {} where {} is next", header.xid, pending_.front().xid));
  if (static_cast<std::int64_t>(header.zxid.value) > 0)
    last_zxid_seen_ = std::max(last_zxid_seen_, header.zxid);
  ++counters_.replies;
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  if (pending.op == jute::OpCode::kCloseSession) return finish_close();
  if (!pending.call) return;
  if (auto decoded = pending.call->answer(*this, header, body); !decoded)
    protocol_fault(fmt::format("reply to {}: {}", jute::name(pending.op), decoded.error().message));
}

// --------------------------------------------------------------------------------------------------------------
// timers

void Session::Core::arm_liveness_timer() {
  liveness_timer_.expires_at(
      std::min(last_sent_ + negotiated_timeout_ / 3, last_received_ + negotiated_timeout_ * 2 / 3));
  liveness_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& code) {
    if (!code && self->connected()) self->check_liveness();
  });
}

void Session::Core::check_liveness() {
  const auto now = Clock::now();
  if (now >= last_received_ + negotiated_timeout_ * 2 / 3)
    return lost({Errc::kTimedOut,
                 fmt::format("{}: nothing received for {} ms, two thirds of the session timeout; the "
                             "server hangs or the network drops packets",
                             server_.to_string(), (negotiated_timeout_ * 2 / 3).count())});
  if (now >= last_sent_ + negotiated_timeout_ / 3) {
    if (auto sent = send<Nothing>(jute::kXidPing, jute::OpCode::kPing, nullptr); !sent)
      return lost(sent.error());
    ++counters_.pings_sent;
  }
  arm_liveness_timer();
}

void Session::Core::arm_request_timer(Clock::time_point deadline) {
  if (deadline >= request_timer_due_) return;
  request_timer_due_ = deadline;
  request_timer_.expires_at(deadline);
  request_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& code) {
    if (!code) self->check_deadlines();
  });
}

void Session::Core::check_deadlines() {
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (Pending& pending : pending_) {
    if (!pending.call) continue;
    if (pending.deadline > now) {
      next = std::min(next, pending.deadline);
      continue;
    }
    ++counters_.requests_timed_out;
    pending.call->fail(*this,
                       {FaultKind::kTimedOut, fmt::format("{}: {} was not answered by its deadline",
                                                          server_.to_string(), jute::name(pending.op))});
    pending.call.reset();
  }
  request_timer_due_ = Clock::time_point::max();
  arm_request_timer(next);
}

// --------------------------------------------------------------------------------------------------------
// ends of things

void Session::Core::drop_connection() {
  if (connection_) connection_->close();
  connection_.reset();
  ++attempt_timer_round_;
  attempt_timer_.cancel();
  liveness_timer_.cancel();
  request_timer_.cancel();
  request_timer_due_ = Clock::time_point::max();
  auths_in_flight_ = 0;
  set_watches_in_flight_ = 0;
}

void Session::Core::fail_pending(FaultKind kind, const std::string& message) {
  for (const Pending& pending : pending_)
    if (pending.call)
      pending.call->fail(*this, {kind, fmt::format("{}: {}", jute::name(pending.op), message)});
  pending_.clear();
}

void Session::Core::lost(const Error& reason) {
  ++(connected() ? counters_.connections_lost : counters_.attempts_failed);
  drop_connection();
  if (closing_) return finish_close();
  spdlog::debug("session {:#x}: {}", static_cast<std::uint64_t>(id_.value), printable(reason.message));
  change_state(SessionState::kDisconnected, reason);
  fail_pending(FaultKind::kConnectionLoss, reason.message);
  schedule_attempt();
}

void Session::Core::protocol_fault(const std::string& what) {
  ++counters_.protocol_faults;
  lost({Errc::kInvalidInput,
        fmt::format("{}: {}; check that a ZooKeeper client port listens there", server_.to_string(), what)});
}

void Session::Core::end_session(SessionState state, FaultKind kind, jute::KeeperState watch_state,
                                Error reason) {
  if (state == SessionState::kExpired) ++counters_.sessions_expired;
  drop_connection();
  if (closing_) return finish_close();
  active_ = false;
  const std::string message = reason.message;
  change_state(state, std::move(reason));
  fail_pending(kind, message);
  for (WatchHandler& handler : watches_.take_all())
    queue_callback([handler = std::move(handler), watch_state] {
      handler({jute::EventType::kNone, watch_state, std::string()});
    });
  id_ = SessionId{};
  password_.clear();
  resumable_ = false;
  last_zxid_seen_ = Zxid{};
}

void Session::Core::close(milliseconds timeout, std::function<void()> done) {
  if (closing_) {
    if (done) queue_callback(std::move(done));
    return;
  }
  closing_ = true;
  close_done_ = std::move(done);
  if (!connected()) return finish_close();
  const std::int32_t xid = take_xid();
  if (auto sent = send<Nothing>(xid, jute::OpCode::kCloseSession, nullptr); !sent) return finish_close();
  pending_.push_back({xid, jute::OpCode::kCloseSession, Clock::time_point::max(), nullptr});
  close_timer_.expires_after(std::clamp(timeout, milliseconds{0}, kTimeoutMax));
  close_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& code) {
    if (!code && self->state_ != SessionState::kClosed && !self->detached_) self->finish_close();
  });
}

void Session::Core::finish_close() {
  drop_connection();
  close_timer_.cancel();
  active_ = false;
  fail_pending(FaultKind::kClosed, "the session was closed");
  for (WatchHandler& handler : watches_.take_all())
    queue_callback([handler = std::move(handler)] {
      handler({jute::EventType::kNone, jute::KeeperState::kClosed, std::string()});
    });
  id_ = SessionId{};
  change_state(SessionState::kClosed, std::nullopt);
  if (close_done_) queue_callback(std::exchange(close_done_, nullptr));
}

// -------------------------------------------------------------------------------------------------------------
// session

Session::Session(asio::io_context& io, SessionOptions options, RandomSource random,
                 std::function<void(const SessionChange&)> on_change)
    : core_(std::make_shared<Core>(io, std::move(options), std::move(random), std::move(on_change))) {}

Session::~Session() { core_->detach(); }

void Session::open() { core_->open(); }

void Session::close(milliseconds timeout, std::function<void()> done) {
  core_->close(timeout, std::move(done));
}

SessionState Session::state() const { return core_->state_; }
SessionId Session::id() const { return core_->id_; }
milliseconds Session::negotiated_timeout() const { return core_->negotiated_timeout_; }
Zxid Session::last_zxid_seen() const { return core_->last_zxid_seen_; }
const SessionCounters& Session::counters() const { return core_->counters_; }
std::size_t Session::outstanding() const { return core_->pending_.size(); }
std::size_t Session::watches() const { return core_->watches_.size(); }

namespace {

/// For replies whose body, if any, says nothing.
constexpr auto kNoBody = [](auto&, jute::Reader&, auto&) {};

/// For setData and setACL.
constexpr auto kStatBody = [](Reply<jute::Stat>& reply, jute::Reader& body, auto&) {
  if (reply.error == jute::ErrorCode::kOk) read(body, reply.value);
};

}  // namespace

void Session::create(std::string path, std::string data, CreateOptions options, Callback<std::string> done) {
  using jute::CreateMode;
  const bool ttl = options.mode == CreateMode::kPersistentWithTtl ||
                   options.mode == CreateMode::kPersistentSequentialWithTtl;
  const jute::OpCode op = ttl                                      ? jute::OpCode::kCreateTtl
                          : options.mode == CreateMode::kContainer ? jute::OpCode::kCreateContainer
                                                                   : jute::OpCode::kCreate;
  const auto path_of = [](Reply<std::string>& reply, jute::Reader& body, Core&) {
    if (reply.error == jute::ErrorCode::kOk) read(body, reply.value);
  };
  const jute::CreateRequest record{std::move(path), std::move(data), std::move(options.acl), options.mode};
  if (ttl)
    core_->request<std::string>(op, jute::CreateTtlRequest{record, options.ttl.count()}, options.timeout,
                                std::move(done), path_of);
  else
    core_->request<std::string>(op, record, options.timeout, std::move(done), path_of);
}

void Session::remove(std::string path, std::int32_t version, milliseconds timeout, Callback<Nothing> done) {
  core_->request<Nothing>(jute::OpCode::kDelete, jute::DeleteRequest{std::move(path), version}, timeout,
                          std::move(done), kNoBody);
}

void Session::exists(std::string path, ReadOptions options, Callback<jute::Stat> done) {
  core_->read_request<jute::Stat>(jute::OpCode::kExists, std::move(path), std::move(options), std::move(done),
                                  kStatBody);
}

void Session::get_data(std::string path, ReadOptions options, Callback<NodeData> done) {
  core_->read_request<NodeData>(jute::OpCode::kGetData, std::move(path), std::move(options), std::move(done),
                                [](Reply<NodeData>& reply, jute::Reader& body, Core&) {
                                  jute::GetDataResponse record;
                                  read(body, record);
                                  reply.value = {std::move(record.data).value_or(std::string()), record.stat};
                                });
}

void Session::set_data(std::string path, std::string data, std::int32_t version, milliseconds timeout,
                       Callback<jute::Stat> done) {
  core_->request<jute::Stat>(jute::OpCode::kSetData,
                             jute::SetDataRequest{std::move(path), std::move(data), version}, timeout,
                             std::move(done), kStatBody);
}

void Session::get_children(std::string path, ReadOptions options, Callback<NodeChildren> done) {
  core_->read_request<NodeChildren>(jute::OpCode::kGetChildren2, std::move(path), std::move(options),
                                    std::move(done),
                                    [](Reply<NodeChildren>& reply, jute::Reader& body, Core&) {
                                      jute::GetChildren2Response record;
                                      read(body, record);
                                      reply.value = {std::move(record.children), record.stat};
                                    });
}

void Session::sync(std::string path, milliseconds timeout, Callback<Nothing> done) {
  core_->request<Nothing>(jute::OpCode::kSync, jute::SyncRecord{std::move(path)}, timeout, std::move(done),
                          kNoBody);
}

void Session::get_acl(std::string path, milliseconds timeout, Callback<jute::GetAclResponse> done) {
  core_->request<jute::GetAclResponse>(jute::OpCode::kGetAcl, jute::GetAclRequest{std::move(path)}, timeout,
                                       std::move(done),
                                       [](Reply<jute::GetAclResponse>& reply, jute::Reader& body, Core&) {
                                         if (reply.error == jute::ErrorCode::kOk) read(body, reply.value);
                                       });
}

void Session::set_acl(std::string path, std::vector<jute::Acl> acl, std::int32_t version,
                      milliseconds timeout, Callback<jute::Stat> done) {
  core_->request<jute::Stat>(jute::OpCode::kSetAcl,
                             jute::SetAclRequest{std::move(path), std::move(acl), version}, timeout,
                             std::move(done), kStatBody);
}

void Session::multi(std::vector<jute::MultiOperation> operations, milliseconds timeout,
                    Callback<std::vector<jute::MultiResult>> done) {
  using Results = std::vector<jute::MultiResult>;
  core_->request<Results>(jute::OpCode::kMulti, jute::MultiRequest{std::move(operations)}, timeout,
                          std::move(done), [](Reply<Results>& reply, jute::Reader& body, Core&) {
                            if (reply.error != jute::ErrorCode::kOk) return;
                            jute::MultiResponse record;
                            read(body, record);
                            reply.error = first_error(record.results);
                            reply.value = std::move(record.results);
                          });
}

Result<void> Session::add_auth(std::string scheme, std::string auth) {
  return core_->add_auth(std::move(scheme), std::move(auth));
}

}  // namespace wk::client
