#include "exporter/poll/poller.h"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "base/check.h"
#include "exporter/poll/member.h"
#include "exporter/poll/schedule.h"
#include "exporter/poll/visit.h"

namespace wk::exporter {
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

/// Faults of a member are values; what arrives here is this process in trouble (no memory) and ends it.
void rethrow(const std::exception_ptr& exception) {
  if (exception) std::rethrow_exception(exception);
}

}  // namespace

struct Poller::State : std::enable_shared_from_this<State> {
  struct Polled {
    Polled(asio::io_context& context, const TargetSpec& target)
        : member(std::make_shared<Member>(target)), timer(context) {}
    std::shared_ptr<Member> member;
    asio::steady_timer timer;
    Clock::time_point turn;
    Clock::time_point detail_due;
    Clock::time_point extra_allowed;
    std::shared_ptr<Visit> visit;  ///< the one under way
    Clock::time_point deadline;    ///< of that visit
  };

  State(asio::io_context& io, const EnsembleSpec& spec, Report callback)
      : context(io), ensemble(spec), report(std::move(callback)) {
    members.reserve(spec.members.size());
    for (const TargetSpec& target : spec.members) members.push_back(std::make_unique<Polled>(io, target));
  }

  void wait_for_turn(std::size_t index) {
    if (stopped) return;
    Polled& polled = *members[index];
    polled.timer.expires_at(polled.turn);
    polled.timer.async_wait([self = shared_from_this(), index](const boost::system::error_code& ec) {
      if (!ec && !self->stopped) self->take_turn(index);
    });
  }

  void take_turn(std::size_t index) {
    Polled& polled = *members[index];
    if (polled.visit)
      rounds_skipped.fetch_add(1, std::memory_order_relaxed);
    else
      begin_visit(index);
    const Turn turn = next_turn(polled.turn, ensemble.interval, Clock::now());
    rounds_skipped.fetch_add(turn.missed, std::memory_order_relaxed);
    polled.turn = turn.at;
    wait_for_turn(index);
  }

  void begin_visit(std::size_t index) {
    Polled& polled = *members[index];
    const auto now = Clock::now();
    polled.deadline = now + polled.member->spec.timeout;
    polled.visit = std::make_shared<Visit>(context, polled.member, polled.deadline, now >= polled.detail_due);
    asio::co_spawn(context, Visit::run(polled.visit),
                   [self = shared_from_this(), index](const std::exception_ptr& exception) {
                     rethrow(exception);
                     self->end_visit(index);
                   });
  }

  void end_visit(std::size_t index) {
    Polled& polled = *members[index];
    const std::shared_ptr<Visit> visit = std::exchange(polled.visit, nullptr);
    if (stopped) return;
    if (was_held_up(polled.deadline, Clock::now())) {
      rounds_skipped.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    if (visit->detail()) {
      // The first round of detail comes with the first visits of all; from there on members take turns.
      const bool first = polled.detail_due == Clock::time_point{};
      const auto share = ensemble.detail_interval / static_cast<std::int64_t>(members.size());
      const auto delay = first ? share * static_cast<std::int64_t>(index + 1) : ensemble.detail_interval;
      polled.detail_due = Clock::now() + delay;
    }
    visit->report().member = index;
    report(std::move(visit->report()));
  }

  asio::io_context& context;
  EnsembleSpec ensemble;
  Report report;
  std::vector<std::unique_ptr<Polled>> members;
  std::atomic<std::uint64_t> rounds_skipped{0};
  bool started = false, stopped = false;
};

Poller::Poller(asio::io_context& context, const EnsembleSpec& ensemble, Report report)
    : state_(std::make_shared<State>(context, ensemble, std::move(report))) {}

Poller::~Poller() { stop(); }

void Poller::start() {
  WK_CHECK(!state_->started, "Poller::start() twice");
  state_->started = true;
  const auto now = Clock::now();
  for (std::size_t i = 0; i < state_->members.size(); ++i) {
    state_->members[i]->turn =
        now + std::chrono::duration_cast<Clock::duration>(
                  stagger(state_->ensemble.name, i, state_->members.size(), state_->ensemble.interval));
    state_->wait_for_turn(i);
  }
}

void Poller::stop() {
  if (std::exchange(state_->stopped, true)) return;
  for (const auto& polled : state_->members) {
    polled->timer.cancel();
    if (polled->visit) polled->visit->abort();
  }
}

void Poller::visit_soon(std::size_t member) {
  State::Polled& polled = *state_->members.at(member);
  const auto now = Clock::now();
  if (!state_->started || state_->stopped || polled.visit || now < polled.extra_allowed) return;
  polled.extra_allowed = now + kExtraVisitGap;
  state_->begin_visit(member);
}

std::uint64_t Poller::rounds_skipped() const {
  return state_->rounds_skipped.load(std::memory_order_relaxed);
}

void visit_once(asio::io_context& context, const TargetSpec& target, Clock::time_point deadline,
                Poller::Report completion) {
  asio::post(context, [&context, target, deadline, completion = std::move(completion)]() mutable {
    const auto visit = std::make_shared<Visit>(context, std::make_shared<Member>(target), deadline, true);
    asio::co_spawn(context, Visit::run(visit),
                   [visit, completion = std::move(completion)](const std::exception_ptr& exception) {
                     rethrow(exception);
                     completion(std::move(visit->report()));
                   });
  });
}

}  // namespace wk::exporter
