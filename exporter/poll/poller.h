// Visits every member of one ensemble at each turn of its interval and reports what it found.
//
// It decides nothing about the ensemble: the view does. All members are visited in parallel and
// independently; a member that hangs delays nobody else, and its own next visit waits until the present one
// is over. Thread: io (the one thread that runs the context) for everything, construction before it runs
// excepted; rounds_skipped() from any.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "exporter/model/facts.h"
#include "exporter/model/target.h"

namespace wk::exporter {

/// Least time between two visits of a member that visit_soon() asked for.
inline constexpr std::chrono::milliseconds kExtraVisitGap{100};

class Poller {
 public:
  using Report = std::function<void(PollReport)>;

  /// \param context  run by one thread; outlives the poller
  /// \param report   called on the io thread after each visit, never after stop()
  Poller(boost::asio::io_context& context, const EnsembleSpec& ensemble, Report report);
  /// Stops.
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// The first visits begin within the spread of one round (schedule.h). Once only.
  void start();
  /// Ends the visits under way without a report. Idempotent. Sockets and timers are gone when the context has
  /// run dry.
  void stop();

  /// Visits one member out of turn, since something tells that it changed (a lost session). Does nothing
  /// while a visit of it is under way, or less than kExtraVisitGap after the extra visit before; its turns
  /// stay as they are.
  void visit_soon(std::size_t member);

  /// Visits that were not made at their turn, since the one before was still under way or the process was
  /// stopped; and those that are not reported, since the process was stopped while they were under way.
  [[nodiscard]] std::uint64_t rounds_skipped() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// One visit with detail to a member of which nothing is known, for /probe. May be called from any thread.
/// \param deadline    ends the visit, whatever target.timeout says
/// \param completion  called once on the io thread
void visit_once(boost::asio::io_context& context, const TargetSpec& target,
                std::chrono::steady_clock::time_point deadline, Poller::Report completion);

}  // namespace wk::exporter
