#include "server/node/node.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "base/startup_memory.h"
#include "server/node/provider_mntr.h"
#include "server/node/settings.h"
#include "server/storage/purge.h"

namespace wk::node {
namespace {

using exporter::EventType;
using exporter::Severity;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// nullopt for what has no session yet.
std::optional<replica::CloseReason> close_reason(net::Refusal refusal) {
  switch (refusal) {
    case net::Refusal::kFrameTooLong:
      return replica::CloseReason::kFrameTooLong;
    case net::Refusal::kDoesNotRead:
      return replica::CloseReason::kDoesNotRead;
    case net::Refusal::kUnansweredTooLong:
      return replica::CloseReason::kUnanswered;
    case net::Refusal::kAddressLimit:
    case net::Refusal::kTotalLimit:
    case net::Refusal::kNoDescriptor:
    case net::Refusal::kHttp:
    case net::Refusal::kTlsHello:
      break;
  }
  return std::nullopt;
}

/// Of a process that did not wait for its own orderly end.
constexpr int kExitImpatient = 1;

RestoreFacts facts_of(const Restored& restored) {
  return {restored.report.transactions_replayed, restored.snapshot_time, restored.replay_time,
          restored.report.digest_mismatches};
}

}  // namespace

Node::Node(const config::Config& config, storage::FileSystem& files, storage::DataDirectories directories,
           Restored restored, const replica::Settings& settings, bool hangup_ends)
    : config_(config),
      files_(files),
      directories_(std::move(directories)),
      hangup_ends_(hangup_ends),
      io_(),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      tick_timer_(io_),
      slice_timer_(io_),
      survey_timer_(io_),
      purge_timer_(io_),
      boot_time_(config.prometheus_provider ? exporter::read_boot_time() : std::nullopt),
      restore_facts_(facts_of(restored)),
      snapshot_in_memory_(restored.report.snapshot),
      replica_(settings, std::move(restored.database), Moment::now()),
      port_(io_, client_port_limits(config), *this),
      stats_(),
      surroundings_(files, directories_.snapshots(), directories_.logs(),
                    [this](std::function<void()> task) { post(std::move(task)); }),
      surveys_(replica_, port_),
      observer_(config, directories_.snapshots(), directories_.logs(), restore_facts_, replica_, port_,
                stats_, surroundings_.newest(), surveys_),
      inspection_(config, directories_.snapshots(), directories_.logs(), replica_, port_,
                  surroundings_.newest()),
      words_(config, inspection_, replica_, stats_, [this](const Moment& moment) { return mntr(moment); }),
      inquiries_([this](std::function<void()> task) { post(std::move(task)); }),
      commands_({inquiries_, inspection_, words_, stats_, [this] { return mntr(Moment::now()); }, files}),
      background_("wk-background"),
      purging_("wk-purge"),
      log_(files, directories_.logs(), restored.report.last, log_settings(config), log_events()) {}

Node::~Node() {
  stop_purge_.request_stop();
  snapshot_.reset();
  surroundings_.stop();
  background_.stop();
  purging_.stop();
  log_.stop();
}

LogThread::Events Node::log_events() {
  return {
      .synced = [this](const LogSyncReport& report) { post([this, report] { on_synced(report); }); },
      .space_exhausted =
          [this](Zxid durable, const Error& why) {
            post([this, durable, why] { on_space_exhausted(durable, why); });
          },
      .space_back =
          [this] {
            post([this] {
              spdlog::info("the log has room again; writes are accepted");
              tell(EventType::kLogWritable, Severity::kInfo, "the log has room again; writes are accepted");
              stats_.log_full = false;
              step(replica::LogSpaceBack{});
              carry_out();
            });
          },
      .failed =
          [this](const Error& error) {
            post([this, error] {
              end(1,
                  fmt::format(
                      "Severe unrecoverable error: the transaction log cannot be written: {}; no write that "
                      "was acknowledged is lost; start again when the disk is well",
                      error.message));
            });
          }};
}

void Node::post(std::function<void()> task) { boost::asio::post(io_, std::move(task)); }

Result<void> Node::bind() {
  if (!config_.client) return {};
  const auto bound = port_.listen(config_.client->host, config_.client->port);
  if (!bound) return bound.error();
  return {};
}

Ending Node::run(const std::function<void()>& ready) {
  await_signal();
  stats_.started = now();
  const std::size_t orphans = replica_.start(snapshot_in_memory_, now(), output_);
  if (orphans > 0) spdlog::info("{} ephemeral znodes of sessions that no longer exist were removed", orphans);
  carry_out();
  const auto serve = [this, &ready] {
    port_.start();
    surroundings_.read_now(std::chrono::steady_clock::now());
    if (config_.observe) survey();
    publish();
    last_tick_ = std::chrono::steady_clock::now();
    arm_tick();
    background_.post([] { return_startup_memory(); });
    if (config_.storage.purge_interval.count() > 0) purge();
    ready();
  };
  // A log without any snapshot is refused at the next start, so the first snapshot comes before the first
  // client, as in Apache. So does the one without the orphans: see Replica::start().
  if ((!snapshot_in_memory_ || orphans > 0) && snapshot_)
    serve_ = serve;
  else
    serve();
  io_.run();
  second_signal_.emplace(kExitImpatient);
  stop_purge_.request_stop();
  port_.stop();
  // What is queued is written: those writes were received, and an orderly stop loses nothing that a crash
  // would keep.
  log_.stop();
  return ending_;
}

bool Node::stop_until(std::chrono::steady_clock::time_point deadline) {
  snapshot_.reset();
  const bool surroundings = surroundings_.stop_until(deadline);
  const bool background = background_.stop_until(deadline);
  return purging_.stop_until(deadline) && background && surroundings;
}

void Node::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP && !hangup_ends_) {
      spdlog::info("SIGHUP: there is nothing to reload by it; a changed configuration takes a restart");
      return await_signal();
    }
    spdlog::info("{}: stopping", signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "SIGHUP");
    end(0, "");
  });
}

void Node::end(int exit_code, std::string reason) {
  ending_ = {exit_code, std::move(reason)};
  io_.stop();
}

// ---------------------------------------------------------------------------------------------------------------
// From the client port

const Moment& Node::now() {
  if (!now_) now_ = Moment::now();
  if (!wake_up_began_) wake_up_began_ = now_->steady;
  return *now_;
}

void Node::step(const replica::Event& event) { replica_.step({now(), event}, output_); }

void Node::on_opened(ConnectionId connection, const std::string& address) {
  step(replica::ClientOpened{connection, address});
}

void Node::on_frame(ConnectionId connection, std::span<const std::byte> payload) {
  step(replica::ClientFrame{connection, payload});
  if (output_.bytes.size() > kOutputHigh) return carry_out_so_far();
  control_flow();
}

void Node::on_word(ConnectionId connection, net::FourLetterWord word, std::span<const std::byte> rest) {
  word_answers_.push_back({connection, words_.answer(word, connection, rest, now())});
}

void Node::on_fetched(ConnectionId connection) { step(replica::ClientFetched{connection}); }

void Node::on_gone(ConnectionId connection, std::optional<net::Refusal> why) {
  const replica::ClientGone gone{connection, why ? close_reason(*why) : std::nullopt};
  if (carrying_out_)
    gone_.push_back(gone);
  else
    step(gone);
}

void Node::on_refused(net::Refusal refusal, const std::string& address, std::int64_t number) {
  if (const auto line = refusals_.line(refusal, address, number, now().steady)) spdlog::warn("{}", *line);
}

void Node::on_wake_up() { carry_out(); }

// ---------------------------------------------------------------------------------------------------------------
// Carrying out

void Node::carry_out() {
  carry_out_so_far();
  const auto ended = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds took = ended - *std::exchange(wake_up_began_, std::nullopt);
  stats_.wake_up.record(took);
  stats_.longest_wake_up.record(took, ended);
}

void Node::carry_out_so_far() {
  now();
  do {
    carrying_out_ = true;
    const auto handing_over = std::chrono::steady_clock::now();
    if (!output_.appends.empty()) {
      log_.append(output_);
      replica_.step({{handing_over, now().wall}, replica::AppendsHandedOver{}}, output_);
    }
    send();
    close();
    if (output_.start_snapshot) start_snapshot(output_.start_snapshot->zxid);
    if (output_.more_work && !std::exchange(tick_posted_, true)) {
      post([this] {
        tick_posted_ = false;
        step(replica::Tick{});
        carry_out();
      });
    }
    const bool delivered = !output_.sends.empty() || output_.applied > 0;
    output_.clear();
    carrying_out_ = false;
    if (delivered) {
      now_ = Moment::now();
      step(replica::OutputDelivered{handing_over});
      log_slow_requests();
    }
    for (const replica::ClientGone& gone : std::exchange(gone_, {})) step(gone);
  } while (!output_.sends.empty() || !output_.closes.empty() || !output_.appends.empty() ||
           !output_.flows.empty() || output_.start_snapshot || output_.more_work);
  now_.reset();
}

void Node::log_slow_requests() {
  const replica::SlowRequests::ToLog slow = replica_.take_slow_requests();
  for (const std::string& line : slow_requests_.lines(slow, now().steady)) spdlog::warn("{}", line);
}

void Node::send() {
  const std::span<const std::byte> bytes(output_.bytes);
  for (const replica::Send& one : output_.sends)
    port_.queue(one.connection, bytes.subspan(one.offset, one.size),
                one.only_events ? net::Delivery::kInTurn : net::Delivery::kAtOnce);
  for (const WordAnswer& answer : word_answers_)
    port_.queue(answer.connection, std::as_bytes(std::span(answer.text)));
  control_flow();
  port_.flush();
  for (const WordAnswer& answer : word_answers_) port_.finish(answer.connection);
  word_answers_.clear();
}

void Node::control_flow() {
  for (const replica::Flow& flow : output_.flows) port_.pause_reading(flow.connection, flow.paused);
  output_.flows.clear();
}

void Node::close() {
  for (const replica::Close& one : output_.closes) {
    spdlog::debug("connection {} is closed: {}", one.connection.value, replica::name(one.reason));
    port_.finish(one.connection);
  }
}

void Node::tick() {
  const auto begun = std::chrono::steady_clock::now();
  if (const auto idle = begun - last_tick_; idle >= kStall)
    tell(EventType::kCoreStalled, Severity::kWarning,
         fmt::format(
             "the core thread was held up for {} ms: a stopped process or virtual machine, a machine short "
             "of CPU or memory, or work of its own that took so long",
             duration_cast<milliseconds>(idle).count()));
  // In this order: whoever fetches what it is owed does not expire meanwhile.
  port_.tick(now().steady);
  step(replica::Tick{});
  carry_out();
  const auto ended = std::chrono::steady_clock::now();
  if (observer_.due(ended)) {
    publish();
    surroundings_.refresh(ended);
  }
  last_tick_ = std::chrono::steady_clock::now();
}

void Node::tell(EventType type, Severity severity, std::string text) {
  if (!tell_) return;
  exporter::Event event;
  event.at = Moment::now();
  event.type = type;
  event.severity = severity;
  event.text = std::move(text);
  tell_(std::move(event));
}

void Node::arm_tick() {
  tick_timer_.expires_after(kTickInterval);
  tick_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    tick();
    arm_tick();
  });
}

std::string Node::mntr(const Moment& moment) const {
  const std::uint64_t words = words_.asked_since_reset();
  if (!config_.prometheus_provider) return observer_.mntr(moment, words);
  return provider_mntr_text(version_text(), "standalone", observer_.status(moment, words),
                            exporter::read_process_stats(boot_time_), moment);
}

void Node::publish() {
  const Moment began = Moment::now();
  observer_.publish(began, words_.asked_since_reset());
  stats_.publish.record(std::chrono::steady_clock::now() - began.steady);
}

// ---------------------------------------------------------------------------------------------------------------
// The log

void Node::on_synced(const LogSyncReport& report) {
  for (const std::chrono::nanoseconds sync : report.earlier_syncs) count_sync(sync, report.file_bytes);
  if (report.sync) count_sync(*report.sync, report.file_bytes);
  stats_.log_batch.record(report.records);
  stats_.log_bytes += report.bytes;
  stats_.log_files_created = report.files_created;
  step(replica::LogSynced{report.zxid, report.taken, report.written, report.synced});
  carry_out();
}

void Node::count_sync(std::chrono::nanoseconds sync, std::uint64_t file_bytes) {
  stats_.fsync_ns.record(sync);
  stats_.fsync.record(sync);
  if (sync <= config_.storage.fsync_warning_threshold) return;
  ++stats_.slow_fsyncs;
  spdlog::warn(
      "fsync-ing the write ahead log in wk-log took {}ms which will adversely effect operation latency. "
      "File size is "
      "{} bytes. See the ZooKeeper troubleshooting guide",
      duration_cast<milliseconds>(sync).count(), file_bytes);
  if (slow_fsync_told_ && now().steady - *slow_fsync_told_ < kSlowFsyncQuiet) return;
  slow_fsync_told_ = now().steady;
  tell(EventType::kSlowFsync, Severity::kWarning,
       fmt::format("a sync of the transaction log took {} ms; {} were slow since the start",
                   duration_cast<milliseconds>(sync).count(), stats_.slow_fsyncs));
}

void Node::on_space_exhausted(Zxid durable, const Error& why) {
  const std::string what = fmt::format(
      "no space left for the transaction log in {}: writes are refused until there is room again, reads go "
      "on "
      "({})",
      directories_.logs(), why.message);
  spdlog::error("{}", what);
  tell(EventType::kLogFull, Severity::kCritical, what);
  stats_.log_full = true;
  ++stats_.log_full_times;
  // What the core has handed out but the log thread has not taken yet dies with the rest.
  step(replica::LogSpaceExhausted{durable});
  output_.appends.clear();
  output_.log_bytes.clear();
  log_.acknowledge_exhausted();
  carry_out();
}

// ---------------------------------------------------------------------------------------------------------------
// Snapshots and purge

void Node::start_snapshot(Zxid zxid) {
  log_.roll();
  snapshot_ = std::make_unique<SnapshotJob>(
      SnapshotJob::Place{files_, directories_.snapshots(), snapshot_compression(config_), config_.digest,
                         config_.storage.serialize_last_processed_zxid},
      zxid, replica_, background_, [this](std::function<void()> task) { post(std::move(task)); },
      [this](const Result<SnapshotReport>& report) { on_snapshot_done(report); });
  snapshot_->begin();
  post([this] { slice_snapshot(); });
}

void Node::slice_snapshot() {
  if (!snapshot_) return;
  const auto next = snapshot_->slice();
  if (!next) return;
  slice_timer_.expires_after(*next);
  slice_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) slice_snapshot();
  });
}

void Node::on_snapshot_done(const Result<SnapshotReport>& report) {
  if (report) {
    stats_.snapshot_ns.record(report->duration);
    stats_.last_snapshot = Moment::now();
    stats_.last_snapshot_zxid = report->zxid;
    stats_.last_snapshot_bytes = report->file_bytes;
    stats_.longest_slice = std::max(stats_.longest_slice, report->longest_slice);
    spdlog::info("snapshot {}: {} znodes, {} bytes, {} ms ({} slices, the longest {} µs)", report->name,
                 report->nodes, report->file_bytes, duration_cast<milliseconds>(report->duration).count(),
                 report->slices, duration_cast<std::chrono::microseconds>(report->longest_slice).count());
    tell(EventType::kSnapshotWritten, Severity::kInfo,
         fmt::format("snapshot {} of {} znodes was written: {} bytes", report->name, report->nodes,
                     report->file_bytes));
  } else {
    ++stats_.snapshots_failed;
    spdlog::error(
        "the snapshot was given up: {}; the log keeps every transaction, and the next one is tried in time",
        report.error().message);
    tell(EventType::kSnapshotFailed, Severity::kWarning,
         fmt::format("a snapshot was given up: {}", report.error().message));
  }
  if (serve_ && !report)
    return end(1, fmt::format("the snapshot that has to be there before the first client is served cannot be "
                              "written: {}; see that its folder has room and can be written to",
                              report.error().message));
  // The job is calling this.
  post([this, job = std::shared_ptr<SnapshotJob>(std::move(snapshot_)), written = report.has_value()] {
    step(replica::SnapshotFinished{written});
    carry_out();
    if (const auto serve = std::exchange(serve_, nullptr)) serve();
  });
}

void Node::survey() {
  survey_timer_.expires_after(surveys_.slice());
  survey_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) survey();
  });
}

void Node::purge() {
  stats_.purging = true;
  step(replica::PurgeUnderWay{true});
  carry_out();
  purging_.post([this, snapshots = directories_.snapshots(), logs = directories_.logs(),
                 retain = static_cast<std::size_t>(config_.storage.snapshots_to_retain),
                 longest = stored_bytes_max(config_), stop = stop_purge_.get_token()] {
    const auto began = std::chrono::steady_clock::now();
    auto report = caught([&] { return storage::purge(files_, snapshots, logs, retain, longest, stop); });
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began;
    post([this, report = std::move(report), took] {
      stats_.purging = false;
      step(replica::PurgeUnderWay{false});
      carry_out();
      if (!report) {
        ++stats_.purges_failed;
        stats_.last_purge_failed = Moment::now();
        return spdlog::error("purge: {}", report.error().message);
      }
      ++stats_.purges;
      stats_.purge_time += took;
      stats_.last_purge = Moment::now();
      stats_.purged_files += report->removed.size();
      for (const std::string& path : report->removed) spdlog::info("Removing file: {}", path);
      if (!report->removed.empty())
        tell(EventType::kFilesPurged, Severity::kInfo,
             fmt::format("{} files were purged that the newest {} snapshots make unnecessary",
                         report->removed.size(), config_.storage.snapshots_to_retain));
      for (const std::string& finding : report->findings) spdlog::warn("purge: {}", finding);
    });
  });
  arm_purge();
}

void Node::arm_purge() {
  purge_timer_.expires_after(config_.storage.purge_interval);
  purge_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) purge();
  });
}

}  // namespace wk::node
