#include "exporter/canary/member_canary.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace wk::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kReconnectFirst{50};
constexpr milliseconds kReconnectLongest{1'000};
/// Credentials that were refused are shown again after this long: the server's side may have been corrected.
constexpr milliseconds kCredentialsAgain{30'000};
/// A missed watch event fails the rounds that end within this time.
constexpr milliseconds kWatchMissCounts{1'500};

CanaryResult result_of(client::FaultKind kind) {
  switch (kind) {
    case client::FaultKind::kTimedOut:
      return CanaryResult::kTimedOut;
    case client::FaultKind::kConnectionLoss:
      return CanaryResult::kConnectionLoss;
    case client::FaultKind::kSessionExpired:
      return CanaryResult::kSessionExpired;
    case client::FaultKind::kAuthFailed:
    case client::FaultKind::kClosed:
    case client::FaultKind::kLimit:
    case client::FaultKind::kMalformedReply:
      return CanaryResult::kError;
  }
  return CanaryResult::kError;
}

CanaryResult result_of(Errc code) {
  switch (code) {
    case Errc::kRefused:
    case Errc::kUnreachable:
    case Errc::kUnresolved:
      return CanaryResult::kRefused;
    case Errc::kTimedOut:
      return CanaryResult::kTimedOut;
    case Errc::kClosed:
      return CanaryResult::kConnectionLoss;
    default:
      return CanaryResult::kError;
  }
}

/// A path component out of "HOST:PORT".
std::string path_component(std::string_view member) {
  std::string component(member);
  for (char& c : component)
    if (c == '/' || static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '_';
  return component;
}

}  // namespace

MemberCanary::MemberCanary(boost::asio::io_context& io, const EnsembleSpec& ensemble, std::size_t index,
                           std::string instance, client::RandomSource random, Report report,
                           std::function<void()> lost)
    : io_(io),
      target_(ensemble.members.at(index)),
      mode_(ensemble.canary),
      path_(ensemble.canary_path),
      own_path_(fmt::format("{}/{}-{}", ensemble.canary_path, path_component(target_.name), instance)),
      credentials_(ensemble.canary_auth),
      index_(index),
      random_(std::move(random)),
      report_(std::move(report)),
      lost_(std::move(lost)),
      round_timer_(io),
      watch_timer_(io) {
  if (target_.tls) tls_ = std::make_unique<TlsClient>(*target_.tls);
}

MemberCanary::~MemberCanary() = default;

void MemberCanary::watched_by(MemberCanary* next) {
  next_ = next;
  next->totals_.watch_from = target_.name;
}

void MemberCanary::open() { make_session(); }

void MemberCanary::make_session() {
  if (in_chain_) end_chain(false);  // The session that it waits for is dropped, and calls nothing any more.
  client::SessionOptions options;
  options.servers = {{target_.host, target_.port}};
  options.session_timeout = kCanarySessionTimeout;
  options.attempt_timeout = std::max(target_.timeout, kCanaryRoundDeadline);
  options.backoff = {kReconnectFirst, kReconnectLongest};
  if (tls_) {
    auto context = tls_->context(steady_clock::now());
    if (context.has_error()) {
      connect_failure_ = CanaryResult::kError;
      connect_error_ = context.error().message;
      session_.reset();
      return;
    }
    tls_context_ = *context;
    options.tls = {.context = tls_context_,
                   .verify_host_name = tls_->verifies(),
                   .expected_name = tls_->expected_name(target_.host)};
  }
  totals_.connected = false;
  session_ = std::make_unique<client::Session>(
      io_, std::move(options), random_, [this](const client::SessionChange& change) { on_change(change); });
  if (credentials_) {
    if (auto added = session_->add_auth("digest", *credentials_); added.has_error())
      connect_error_ = added.error().message;
  }
  session_->open();
}

void MemberCanary::on_change(const client::SessionChange& change) {
  const bool was_connected =
      std::exchange(totals_.connected, change.state == client::SessionState::kConnected);
  switch (change.state) {
    case client::SessionState::kConnecting:
      connecting_since_ = steady_clock::now();
      return;
    case client::SessionState::kConnected:
    case client::SessionState::kConnectedReadOnly:
      lost_since_.reset();
      count(CanaryOperation::kConnect, CanaryResult::kOk);
      if (connecting_since_)
        totals_.latency[static_cast<std::size_t>(CanaryOperation::kConnect)].record(steady_clock::now() -
                                                                                    *connecting_since_);
      return;
    case client::SessionState::kDisconnected:
      if (change.reason) {
        connect_failure_ = result_of(change.reason->code);
        connect_error_ = change.reason->message;
      }
      if (!lost_since_) lost_since_ = Clock::now();
      if (was_connected) lost_();
      return;
    case client::SessionState::kExpired:
      ++totals_.sessions_expired;
      parent_made_ = false;
      leftover_ = false;
      session_->open();
      return;
    case client::SessionState::kAuthFailed:
      refused_at_ = Clock::now();
      connect_failure_ = CanaryResult::kError;
      connect_error_ =
          "the server refuses the canary's credentials; correct canary auth in the configuration";
      return;
    case client::SessionState::kClosed:
      return;
  }
}

bool MemberCanary::outlived() const {
  if (!session_ || totals_.connected || !lost_since_) return false;
  const milliseconds timeout = session_->negotiated_timeout();
  return timeout > milliseconds{0} && Clock::now() - *lost_since_ > timeout;
}

void MemberCanary::close(std::function<void()> done) {
  in_round_ = in_chain_ = false;
  ++round_generation_;
  ++chain_generation_;
  round_timer_.cancel();
  watch_timer_.cancel();
  if (session_)
    session_->close(milliseconds{500}, std::move(done));
  else
    done();
}

milliseconds MemberCanary::left(Clock::time_point deadline) {
  return std::max(milliseconds{1}, std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

template <typename Handler>
auto MemberCanary::while_current(const std::uint64_t& generation, Handler handler) {
  return [alive = std::weak_ptr<char>(alive_), &generation, mine = generation,
          handler = std::move(handler)](auto&&... arguments) {
    if (!alive.expired() && generation == mine) handler(std::forward<decltype(arguments)>(arguments)...);
  };
}

void MemberCanary::count(CanaryOperation operation, CanaryResult result) {
  ++totals_.operations[static_cast<std::size_t>(operation)][static_cast<std::size_t>(result)];
}

template <typename T>
bool MemberCanary::finish(CanaryOperation operation, Clock::time_point asked,
                          const client::Outcome<T>& outcome) {
  const auto took = Clock::now() - asked;
  if (outcome.has_error()) {
    count(operation, result_of(outcome.error().kind));
    totals_.last_error = fmt::format("{}: {}", name(operation), wk::printable(outcome.error().message));
    return false;
  }
  if (outcome->error != jute::ErrorCode::kOk) {
    count(operation, CanaryResult::kError);
    totals_.last_error =
        fmt::format("{}: the server answered {}", name(operation), jute::name(outcome->error));
    if (outcome->error == jute::ErrorCode::kNoAuth)
      totals_.last_error += fmt::format("; give the canary credentials that may write below {}", path_);
    return false;
  }
  count(operation, CanaryResult::kOk);
  totals_.latency[static_cast<std::size_t>(operation)].record(took);
  return true;
}

// ---------------------------------------------------------------------------------------------------------------
// The round: sync and read

void MemberCanary::begin_round(std::uint64_t number) {
  if (in_round_) {
    count_hung();
    totals_.last_error = "the round before did not end in time";
    end_round(false);
  }
  round_ = number;
  ++round_generation_;
  in_round_ = true;
  sync_ok_ = false;
  if (tls_ && !totals_.connected) {
    // Renewed certificates reach a session only through a new one; a broken file is tried again here.
    const auto context = tls_->context(Clock::now());
    if (!session_ || (context.has_value() && *context != tls_context_)) make_session();
  }
  if (outlived()) {
    // Servers refuse who has seen more than they have, before they look at the session: after a restore from
    // a backup nobody would ever tell that it has expired.
    parent_made_ = false;
    lost_since_ = Clock::now();
    make_session();
  }
  if (refused_at_ && Clock::now() - *refused_at_ > kCredentialsAgain) {
    refused_at_.reset();
    make_session();
  }
  if (!totals_.connected) {
    count(CanaryOperation::kConnect, connect_failure_);
    totals_.last_error = "connect: " + wk::printable(connect_error_);
    end_round(false);
    return;
  }
  round_end_ = Clock::now() + kCanaryRoundDeadline;
  round_timer_.expires_at(round_end_ +
                          milliseconds{20});  // Each operation has its own deadline; this is the net.
  round_timer_.async_wait(while_current(round_generation_, [this](const boost::system::error_code& error) {
    if (error) return;
    count_hung();
    totals_.last_error = "the round did not end in time";
    end_round(false);
  }));
  if (mode_ == CanaryMode::kWrite && !in_chain_) begin_chain();
  sync();
}

void MemberCanary::count_hung() {
  count(sync_ok_ ? CanaryOperation::kRead : CanaryOperation::kSync, CanaryResult::kTimedOut);
}

void MemberCanary::end_round(bool ok) {
  in_round_ = false;
  ++round_generation_;
  round_timer_.cancel();
  const Moment now = Moment::now();
  if (watch_missed_at_ && now.steady - *watch_missed_at_ < kWatchMissCounts) {
    ok = false;
    totals_.last_error = watch_error_;
  }
  ok = ok && !chain_failed_;
  if (ok) {
    totals_.last_ok = now;
    totals_.last_error.clear();
  }
  report_(CanaryReport{.member = index_,
                       .round = round_,
                       .finished = now,
                       .round_ok = ok,
                       .sync_ok = sync_ok_,
                       .totals = totals_});
}

void MemberCanary::sync() {
  const auto asked = Clock::now();
  session_->sync("/", left(round_end_),
                 while_current(round_generation_, [this, asked](client::Outcome<client::Nothing> outcome) {
                   if (!finish(CanaryOperation::kSync, asked, outcome)) return end_round(false);
                   sync_ok_ = true;
                   totals_.last_sync_ok = Moment::now();
                   read();
                 }));
}

void MemberCanary::read() {
  const auto asked = Clock::now();
  // exists needs no permission, so that no ACL of the user's can fail the canary.
  session_->exists("/", {.timeout = left(round_end_), .watch = {}},
                   while_current(round_generation_, [this, asked](client::Outcome<jute::Stat> outcome) {
                     end_round(finish(CanaryOperation::kRead, asked, outcome));
                   }));
}

// ---------------------------------------------------------------------------------------------------------------
// The chain: create, watch, set, delete

void MemberCanary::begin_chain() {
  ++chain_generation_;
  in_chain_ = true;
  chain_end_ = Clock::now() + kCanaryChainDeadline;
  if (parent_made_)
    create();
  else
    prepare_parent(1);
}

void MemberCanary::end_chain(bool ok) {
  in_chain_ = false;
  ++chain_generation_;
  watch_timer_.cancel();
  chain_failed_ = !ok;
}

void MemberCanary::prepare_parent(std::size_t position) {
  const std::size_t slash = path_.find('/', position);
  const auto asked = Clock::now();
  session_->create(
      path_.substr(0, slash), "", {.timeout = left(chain_end_)},
      while_current(chain_generation_, [this, slash, asked](client::Outcome<std::string> outcome) {
        // A locked root refuses even what exists already; whether it does, the own znode will tell.
        const bool go_on = outcome.has_value() && (outcome->error == jute::ErrorCode::kOk ||
                                                   outcome->error == jute::ErrorCode::kNodeExists ||
                                                   outcome->error == jute::ErrorCode::kNoAuth);
        if (!go_on) {
          finish(CanaryOperation::kCreate, asked, outcome);
          return end_chain(false);
        }
        if (slash != std::string::npos) return prepare_parent(slash + 1);
        parent_made_ = true;
        create();
      }));
}

void MemberCanary::create() {
  const auto asked = Clock::now();
  if (leftover_) {
    // An operation of an earlier chain went unanswered; whether the znode is there is unknown. Remove it
    // uncounted.
    session_->remove(
        own_path_, -1, left(chain_end_),
        while_current(chain_generation_, [this, asked](client::Outcome<client::Nothing> outcome) {
          if (outcome.has_error()) {
            finish(CanaryOperation::kDelete, asked, outcome);
            return end_chain(false);
          }
          leftover_ = false;
          create();
        }));
    return;
  }
  leftover_ = true;
  session_->create(own_path_, "", {.mode = jute::CreateMode::kEphemeral, .timeout = left(chain_end_)},
                   while_current(chain_generation_, [this, asked](client::Outcome<std::string> outcome) {
                     if (outcome.has_value() && outcome->error == jute::ErrorCode::kNoNode)
                       parent_made_ = false;
                     if (!finish(CanaryOperation::kCreate, asked, outcome)) return end_chain(false);
                     watch();
                   }));
}

void MemberCanary::watch() {
  watch_stands_ = false;
  fired_at_.reset();
  acknowledged_at_.reset();
  if (next_ == nullptr || !next_->totals_.connected) return set();
  next_->arm_watch(own_path_, std::min(kCanaryWatchDeadline, left(chain_end_)),
                   while_current(chain_generation_,
                                 [this](bool armed) {
                                   watch_stands_ = armed;
                                   set();
                                 }),
                   while_current(chain_generation_, [this] {
                     fired_at_ = Clock::now();
                     if (acknowledged_at_) await_delivery(*acknowledged_at_);
                   }));
}

void MemberCanary::arm_watch(const std::string& path, milliseconds timeout, std::function<void(bool)> armed,
                             std::function<void()> fired) {
  // The watcher may lag behind the writer, so the watch is asked for behind a sync.
  session_->sync("/", timeout, [](const client::Outcome<client::Nothing>&) {});
  session_->exists(path,
                   {.timeout = timeout,
                    .watch =
                        [fired = std::move(fired)](const auto& event) {
                          if (event.type == jute::EventType::kNodeDataChanged) fired();
                        }},
                   [armed = std::move(armed)](const client::Outcome<jute::Stat>& outcome) {
                     armed(outcome.has_value() && outcome->error == jute::ErrorCode::kOk);
                   });
}

void MemberCanary::set() {
  const auto asked = Clock::now();
  session_->set_data(own_path_, fmt::format("{}", round_), -1, left(chain_end_),
                     while_current(chain_generation_, [this, asked](client::Outcome<jute::Stat> outcome) {
                       const auto acknowledged = Clock::now();
                       if (!finish(CanaryOperation::kSet, asked, outcome)) return end_chain(false);
                       if (!watch_stands_) return remove();
                       acknowledged_at_ = acknowledged;
                       await_delivery(acknowledged);
                     }));
}

void MemberCanary::await_delivery(Clock::time_point acknowledged_at) {
  if (fired_at_) {
    watch_timer_.cancel();
    acknowledged_at_.reset();
    next_->delivered(*fired_at_ - acknowledged_at);
    remove();
    return;
  }
  watch_timer_.expires_after(std::min(kCanaryWatchDeadline, left(chain_end_)));
  watch_timer_.async_wait(while_current(chain_generation_, [this](const boost::system::error_code& error) {
    if (error || fired_at_) return;
    acknowledged_at_.reset();
    next_->watch_missed(target_.name);
    remove();
  }));
}

void MemberCanary::delivered(std::chrono::nanoseconds after_acknowledgement) {
  count(CanaryOperation::kWatch, CanaryResult::kOk);
  totals_.watch_delivery.record(after_acknowledgement);  // Seen before it counts as no time at all.
}

void MemberCanary::watch_missed(const std::string& from) {
  // Without a connection there is nobody to miss anything; the watch comes back with it.
  if (!totals_.connected) return;
  count(CanaryOperation::kWatch, CanaryResult::kTimedOut);
  watch_missed_at_ = Clock::now();
  watch_error_ = fmt::format("watch: no event for a change made through {}", from);
}

void MemberCanary::remove() {
  const auto asked = Clock::now();

  session_->remove(own_path_, -1, left(chain_end_),
                   while_current(chain_generation_, [this, asked](client::Outcome<client::Nothing> outcome) {
                     if (!finish(CanaryOperation::kDelete, asked, outcome)) return end_chain(false);
                     leftover_ = false;
                     end_chain(true);
                   }));
}

}  // namespace wk::exporter
