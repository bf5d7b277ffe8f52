#include "exporter/app/watcher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "base/check.h"
#include "exporter/canary/canary.h"
#include "exporter/poll/poller.h"
#include "exporter/view/ensemble_tracker.h"

namespace wk::exporter {
namespace {

/// One row of history and one published snapshot at least each second.
constexpr std::chrono::seconds kTick{1};
/// Between two snapshots. An event waits no longer than this for the next one, and a storm of events does not
/// copy and render the view hundreds of times a second.
constexpr std::chrono::milliseconds kPublishGap{100};
/// How long sessions may take to say goodbye at the end.
constexpr std::chrono::milliseconds kFarewell{1'000};
/// What a probe may take beyond its target's own deadline before its caller is told that it timed out.
constexpr std::chrono::milliseconds kProbeSlack{500};

void log_event(const Event& event) {
  const auto level = event.severity == Severity::kInfo      ? spdlog::level::info
                     : event.severity == Severity::kWarning ? spdlog::level::warn
                                                            : spdlog::level::err;
  spdlog::log(level, "ensemble {}: {}: {}", event.ensemble, name(event.type), event.text);
}

std::uint64_t dropped_in(const PollReport& report) {
  std::uint64_t dropped = 0;
  for (const ProbeReport& probe : report.probes)
    if (const auto* status = std::get_if<StatusAnswer>(&probe.answer); status != nullptr)
      dropped += status->dropped;
  return dropped;
}

}  // namespace

class Watcher::State {
 public:
  explicit State(std::vector<EnsembleSpec> ensembles)
      : started_(Moment::now()),
        chronicle_(ensembles, started_),
        tick_timer_(io_),
        publish_timer_(io_),
        farewell_(io_),
        random_(std::random_device{}()) {
    const std::string instance = fmt::format("{:08x}", static_cast<std::uint32_t>(random_()));
    for (EnsembleSpec& spec : ensembles) {
      auto run = std::make_unique<Run>(spec, started_);
      Run* const watched = run.get();
      run->poller = std::make_unique<Poller>(io_, spec, [this, watched](PollReport report) {
        samples_dropped_ += dropped_in(report);
        watched->tracker.observe(report, new_events_);
        take_events();
      });
      if (spec.canary != CanaryMode::kOff)
        run->canary = std::make_unique<Canary>(
            io_, spec, instance, [this] { return std::uniform_real_distribution<double>(0, 1)(random_); },
            [this, watched](const CanaryReport& report) {
              watched->tracker.observe(report, new_events_);
              take_events();
            },
            [watched](std::size_t member) { watched->poller->visit_soon(member); });
      runs_.push_back(std::move(run));
    }
    publish(started_);
  }

  ~State() { stop(); }

  void start() {
    WK_CHECK(!thread_.joinable(), "watcher started twice");
    for (const auto& run : runs_) run->tracker.begin(started_, new_events_);
    take_events();
    publish(started_);
    for (const auto& run : runs_) {
      run->poller->start();
      if (run->canary) run->canary->start();
    }
    turn_ = std::chrono::steady_clock::now() + kTick;
    next_tick();
    thread_ = std::thread([this] { io_.run(); });
  }

  void stop_probes() {
    const std::lock_guard lock(probes_mutex_);
    probes_stopped_ = true;
    probe_over_.notify_all();
  }

  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
      tick_timer_.cancel();
      publish_timer_.cancel();
      auto open = std::make_shared<std::size_t>(1);
      const auto one_less = [this, open] {
        if (--*open > 0) return;
        farewell_.cancel();
        guard_.reset();
        io_.stop();
      };
      farewell_.expires_after(kFarewell);
      farewell_.async_wait([this](const boost::system::error_code& error) {
        if (!error) io_.stop();
      });
      for (const auto& run : runs_) {
        run->poller->stop();
        if (!run->canary) continue;
        ++*open;
        run->canary->stop(one_less);
      }
      one_less();
    });
    thread_.join();
  }

  const Chronicle& chronicle() const { return chronicle_; }

  Result<std::shared_ptr<const Snapshot>> probe(const std::string& ensemble, const TargetSpec& target) {
    if (probes_.fetch_add(1) >= kProbeLimit) {
      --probes_;
      return Error{Errc::kTooLarge,
                   fmt::format("{} probes are under way already; try again later", kProbeLimit)};
    }
    const auto report = std::make_shared<std::optional<PollReport>>();
    const auto deadline = std::chrono::steady_clock::now() + target.timeout;
    visit_once(io_, target, deadline, [this, report](PollReport found) {
      const std::lock_guard lock(probes_mutex_);
      *report = std::move(found);
      probe_over_.notify_all();
    });
    std::unique_lock lock(probes_mutex_);
    probe_over_.wait_until(lock, deadline + kProbeSlack,
                           [&] { return report->has_value() || probes_stopped_; });
    --probes_;
    if (!*report && probes_stopped_)
      return Error{Errc::kCancelled, fmt::format("the exporter stops; {} was not probed", target.name)};
    if (!*report)
      return Error{Errc::kTimedOut, fmt::format("the probe of {} did not end in time", target.name)};
    PollReport found = *std::move(*report);
    lock.unlock();

    EnsembleSpec spec;
    spec.name = ensemble;
    spec.members = {target};
    spec.canary = CanaryMode::kOff;
    EnsembleTracker tracker(spec, Moment::now());
    std::vector<Event> events;
    found.member = 0;
    tracker.observe(found, events);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->sequence = 1;
    snapshot->taken = Moment::now();
    snapshot->ensembles = {tracker.view()};
    snapshot->exporter.started = started_;
    snapshot->exporter.samples_dropped = dropped_in(found);
    return std::shared_ptr<const Snapshot>(std::move(snapshot));
  }

 private:
  struct Run {
    Run(const EnsembleSpec& spec, Moment now) : tracker(spec, now) {}
    EnsembleTracker tracker;
    std::unique_ptr<Poller> poller;
    std::unique_ptr<Canary> canary;
  };

  void next_tick() {
    tick_timer_.expires_at(turn_);
    tick_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      const Moment now = Moment::now();
      for (const auto& run : runs_) run->tracker.tick(now, new_events_);
      take_events();
      std::vector<const EnsembleView*> views;
      for (const auto& run : runs_) views.push_back(&run->tracker.view());
      chronicle_.append_rows(views, now);
      publish(now);
      turn_ += kTick;
      if (turn_ <= now.steady) turn_ = now.steady + kTick;
      next_tick();
    });
  }

  /// Moves new events into the chronicle. Something happened: the next snapshot does not wait for the tick.
  void take_events() {
    if (new_events_.empty()) return;
    for (const Event& event : new_events_) log_event(event);
    chronicle_.append(new_events_);
    if (publish_pending_) return;
    publish_pending_ = true;
    publish_timer_.expires_at(published_ + kPublishGap);
    publish_timer_.async_wait([this](const boost::system::error_code& error) {
      publish_pending_ = false;
      if (!error) publish(Moment::now());
    });
  }

  void publish(Moment now) {
    Snapshot next;
    next.taken = now;
    next.ensembles.reserve(runs_.size());
    for (const auto& run : runs_) {
      next.ensembles.push_back(run->tracker.view());
      next.exporter.poll_rounds_skipped += run->poller->rounds_skipped();
    }
    next.exporter.samples_dropped = samples_dropped_;
    chronicle_.publish(std::move(next));
    published_ = now.steady;
  }

  const Moment started_;
  Chronicle chronicle_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_ =
      boost::asio::make_work_guard(io_);
  boost::asio::steady_timer tick_timer_, publish_timer_, farewell_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Run>> runs_;  ///< constant after construction; trackers belong to the thread
  std::chrono::steady_clock::time_point turn_;
  std::vector<Event> new_events_;
  bool publish_pending_ = false;
  std::chrono::steady_clock::time_point published_;
  std::uint64_t samples_dropped_ = 0;
  std::atomic<int> probes_{0};
  std::mutex probes_mutex_;  ///< for the reports of probes, and for:
  bool probes_stopped_ = false;
  std::condition_variable probe_over_;
  std::thread thread_;
};

Watcher::Watcher(std::vector<EnsembleSpec> ensembles)
    : state_(std::make_unique<State>(std::move(ensembles))) {}
Watcher::~Watcher() = default;
void Watcher::start() { state_->start(); }
void Watcher::stop_probes() { state_->stop_probes(); }
void Watcher::stop() { state_->stop(); }
const Chronicle& Watcher::chronicle() const { return state_->chronicle(); }

Result<std::shared_ptr<const Snapshot>> Watcher::probe(const std::string& ensemble,
                                                       const TargetSpec& target) const {
  return state_->probe(ensemble, target);
}

}  // namespace wk::exporter
