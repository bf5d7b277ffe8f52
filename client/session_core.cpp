#include "client/session_core.h"

#include <spdlog/spdlog.h>

#include "base/check.h"
#include "base/log.h"

namespace wk::client {
namespace {

using std::chrono::milliseconds;

double first_draw(const RandomSource& random) {
  WK_CHECK(random != nullptr, "a session needs a source of random numbers");
  return random();
}

}  // namespace

Session::Core::Core(boost::asio::io_context& io, SessionOptions options, RandomSource random,
                    std::function<void(const SessionChange&)> on_change)
    : io_(io),
      options_(std::move(options)),
      random_(std::move(random)),
      on_change_(std::move(on_change)),
      callbacks_(std::make_shared<CallbackQueue>(io)),
      rotation_(options_.servers, options_.backoff, first_draw(random_)),
      attempt_timer_(io),
      liveness_timer_(io),
      request_timer_(io),
      close_timer_(io) {}

void Session::Core::change_state(SessionState state, std::optional<Error> reason) {
  state_ = state;
  if (reason) last_reason_ = reason->message;
  if (!on_change_) return;
  // The callback may destroy the Session, and must not be destroyed while it runs.
  callbacks_->add([self = shared_from_this(), change = SessionChange{state, server_, std::move(reason)}] {
    self->on_change_(change);
  });
}

void Session::Core::detach() {
  callbacks_->close();
  requests_.take_all();
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
  const auto pause = rotation_.round_over() ? rotation_.begin_round(random_()) : milliseconds{0};
  arm_attempt_timer(pause, &Core::start_attempt);
}

void Session::Core::arm_attempt_timer(milliseconds delay, void (Core::*then)()) {
  attempt_timer_.expires_after(delay);
  attempt_timer_.async_wait([self = shared_from_this(), round = ++attempt_timer_round_,
                             then](const boost::system::error_code& code) {
    if (!code && round == self->attempt_timer_round_ && !self->callbacks_->closed()) ((*self).*then)();
  });
}

void Session::Core::start_attempt() {
  server_ = rotation_.next();
  const std::uint64_t earlier_attempts = counters_.attempts++;
  change_state(SessionState::kConnecting, std::nullopt);
  connection_ = std::make_shared<Connection>(io_, server_, options_.tls, options_.connection);
  arm_attempt_timer(options_.attempt_timeout, &Core::attempt_timed_out);
  connection_->start(shared_from_this(), earlier_attempts);
}

void Session::Core::attempt_timed_out() {
  lost({Errc::kTimedOut, fmt::format("{}: no session after {} ms, while {}", server_.to_string(),
                                     options_.attempt_timeout.count(), connection_->step())});
}

void Session::Core::on_open() {
  jute::Writer out(connection_->begin_frame());
  write(out, identity_.ask(options_.session_timeout, options_.allow_read_only));
  if (auto sent = connection_->end_frame(); !sent) lost(sent.error());
}

void Session::Core::handle_handshake(std::span<const std::byte> payload) {
  auto hello = jute::decode<jute::ConnectResponse>(payload);
  if (!hello) return protocol_fault("handshake answer: " + hello.error().message);
  const bool read_only = hello->read_only.value_or(false);
  switch (identity_.take(*std::move(hello))) {
    case SessionIdentity::Grant::kRefused:
      ++counters_.attempts_failed;
      return end_session(
          SessionState::kExpired, FaultKind::kSessionExpired, jute::KeeperState::kExpired,
          {Errc::kClosed, identity_.asked().value == 0
                              ? fmt::format("{}: the server refused a new session", server_.to_string())
                              : fmt::format("{}: session {:#x} has expired", server_.to_string(),
                                            static_cast<std::uint64_t>(identity_.asked().value))});
    case SessionIdentity::Grant::kForeign:
      return protocol_fault("handshake answer: it is for another session than the one asked for");
    case SessionIdentity::Grant::kCreated:
      ++counters_.sessions_created;
      break;
    case SessionIdentity::Grant::kResumed:
      ++counters_.sessions_resumed;
      break;
  }
  ++attempt_timer_round_;
  attempt_timer_.cancel();
  change_state(read_only ? SessionState::kConnectedReadOnly : SessionState::kConnected, std::nullopt);
  last_sent_ = last_received_;
  restore_registrations();
  if (connected()) arm_liveness_timer();
}

void Session::Core::restore_registrations() {
  // Credentials before watches, as the servers judge what is read by them.
  Result<void> sent;
  for (const Credentials& credentials : credentials_) {
    if (!sent) break;
    const jute::AuthPacket packet{0, credentials.scheme, credentials.auth};
    sent = send(jute::kXidAuth, jute::OpCode::kAuth, &packet);
    ++auths_in_flight_;
  }
  for (const jute::SetWatches& record : watches_.registrations(identity_.last_zxid_seen())) {
    if (!sent) break;
    sent = send(jute::kXidSetWatches, jute::OpCode::kSetWatches, &record);
    ++set_watches_in_flight_;
  }
  if (!sent) lost(sent.error());
}

// ------------------------------------------------------------------------------------------------------------
// sending

std::optional<Fault> Session::Core::reason_not_to_send() const {
  if (closing_) return Fault{FaultKind::kClosed, "the session is being closed"};
  if (state_ == SessionState::kExpired) return Fault{FaultKind::kSessionExpired, last_reason_};
  if (state_ == SessionState::kAuthFailed) return Fault{FaultKind::kAuthFailed, last_reason_};
  if (!connected()) return Fault{FaultKind::kConnectionLoss, "not connected; last: " + last_reason_};
  if (requests_.size() >= options_.max_outstanding)
    return Fault{FaultKind::kLimit,
                 fmt::format("{}: {} requests wait for a reply already, the limit; the server is "
                             "too slow for this rate of requests",
                             server_.to_string(), requests_.size())};
  return std::nullopt;
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
  // Only now the server has shown that it is of use; a handshake alone could be followed by a close, over and
  // over.
  if (header.error == jute::ErrorCode::kOk) rotation_.proved_useful();
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
    callbacks_->add([handler = std::move(handler), event] { handler(event); });
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
  const auto request = requests_.take(header.xid);
  if (!request) return protocol_fault(request.error().message);
  identity_.saw(header.zxid);
  ++counters_.replies;
  if (request->op == jute::OpCode::kCloseSession) return finish_close();
  if (!request->call) return;
  if (auto decoded = request->call->answer(header, body, *callbacks_); !decoded)
    protocol_fault(fmt::format("reply to {}: {}", jute::name(request->op), decoded.error().message));
}

// --------------------------------------------------------------------------------------------------------------
// timers

void Session::Core::arm_liveness_timer() {
  const auto timeout = identity_.negotiated_timeout();
  liveness_timer_.expires_at(std::min(last_sent_ + timeout / 3, last_received_ + timeout * 2 / 3));
  liveness_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& code) {
    // Without a connection the session was dropped in the same wake-up that this wait ended in.
    if (!code && self->connection_ && self->connected()) self->check_liveness();
  });
}

void Session::Core::check_liveness() {
  const auto now = Clock::now();
  const auto timeout = identity_.negotiated_timeout();
  if (now >= last_received_ + timeout * 2 / 3)
    return lost({Errc::kTimedOut,
                 fmt::format("{}: nothing received for {} ms, two thirds of the session timeout; the "
                             "server hangs or the network drops packets",
                             server_.to_string(), (timeout * 2 / 3).count())});
  if (now >= last_sent_ + timeout / 3) {
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
  for (const auto& overdue : requests_.take_overdue(Clock::now())) {
    ++counters_.requests_timed_out;
    overdue.call->fail({FaultKind::kTimedOut, fmt::format("{}: {} was not answered by its deadline",
                                                          server_.to_string(), jute::name(overdue.op))},
                       *callbacks_);
  }
  request_timer_due_ = Clock::time_point::max();
  arm_request_timer(requests_.earliest_deadline());
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

void Session::Core::fail_requests(FaultKind kind, const std::string& message) {
  for (const auto& request : requests_.take_all())
    if (request.call)
      request.call->fail({kind, fmt::format("{}: {}", jute::name(request.op), message)}, *callbacks_);
}

void Session::Core::end_watches(jute::KeeperState state) {
  for (WatchHandler& handler : watches_.take_all())
    callbacks_->add([handler = std::move(handler), state] {
      handler({jute::EventType::kNone, state, std::string()});
    });
}

void Session::Core::lost(const Error& reason) {
  ++(connected() ? counters_.connections_lost : counters_.attempts_failed);
  drop_connection();
  if (closing_) return finish_close();
  spdlog::debug("session {:#x}: {}", static_cast<std::uint64_t>(identity_.id().value),
                printable(reason.message));
  change_state(SessionState::kDisconnected, reason);
  fail_requests(FaultKind::kConnectionLoss, reason.message);
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
  fail_requests(kind, message);
  end_watches(watch_state);
  identity_.forget();
}

void Session::Core::close(milliseconds timeout, std::function<void()> done) {
  if (closing_) {
    if (done) callbacks_->add(std::move(done));
    return;
  }
  closing_ = true;
  close_done_ = std::move(done);
  if (!connected()) return finish_close();
  if (auto sent = send<Nothing>(requests_.next_xid(), jute::OpCode::kCloseSession, nullptr); !sent)
    return finish_close();
  requests_.add(jute::OpCode::kCloseSession, Clock::time_point::max(), nullptr);
  close_timer_.expires_after(std::clamp(timeout, milliseconds{0}, kTimeoutMax));
  close_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& code) {
    if (!code && self->state_ != SessionState::kClosed && !self->callbacks_->closed()) self->finish_close();
  });
}

void Session::Core::finish_close() {
  drop_connection();
  close_timer_.cancel();
  active_ = false;
  fail_requests(FaultKind::kClosed, "the session was closed");
  end_watches(jute::KeeperState::kClosed);
  identity_.close();
  change_state(SessionState::kClosed, std::nullopt);
  if (close_done_) callbacks_->add(std::exchange(close_done_, nullptr));
}

}  // namespace wk::client
