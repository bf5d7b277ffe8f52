// Turns a member's reports about itself into the view that the page and Prometheus read, on a thread of its
// own.
//
// Time passes here whether the core reports or not. After kSilenceMax without a report the member does not
// serve, and has not since its last report: /metrics, the page, /livez and /readyz say so with one voice, and
// scrapes still work. The next report ends that. What happens is kept in the flight recorder, and what
// happened before this start stands in the time line. Thread: constructor, start() and stop() from main; both
// observe() from the core; chronicle() from any; take() and tick() its own.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "exporter/app/chronicle.h"
#include "exporter/model/event.h"
#include "exporter/model/facts.h"
#include "exporter/model/target.h"
#include "exporter/view/ensemble_tracker.h"
#include "server/node/flight_recorder.h"

namespace wk::node {

class Observatory {
 public:
  /// The core reports once a second, on a loaded machine some seconds late: without a report for so long it
  /// hangs. As long as a scrape shows the numbers of a report (exporter::status_lifetime()).
  static constexpr std::chrono::seconds kSilenceMax{10};

  /// \param ensemble_name  what its ensemble is called in labels and on the page
  /// \param member       "HOST:PORT" of the client port: the member's name in labels and on the page
  /// \param data_folder  where the flight recorder writes: dataDir, without version-2
  Observatory(const std::string& ensemble_name, const std::string& member, std::uint16_t client_port,
              const std::string& data_folder);
  ~Observatory();
  Observatory(const Observatory&) = delete;
  Observatory& operator=(const Observatory&) = delete;

  /// \param losses  what this start gave up by the operator's order, sentences for the time line
  void start(std::span<const std::string> losses = {});
  /// \param reason  why the server ends, for the time line of the next start; a sentence
  /// \param orderly  false when it gives up
  void stop(const std::string& reason, bool orderly);
  void observe(exporter::PollReport report);
  /// What the core tells as it happens; ensemble and member are filled in.
  void observe(exporter::Event event);
  /// What the thread does with a report. Before start(), anybody may: tests let their own time pass.
  void take(const exporter::PollReport& report, const Moment& now);
  /// Lets time pass; the thread does it once a second. Before start() as take(). Does nothing while reports
  /// come in time: with each of them time passes as well.
  void tick(const Moment& now);

  /// An ensemble of one member, this one. Any thread: constant.
  [[nodiscard]] const exporter::EnsembleSpec& ensemble() const { return tracker_.spec(); }
  /// What it keeps, from the beginning with a snapshot (nothing known yet).
  [[nodiscard]] const exporter::Chronicle& chronicle() const { return chronicle_; }

 private:
  void take_event(exporter::Event event);
  /// Moves `events` into the chronicle and the recorder.
  void keep(std::vector<exporter::Event>& events);
  /// Adds a row to the history and publishes the view.
  void show(const Moment& now);
  void publish(const Moment& now);
  void next_turn();
  void join();

  const Moment started_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  boost::asio::steady_timer timer_{io_};
  exporter::EnsembleTracker tracker_;
  exporter::Chronicle chronicle_;
  FlightRecorder recorder_;
  std::chrono::steady_clock::time_point turn_;  ///< when to tick next
  Moment reported_ = started_;                  ///< when the newest report was made
  std::thread thread_;
};

}  // namespace wk::node
