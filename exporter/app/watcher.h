// The shell of the sidecar: one thread that runs pollers, canaries and trackers, and what other threads may
// ask of it.
//
// Thread: start() and stop() from main. The watcher's own thread owns all trackers, pollers and sessions. The
// const functions may be called from any thread: events(), history() and latest_row() copy
// under a mutex that the watcher's thread holds for microseconds; probe() posts a visit and waits for it at
// most `timeout`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "exporter/app/history_row.h"
#include "exporter/app/publication.h"
#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/view/history.h"

namespace wk::exporter {

class Watcher {
 public:
  explicit Watcher(std::vector<EnsembleSpec> ensembles);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Begins to watch.
  void start();
  /// Closes sessions and connections and ends the thread; waits at most a second or two.
  void stop();

  /// Where the snapshots appear: at least one a second, and one within 100 ms of an event. It outlives the
  /// watcher, and has a snapshot (nothing known yet) from the beginning.
  [[nodiscard]] std::shared_ptr<const Publication> publication() const;

  /// Events with an id above `after`, oldest first, at most `limit`.
  [[nodiscard]] std::vector<Event> events(std::uint64_t after, std::size_t limit) const;

  /// Points of one series, or Errc::kNotFound when ensemble or member does not exist, Errc::kInvalidInput
  /// when no resolution has that step.
  [[nodiscard]] Result<SeriesPoints> history(const std::string& ensemble, const std::string& member,
                                             MemberSeries series, std::chrono::seconds step,
                                             std::chrono::system_clock::time_point since) const;
  [[nodiscard]] Result<SeriesPoints> history(const std::string& ensemble, EnsembleSeries series,
                                             std::chrono::seconds step,
                                             std::chrono::system_clock::time_point since) const;

  /// The newest row of the 1 s history; nothing before the first second has passed, or when there is no such
  /// ensemble.
  [[nodiscard]] std::optional<HistoryRow> latest_row(const std::string& ensemble) const;

  /// Visits `target` once, outside all rounds, and returns a snapshot that holds only it (in an ensemble
  /// named `ensemble`). At most kProbeLimit probes run at a time; one more gets Errc::kTooLarge at once.
  [[nodiscard]] Result<std::shared_ptr<const Snapshot>> probe(const std::string& ensemble,
                                                              const TargetSpec& target) const;
  static constexpr int kProbeLimit = 16;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wk::exporter
