// Every path that the sidecar serves, wired to what it observes.
//
// Thread: handlers run on several HTTP workers at a time; a Routes object is immutable and holds functions
// that must be safe from any thread. No handler waits for a visit to a member, but for /probe, which asks for
// one; streams wait for the next snapshot.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "exporter/app/api_history.h"
#include "exporter/app/chronicle.h"
#include "exporter/app/history_row.h"
#include "exporter/app/publication.h"
#include "exporter/app/settings.h"
#include "exporter/catalogue/catalogue.h"
#include "exporter/model/event.h"
#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/web/http.h"
#include "exporter/web/server.h"

namespace wk::exporter {

/// What the handlers read. In a program these are a Chronicle, the HTTP server's counters and the clocks.
struct Observations {
  std::shared_ptr<const Publication> publication;  ///< with a snapshot
  std::function<std::vector<Event>(std::uint64_t after, std::size_t limit)> events;
  SeriesSource history;
  std::function<std::optional<HistoryRow>(const std::string& ensemble)> latest_row;
  std::function<Result<std::shared_ptr<const Snapshot>>(const std::string& ensemble,
                                                        const TargetSpec& target)>
      probe;
  std::function<HttpStats()> http_stats;
  std::function<Moment()> now;
};

/// What `chronicle` keeps, and the clocks; who visits and who counts is left to the caller.
/// \param chronicle  must outlive every use of the result
Observations observations_of(const Chronicle& chronicle);

class Routes {
 public:
  /// \param ensembles  as configured; decide what /probe knows, and how old a snapshot may be
  Routes(Observations observations, std::vector<EnsembleSpec> ensembles, const Settings& settings);

  /// Registers every path. The handlers share this object's state and may outlive it.
  void add_to(HttpServer& server) const;
  /// Handlers of whole paths, and of all paths that begin with a prefix.
  [[nodiscard]] std::vector<std::pair<std::string, Handler>> exact() const;
  [[nodiscard]] std::vector<std::pair<std::string, Handler>> prefixes() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace wk::exporter
