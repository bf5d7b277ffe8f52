// Who leads over time: leaders found, hidden and missing, the gaps between them, and the elections.
//
// Who leads at a moment is said by the claims (leader_claims.h). When nobody whom the exporter can ask leads,
// evidence decides: a sync that succeeded through a follower since the leader fell silent, or, without a
// canary, followers that outlasted their failure detector, prove a leader that only the exporter cannot
// reach.
//
// An epoch that was known deposes leaders of older ones, until a lower one is proven to have taken its place
// (an ensemble that was wiped, or a wrong answer): its leader and a majority of the voters serve for longer
// than a deposed leader keeps its office, and nobody shows the newer epoch. Docs:
// docs/adr/0001-service-is-judged-by-evidence.md. Thread: one owner. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/view/event_sink.h"
#include "exporter/view/intake.h"
#include "exporter/view/leader_claims.h"

namespace wk::exporter {

class Leadership {
 public:
  /// Reads the members' states and canaries, majority and standalone. Writes leader, leader_inferred,
  /// leader_id, epoch, leaders, deposed_leaders, split_brain, elections, leader_changes and
  /// election_duration. Tells split brains, and leaders that are lost and elected.
  /// \param judged    every member was visited: before, a missing leader is no conclusion
  /// \param previous  when this was last called
  /// \param unasked   how much older than fresh a sync may be: the exporter was held up itself
  void derive(EnsembleView& view, const Visits& visits, const EnsembleSpec& spec, bool judged,
              Moment previous, EventSink& events, std::chrono::nanoseconds unasked = {});

  /// Since when nobody is known to lead; absent while somebody is, and before the first conclusion.
  [[nodiscard]] std::optional<Moment> leaderless_since() const;

 private:
  void judge_split(EnsembleView& view, const LeaderClaims& claims, EventSink& events) const;
  /// A lower epoch than the last one has taken its place.
  bool began_anew(const EnsembleView& view, const LeaderClaims& claims);
  void named(EnsembleView& view, const LeaderClaim& claim, bool anew, EventSink& events);
  void hidden(EnsembleView& view, const EnsembleSpec& spec, EventSink& events);
  void missing(EnsembleView& view, EventSink& events);
  void count_election(EnsembleView& view, std::chrono::nanoseconds duration);
  [[nodiscard]] bool leader_known() const { return seen_ && !leaderless_since(); }
  [[nodiscard]] bool epoch_passed(const EnsembleView& view) const;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> untold_gap(Moment now) const;

  std::optional<std::size_t> last_leader_;  ///< member that led last, kept while there is none
  std::optional<Epoch> last_epoch_;         ///< newest one whose leader is known, or told of
  /// First of the claims to lead one epoch below last_epoch_, since when nothing speaks against it.
  std::optional<LeaderClaim> lower_;
  std::optional<Moment> elected_at_;    ///< when an election was last noticed by its leader's own answer
  std::optional<Moment> seen_;          ///< when a leader was last known to lead, by name or by evidence
  std::optional<Moment> silent_since_;  ///< when the leader was first asked in vain
  std::optional<Moment> proven_at_;     ///< newest evidence since then for a leader that is hidden
  /// When the newest gap without a leader began; kept behind its end until its election is told.
  std::optional<Moment> gap_began_;
  /// Since when a leader is known by evidence only; a gap whose election is not told yet ended here.
  std::optional<Moment> hidden_since_;
};

}  // namespace wk::exporter
