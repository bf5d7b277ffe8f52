// Turns a member's reports about itself into the view that the page and Prometheus read, on a thread of its
// own.
//
// When the core hangs, no report comes, the newest snapshot grows old, and /livez says so; scrapes still
// work. What happens is kept in the flight recorder, and what happened before this start stands in the time
// line. Thread: constructor, start() and stop() from main; both observe() from the core; chronicle() from
// any.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
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
  /// \param member       "HOST:PORT" of the client port: the member's name in labels and on the page
  /// \param data_folder  where the flight recorder writes: dataDir, without version-2
  Observatory(const std::string& member, std::uint16_t client_port, const std::string& data_folder);
  ~Observatory();
  Observatory(const Observatory&) = delete;
  Observatory& operator=(const Observatory&) = delete;

  void start();
  /// \param reason  why the server ends, for the time line of the next start; a sentence
  /// \param orderly  false when it gives up
  void stop(const std::string& reason, bool orderly);
  void observe(exporter::PollReport report);
  /// What the core tells as it happens; ensemble and member are filled in.
  void observe(exporter::Event event);

  /// An ensemble of one member, this one. Any thread: constant.
  [[nodiscard]] const exporter::EnsembleSpec& ensemble() const { return tracker_.spec(); }
  /// What it keeps, from the beginning with a snapshot (nothing known yet).
  [[nodiscard]] const exporter::Chronicle& chronicle() const { return chronicle_; }

 private:
  void take(const exporter::PollReport& report);
  void take(exporter::Event event);
  /// Moves `events` into the chronicle and the recorder.
  void keep(std::vector<exporter::Event>& events);
  void publish(const Moment& now);
  void join();

  const Moment started_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  exporter::EnsembleTracker tracker_;
  exporter::Chronicle chronicle_;
  FlightRecorder recorder_;
  std::thread thread_;
};

}  // namespace wk::node
