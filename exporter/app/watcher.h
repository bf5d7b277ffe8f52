// The shell of the sidecar: one thread that runs pollers, canaries and trackers, and what other threads may
// ask of it.
//
// Thread: start() and stop() from main. The watcher's own thread owns all trackers, pollers and sessions. The
// const functions may be called from any thread; probe() posts a visit and waits for it at most `timeout`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "exporter/app/chronicle.h"
#include "exporter/model/target.h"
#include "exporter/model/view.h"

namespace wk::exporter {

class Watcher {
 public:
  explicit Watcher(std::vector<EnsembleSpec> ensembles);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Begins to watch.
  void start();
  /// Lets everybody go who waits for a probe, with Errc::kCancelled; later probes get the same.
  void stop_probes();
  /// Closes sessions and connections and ends the thread; waits at most a second or two.
  void stop();

  /// What it keeps: snapshots at least one a second, and one within 100 ms of an event, which is seen with
  /// it. There is one (nothing known yet) from the beginning.
  [[nodiscard]] const Chronicle& chronicle() const;

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
