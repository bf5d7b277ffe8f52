#include "server/node/observatory.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/post.hpp>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/log.h"

namespace wk::node {

using exporter::EventType;
using exporter::Severity;

namespace {

constexpr std::chrono::seconds kTurn{1};
/// Reports come once a second; one that is not there by then is late.
constexpr std::chrono::milliseconds kLate{1'500};
/// Of what a start tells of losses, so that its line in the recorder stays below its limit. The log has all.
constexpr std::size_t kLossesTextMax = 2'000;

exporter::EnsembleSpec ensemble_of(const std::string& name, const std::string& member,
                                   std::uint16_t client_port) {
  exporter::TargetSpec target;
  target.name = member;
  target.host = member.substr(0, member.rfind(':'));
  target.port = client_port;
  exporter::EnsembleSpec spec;
  spec.name = name;
  // Nobody is visited here. The deadline of a visit is what is left to choose of how long a report is
  // believed: three intervals and that, see exporter/view/freshness.h.
  target.timeout = Observatory::kSilenceMax - 3 * spec.interval;
  spec.members = {target};
  spec.canary = exporter::CanaryMode::kOff;
  return spec;
}

}  // namespace

Observatory::Observatory(const std::string& ensemble_name, const std::string& member,
                         std::uint16_t client_port, const std::string& data_folder)
    : started_(Moment::now()),
      guard_(boost::asio::make_work_guard(io_)),
      tracker_(ensemble_of(ensemble_name, member, client_port), started_),
      chronicle_(std::span(&tracker_.spec(), 1), started_),
      recorder_(data_folder, started_) {
  publish(started_);
}

Observatory::~Observatory() { join(); }

void Observatory::start(std::span<const std::string> losses) {
  std::vector<exporter::Event> events = recorder_.past();
  // Whatever the ensemble was called before: the page and the API show one, and its time line goes on.
  for (exporter::Event& event : events) event.ensemble = ensemble().name;
  chronicle_.append(events);
  const PreviousEnd& before = recorder_.previous_end();
  const bool harmless =
      before.kind == PreviousEnd::Kind::kStopped || before.kind == PreviousEnd::Kind::kUnknown;
  exporter::Event started;
  started.at = started_;
  started.type = EventType::kServerStarted;
  started.severity = harmless ? Severity::kInfo : Severity::kWarning;
  started.text = start_text(before);
  if (!harmless) spdlog::warn("{}", started.text);
  if (!losses.empty()) {
    started.severity = Severity::kCritical;
    std::string lost;
    for (const std::string& loss : losses) lost += ". Lost: " + loss;
    started.text += printable(lost, kLossesTextMax);
  }
  started.member = ensemble().members.front().name;
  tracker_.observe(std::move(started), events);
  keep(events);
  publish(started_);
  turn_ = std::chrono::steady_clock::now() + kTurn;
  next_turn();
  thread_ = std::thread([this] { io_.run(); });
  ::pthread_setname_np(thread_.native_handle(), "wk-observatory");
}

void Observatory::stop(const std::string& reason, bool orderly) {
  join();
  exporter::Event stopped;
  stopped.at = Moment::now();
  stopped.type = EventType::kServerStopped;
  stopped.severity = orderly ? Severity::kInfo : Severity::kCritical;
  stopped.text = reason;
  take_event(std::move(stopped));
  recorder_.flush();
}

void Observatory::join() {
  if (!thread_.joinable()) return;
  guard_.reset();
  io_.stop();
  thread_.join();
}

void Observatory::observe(exporter::Event event) {
  boost::asio::post(io_, [this, event = std::move(event)]() mutable { take_event(std::move(event)); });
}

void Observatory::take_event(exporter::Event event) {
  event.member = ensemble().members.front().name;
  std::vector<exporter::Event> events;
  tracker_.observe(std::move(event), events);
  keep(events);
  publish(Moment::now());
}

void Observatory::keep(std::vector<exporter::Event>& events) {
  recorder_.append(events);
  chronicle_.append(events);
}

void Observatory::observe(exporter::PollReport report) {
  boost::asio::post(io_, [this, report = std::make_shared<exporter::PollReport>(std::move(report))] {
    take(*report, Moment::now());
  });
}

void Observatory::take(const exporter::PollReport& report, const Moment& now) {
  // The view is derived as of the report. Reports that waited here, because this thread was held up, must not
  // be taken for the silence of a core that made them in time.
  std::vector<exporter::Event> events;
  tracker_.observe(report, events);
  reported_ = report.finished;
  keep(events);
  show(now);
}

void Observatory::tick(const Moment& now) {
  // What held this thread up may have held the whole process up; the tracker takes it for nobody's silence.
  if (now - reported_ < kLate) return;
  std::vector<exporter::Event> events;
  tracker_.tick(now, events);
  keep(events);
  show(now);
}

void Observatory::next_turn() {
  timer_.expires_at(turn_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    recorder_.beat();
    const Moment now = Moment::now();
    tick(now);
    turn_ += kTurn;
    if (turn_ <= now.steady) turn_ = now.steady + kTurn;
    next_turn();
  });
}

void Observatory::show(const Moment& now) {
  chronicle_.append_rows(std::array{&tracker_.view()}, now);
  publish(now);
}

void Observatory::publish(const Moment& now) {
  exporter::Snapshot next;
  next.taken = now;
  next.ensembles.push_back(tracker_.view());
  chronicle_.publish(std::move(next));
}

}  // namespace wk::node
