// The shell of one member: owns the threads, feeds the pure core with what happens, and carries out what it
// decides.
//
// One wake-up of the core thread: every frame that is ready goes through Replica::step() into one Output;
// then the log's part of it goes to the log thread, every connection gets one write, and what has to be
// closed is closed. Thread: core, which is the one that calls run(). Other threads only post.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "exporter/catalogue/process_stats.h"
#include "exporter/model/event.h"
#include "server/config/config.h"
#include "server/net/client_port.h"
#include "server/node/background_thread.h"
#include "server/node/commands.h"
#include "server/node/inquiries.h"
#include "server/node/inspection.h"
#include "server/node/log_thread.h"
#include "server/node/node_stats.h"
#include "server/node/observer.h"
#include "server/node/refusal_log.h"
#include "server/node/restore.h"
#include "server/node/second_signal.h"
#include "server/node/slow_request_log.h"
#include "server/node/snapshot_job.h"
#include "server/node/surroundings.h"
#include "server/node/surveys.h"
#include "server/node/words.h"
#include "server/replica/io.h"
#include "server/replica/replica.h"
#include "server/storage/data_directories.h"
#include "server/storage/file_system.h"

namespace wk::node {

/// Why a node could not start, or ended.
struct Ending {
  int exit_code = 0;
  std::string reason;  ///< for the log; empty after an orderly stop
};

class Node final : public net::ClientPortOwner {
 public:
  /// Time between two ticks of the core.
  static constexpr std::chrono::milliseconds kTickInterval{50};
  /// Bytes of output from which on it is carried out before the next frame is looked at, so that a client
  /// that asks for much at once is held back by what it has not read yet, and memory stays bounded.
  static constexpr std::size_t kOutputHigh = 1UL << 20;
  /// From how much time between two ticks on the core is told to have stalled.
  static constexpr std::chrono::milliseconds kStall{1000};
  /// Least time between two events about slow syncs of the log.
  static constexpr std::chrono::seconds kSlowFsyncQuiet{10};

  /// \param directories  open and locked; held until the node is gone
  /// \param hangup_ends  SIGHUP asks to stop, as SIGTERM does; else it is told and nothing more
  Node(const config::Config& config, storage::FileSystem& files, storage::DataDirectories directories,
       Restored restored, const replica::Settings& settings, bool hangup_ends);
  ~Node() override;

  /// Binds the client port. \return  Errc::kIo or kUnresolved when it cannot be had
  Result<void> bind();
  /// Serves until a signal asks to stop or the log fails. From its end on a second signal ends the process.
  /// \param ready  called once clients are served
  Ending run(const std::function<void()>& ready);
  /// After run(): ends the threads, and gives up at the deadline what one of them does on a disk.
  /// \return  false: the process can only be left without this object's destruction
  [[nodiscard]] bool stop_until(std::chrono::steady_clock::time_point deadline);

  /// The port that clients connect to; 0 when there is none.
  [[nodiscard]] std::uint16_t client_port() const { return port_.bound(); }
  /// Makes the copies that other threads read. Thread: core.
  [[nodiscard]] Observer& observer() { return observer_; }
  /// Where the core tells what happens; must only hand it on. Before run().
  void set_event_receiver(std::function<void(exporter::Event)> receiver) { tell_ = std::move(receiver); }
  /// Answers commands on other threads.
  [[nodiscard]] const Commands& commands() const { return commands_; }

  void on_opened(ConnectionId connection, const std::string& address) override;
  void on_frame(ConnectionId connection, std::span<const std::byte> payload) override;
  void on_word(ConnectionId connection, net::FourLetterWord word, std::span<const std::byte> rest) override;
  void on_fetched(ConnectionId connection) override;
  void on_gone(ConnectionId connection, std::optional<net::Refusal> why) override;
  void on_refused(net::Refusal refusal, const std::string& address, std::int64_t number) override;
  void on_wake_up() override;

 private:
  LogThread::Events log_events();
  void post(std::function<void()> task);
  void await_signal();
  const Moment& now();
  void step(const replica::Event& event);
  /// Carries out what the steps since the last call decided, and ends the wake-up.
  void carry_out();
  /// Without the end: more frames of the same wake-up follow.
  void carry_out_so_far();
  void log_slow_requests();
  void send();
  void control_flow();
  void close();
  void tick();
  void arm_tick();

  void on_synced(const LogSyncReport& report);
  void count_sync(std::chrono::nanoseconds sync, std::uint64_t file_bytes);
  void on_space_exhausted(Zxid durable, const Error& why);
  void start_snapshot(Zxid zxid);
  void slice_snapshot();
  void on_snapshot_done(const Result<SnapshotReport>& report);
  void survey();
  void purge();
  void arm_purge();
  void publish();
  [[nodiscard]] std::string mntr(const Moment& moment) const;
  void end(int exit_code, std::string reason);
  void tell(exporter::EventType type, exporter::Severity severity, std::string text);

  const config::Config& config_;
  storage::FileSystem& files_;
  storage::DataDirectories directories_;
  std::optional<SecondSignal> second_signal_;  // first, so that it ends last
  const bool hangup_ends_;
  boost::asio::io_context io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer tick_timer_;
  boost::asio::steady_timer slice_timer_;
  boost::asio::steady_timer survey_timer_;
  boost::asio::steady_timer purge_timer_;

  const std::optional<double> boot_time_;  // of the machine, where mntr tells it
  RestoreFacts restore_facts_;
  std::optional<Zxid> snapshot_in_memory_;
  replica::Replica replica_;
  net::ClientPort port_;
  NodeStats stats_;
  SurroundingsReader surroundings_;
  Surveys surveys_;
  Observer observer_;
  Inspection inspection_;
  Words words_;
  Inquiries inquiries_;
  Commands commands_;
  RefusalLog refusals_;
  SlowRequestLog slow_requests_;

  std::function<void(exporter::Event)> tell_;
  std::optional<std::chrono::steady_clock::time_point> slow_fsync_told_;
  std::chrono::steady_clock::time_point last_tick_{};  // or when ticking began

  replica::Output output_;
  std::optional<Moment> now_;  // of the wake-up under way, or of the part of it
  std::optional<std::chrono::steady_clock::time_point> wake_up_began_;
  bool carrying_out_ = false;
  bool tick_posted_ = false;
  std::vector<replica::ClientGone> gone_;  // ended while the output was carried out
  struct WordAnswer {
    ConnectionId connection;
    std::string text;
  };
  std::vector<WordAnswer> word_answers_;  // of this wake-up
  std::unique_ptr<SnapshotJob> snapshot_;
  std::function<void()> serve_;  // while the very first snapshot is written; opens the client port
  Ending ending_;

  // Last, so that they end first: their work posts to what stands above.
  BackgroundThread background_;
  std::stop_source stop_purge_;
  BackgroundThread purging_;  // of its own: a snapshot that waits is held in memory
  LogThread log_;
};

}  // namespace wk::node
