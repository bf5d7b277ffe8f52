// Which members stand in the quorum, and whether enough do.
//
// Counted are voters that answer first-hand. The leader's own count is believed for voters that the exporter
// cannot see only after its failure detector would have noticed a dead one, so that a stopped follower never
// counts. Docs: docs/adr/0001-service-is-judged-by-evidence.md. Thread: one owner. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "exporter/model/view.h"
#include "exporter/view/event_sink.h"
#include "exporter/view/intake.h"

namespace wk::exporter {

/// Voters in sync. Reads in_sync, voters, majority, leader and the leader's synced_followers.
/// \param unasked  see Quorum::derive
/// \return  0 … view.voters
int voters_in_sync(const EnsembleView& view, const Visits& visits, Moment now,
                   std::chrono::nanoseconds unasked = {});

/// Voters that may take part in an election: those that answer the exporter, and those that nobody listed.
int able_voters(const EnsembleView& view);

class Quorum {
 public:
  /// Reads states, leader and membership; writes each member's in_sync, voters_in_sync and quorum_margin.
  /// \param judged   every member was visited: losses and gains are told from then on
  /// \param unasked  for so long the exporter was held up itself and saw nobody, nor nobody's absence
  void derive(EnsembleView& view, const Visits& visits, bool judged, EventSink& events,
              std::chrono::nanoseconds unasked = {});

 private:
  bool held_ = false;
  std::optional<Moment> lost_at_;  ///< of the loss that lasts; absent while held, and before it ever was
};

}  // namespace wk::exporter
