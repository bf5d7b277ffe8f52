// The shell of the sidecar: one thread that runs pollers, canaries and trackers, and what other threads may
// ask of it.
//
// Thread: start() and stop() from main. The watcher's own thread owns all trackers, pollers and sessions. The
// const functions may be called from any thread: snapshot() is one pointer load; events() and history() copy
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

  /// Begins to watch. The first snapshot (nothing known yet) is published before this returns.
  void start();
  /// Closes sessions and connections and ends the thread; waits at most a second or two.
  void stop();

  /// The newest snapshot; never null after start().
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;

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
