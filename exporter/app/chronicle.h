// What a watcher of ensembles keeps for everybody else to read: the newest snapshot, the events, the history.
//
// Thread: one writer, which is whoever owns the trackers (the sidecar's watcher, a server's observatory). The
// const functions from any thread: they copy under a mutex that the writer holds for microseconds, and the
// newest snapshot is a copied pointer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "exporter/app/api_history.h"
#include "exporter/app/history_row.h"
#include "exporter/app/publication.h"
#include "exporter/model/event.h"
#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/view/event_log.h"
#include "exporter/view/history.h"

namespace wk::exporter {

class Chronicle {
 public:
  /// \param ensembles  with different names; their views come in this order
  Chronicle(std::span<const EnsembleSpec> ensembles, const Moment& started);

  /// Keeps `events`, each with the next id, and leaves none behind. They are seen from the next publish() on,
  /// so that whoever reads of an event finds the states and the counters that it changed.
  void append(std::vector<Event>& events);
  /// Adds one row of history for each ensemble; once a second.
  void append_rows(std::span<const EnsembleView* const> views, const Moment& now);
  /// Puts `next` where everybody reads it, together with the events that were appended since the last one.
  /// Its sequence, the start and the dropped events are filled in here; all else is the caller's.
  void publish(Snapshot next);

  /// Where the snapshots appear. It outlives the chronicle; empty before the first publish().
  [[nodiscard]] std::shared_ptr<const Publication> publication() const { return publication_; }
  /// Events with an id above `after`, oldest first, at most `limit`.
  [[nodiscard]] std::vector<Event> events(std::uint64_t after, std::size_t limit) const;
  /// Points of one series, or Errc::kNotFound when ensemble or member does not exist, Errc::kInvalidInput
  /// when no resolution has the step of `query`.
  [[nodiscard]] Result<SeriesPoints> history(const SeriesRequest& request, const HistoryQuery& query) const;
  /// The newest row of the 1 s history; nothing before the first second has passed, or when there is no such
  /// ensemble.
  [[nodiscard]] std::optional<HistoryRow> latest_row(const std::string& ensemble) const;

 private:
  struct Kept {
    Kept(std::string of, std::vector<std::string> with)
        : ensemble(std::move(of)), members(std::move(with)), history(members.size()) {}
    std::string ensemble;
    std::vector<std::string> members;
    History history;  ///< guarded by mutex_
  };

  [[nodiscard]] const Kept* find(const std::string& ensemble) const;

  const Moment started_;
  std::uint64_t sequence_ = 0;      ///< the writer's
  std::vector<Event> unpublished_;  ///< the writer's
  const std::shared_ptr<Publication> publication_ = std::make_shared<Publication>();
  std::vector<Kept> kept_;    ///< in the order of the constructor; only the histories change
  mutable std::mutex mutex_;  ///< guards what follows and the histories
  EventLog log_;
  std::chrono::system_clock::time_point row_at_;  ///< of the newest row of all histories
};

}  // namespace wk::exporter
