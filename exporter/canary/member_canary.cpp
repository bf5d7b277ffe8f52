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
      deadline_(io) {
  if (target_.tls) tls_ = std::make_unique<TlsClient>(*target_.tls);
}

MemberCanary::~MemberCanary() = default;

void MemberCanary::watched_by(MemberCanary* next) {
  next_ = next;
  next->totals_.watch_from = target_.name;
}

void MemberCanary::open() { make_session(); }

void MemberCanary::make_session() {
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
      if (was_connected) lost_();
      return;
    case client::SessionState::kExpired:
      ++totals_.sessions_expired;
      parent_made_ = false;
      leftover_ = false;
      session_->open();
      return;
    case client::SessionState::kAuthFailed:
      connect_failure_ = CanaryResult::kError;
      connect_error_ =
          "the server refuses the canary's credentials; correct canary auth in the configuration";
      return;
    case client::SessionState::kClosed:
      return;
  }
}

void MemberCanary::close(std::function<void()> done) {
  step_ = Step::kIdle;
  deadline_.cancel();
  if (session_)
    session_->close(milliseconds{500}, std::move(done));
  else
    done();
}

milliseconds MemberCanary::left() const {
  return std::max(milliseconds{1},
                  std::chrono::duration_cast<milliseconds>(round_end_ - steady_clock::now()));
}

template <typename Handler>
auto MemberCanary::of_this_round(Handler handler) {
  return [this, alive = std::weak_ptr<char>(alive_), round = round_,
          handler = std::move(handler)](auto outcome) {
    if (!alive.expired() && step_ != Step::kIdle && round_ == round) handler(std::move(outcome));
  };
}

void MemberCanary::count(CanaryOperation operation, CanaryResult result) {
  ++totals_.operations[static_cast<std::size_t>(operation)][static_cast<std::size_t>(result)];
}

template <typename T>
bool MemberCanary::finish(CanaryOperation operation, const client::Outcome<T>& outcome,
                          jute::ErrorCode also_fine) {
  const auto took = steady_clock::now() - asked_at_;
  if (outcome.has_error()) {
    count(operation, result_of(outcome.error().kind));
    totals_.last_error = fmt::format("{}: {}", name(operation), printable(outcome.error().message));
    return false;
  }
  if (outcome->error != jute::ErrorCode::kOk && outcome->error != also_fine) {
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

void MemberCanary::begin_round(std::uint64_t number) {
  if (step_ != Step::kIdle) {
    totals_.last_error = "the round before did not end in time";
    end_round(false);
  }
  round_ = number;
  sync_ok_ = false;
  if (tls_ && !totals_.connected) {
    // Renewed certificates reach a session only through a new one; a broken file is tried again here.
    const auto context = tls_->context(steady_clock::now());
    if (!session_ || (context.has_value() && *context != tls_context_)) make_session();
  }
  if (!totals_.connected) {
    count(CanaryOperation::kConnect, connect_failure_);
    totals_.last_error = "connect: " + printable(connect_error_);
    end_round(false);
    return;
  }
  round_end_ = steady_clock::now() + kCanaryRoundDeadline;
  deadline_.expires_at(round_end_ +
                       milliseconds{20});  // Each operation has its own deadline; this one is the net.
  deadline_.async_wait(
      [this, alive = std::weak_ptr<char>(alive_), number](const boost::system::error_code& error) {
        if (error || alive.expired() || step_ == Step::kIdle || round_ != number) return;
        totals_.last_error = "the round did not end in time";
        end_round(false);
      });
  sync();
}

void MemberCanary::end_round(bool ok) {
  step_ = Step::kIdle;
  deadline_.cancel();
  const Moment now = Moment::now();
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
  step_ = Step::kSync;
  asked_at_ = steady_clock::now();
  session_->sync("/", left(), of_this_round([this](client::Outcome<client::Nothing> outcome) {
                   if (!finish(CanaryOperation::kSync, outcome, jute::ErrorCode::kOk))
                     return end_round(false);
                   sync_ok_ = true;
                   totals_.last_sync_ok = Moment::now();
                   read();
                 }));
}

void MemberCanary::read() {
  step_ = Step::kRead;
  asked_at_ = steady_clock::now();
  // exists needs no permission, so that no ACL of the user's can fail the canary.
  session_->exists("/", {.timeout = left()}, of_this_round([this](client::Outcome<jute::Stat> outcome) {
                     if (!finish(CanaryOperation::kRead, outcome, jute::ErrorCode::kOk))
                       return end_round(false);
                     if (mode_ != CanaryMode::kWrite) return end_round(true);
                     if (parent_made_)
                       create();
                     else
                       prepare_parent(1);
                   }));
}

void MemberCanary::prepare_parent(std::size_t position) {
  step_ = Step::kPrepare;
  const std::size_t slash = path_.find('/', position);
  const bool last = slash == std::string::npos;
  asked_at_ = steady_clock::now();
  session_->create(path_.substr(0, slash), "", {.timeout = left()},
                   of_this_round([this, last, slash](client::Outcome<std::string> outcome) {
                     if (outcome.has_error() || (outcome->error != jute::ErrorCode::kOk &&
                                                 outcome->error != jute::ErrorCode::kNodeExists)) {
                       finish(CanaryOperation::kCreate, outcome, jute::ErrorCode::kOk);
                       return end_round(false);
                     }
                     if (!last) return prepare_parent(slash + 1);
                     parent_made_ = true;
                     create();
                   }));
}

void MemberCanary::create() {
  step_ = Step::kCreate;
  if (leftover_) {
    // An operation of an earlier round went unanswered; whether the znode is there is unknown. Remove it
    // uncounted.
    session_->remove(own_path_, -1, left(), of_this_round([this](client::Outcome<client::Nothing> outcome) {
                       if (outcome.has_error()) {
                         finish(CanaryOperation::kDelete, outcome, jute::ErrorCode::kOk);
                         return end_round(false);
                       }
                       leftover_ = false;
                       create();
                     }));
    return;
  }
  leftover_ = true;
  asked_at_ = steady_clock::now();
  session_->create(own_path_, "", {.mode = jute::CreateMode::kEphemeral, .timeout = left()},
                   of_this_round([this](client::Outcome<std::string> outcome) {
                     if (outcome.has_value() && outcome->error == jute::ErrorCode::kNoNode)
                       parent_made_ = false;
                     if (!finish(CanaryOperation::kCreate, outcome, jute::ErrorCode::kOk))
                       return end_round(false);
                     watch();
                   }));
}

void MemberCanary::watch() {
  step_ = Step::kWatch;
  watch_stands_ = watch_fired_ = change_acknowledged_ = false;
  if (next_ == nullptr || !next_->totals_.connected) return set();
  next_->arm_watch(own_path_, left(), of_this_round([this](bool armed) {
                     watch_stands_ = armed;
                     set();
                   }),
                   [this, alive = std::weak_ptr<char>(alive_), round = round_] {
                     if (alive.expired() || step_ == Step::kIdle || round_ != round) return;
                     watch_fired_ = true;
                     fired_at_ = steady_clock::now();
                     if (step_ == Step::kDeliver) deliver();
                   });
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
  step_ = Step::kSet;
  asked_at_ = steady_clock::now();
  session_->set_data(own_path_, fmt::format("{}", round_), -1, left(),
                     of_this_round([this](client::Outcome<jute::Stat> outcome) {
                       changed_at_ = steady_clock::now();
                       if (!finish(CanaryOperation::kSet, outcome, jute::ErrorCode::kOk))
                         return end_round(false);
                       change_acknowledged_ = true;
                       step_ = Step::kDeliver;
                       if (!watch_stands_) return remove();
                       if (watch_fired_) return deliver();
                       // Wait for the event at most until half of what is left, so that the delete has its
                       // time.
                       deadline_.expires_after(left() / 2);
                       deadline_.async_wait([this, alive = std::weak_ptr<char>(alive_),
                                             round = round_](const boost::system::error_code& error) {
                         if (error || alive.expired() || step_ != Step::kDeliver || round_ != round) return;
                         next_->watch_missed(target_.name);
                         remove();
                       });
                     }));
}

void MemberCanary::deliver() {
  deadline_.cancel();
  next_->delivered(fired_at_ - changed_at_);
  remove();
}

void MemberCanary::delivered(std::chrono::nanoseconds after_acknowledgement) {
  count(CanaryOperation::kWatch, CanaryResult::kOk);
  totals_.watch_delivery.record(after_acknowledgement);  // Seen before it counts as no time at all.
}

void MemberCanary::watch_missed(const std::string& from) {
  count(CanaryOperation::kWatch, CanaryResult::kTimedOut);
  totals_.last_error = fmt::format("watch: no event for a change made through {}", from);
}

void MemberCanary::remove() {
  step_ = Step::kDelete;
  asked_at_ = steady_clock::now();
  const bool missed = watch_stands_ && !watch_fired_;
  session_->remove(own_path_, -1, left(),
                   of_this_round([this, missed](client::Outcome<client::Nothing> outcome) {
                     if (!finish(CanaryOperation::kDelete, outcome, jute::ErrorCode::kOk))
                       return end_round(false);
                     leftover_ = false;
                     end_round(!missed);
                   }));
}

}  // namespace wk::exporter
