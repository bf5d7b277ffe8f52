// Every path that the sidecar serves, wired to what it observes.
//
// Thread: handlers run on several HTTP workers at a time; a Routes object is immutable and holds functions
// that must be safe from any thread. No handler waits for a visit to a member, but for /probe, which asks for
// one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "exporter/app/api_history.h"
#include "exporter/app/settings.h"
#include "exporter/catalogue/catalogue.h"
#include "exporter/model/event.h"
#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/web/http.h"
#include "exporter/web/server.h"

namespace wk::exporter {

/// What the handlers read. In the program these are the Watcher, the HTTP server's counters and the clocks.
struct Observations {
  std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< never null
  std::function<std::vector<Event>(std::uint64_t after, std::size_t limit)> events;
  SeriesSource history;
  std::function<Result<std::shared_ptr<const Snapshot>>(const std::string& ensemble,
                                                        const TargetSpec& target)>
      probe;
  std::function<HttpStats()> http_stats;
  std::function<Moment()> now;
};

class Routes {
 public:
  /// \param ensembles  as configured; decide what /probe knows, and how old a snapshot may be
  Routes(Observations observations, std::vector<EnsembleSpec> ensembles, const Settings& settings);

  /// All paths with their handlers. The handlers share this object's state and may outlive it.
  [[nodiscard]] std::vector<std::pair<std::string, Handler>> all() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace wk::exporter
