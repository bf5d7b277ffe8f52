// The ensemble view: what all members of one ensemble said, over time, turned into conclusions that no single
// server can draw, and into events and counters for every change, however short.
//
// Rules that keep it honest:
//  - A fact counts only while it is fresh; what is not fresh is unknown, never the old value.
//  - A quorum is counted from voters that answer as serving members of the newest epoch. The leader's own
//    count of synchronised followers is believed for voters that the exporter cannot see only after its
//    failure detector (syncLimit × tickTime) would have noticed a dead one, so that a stopped follower never
//    counts.
//  - Service is judged by evidence: a leader that answers with a quorum in sync, or a canary's sync that
//    succeeded through another member (a sync is answered by the leader). Against it: no member completed a
//    canary round.
//  - Leaders are compared by epoch. Two answers of different moments are never added.
//  - While the exporter itself is held up (stopped, starved) nothing grows old, and nobody is out of service.
//
// The tracker only decides the order. Each conclusion is drawn by a part of its own that keeps its own
// memory, reads the view as far as it is derived, and says in its header what of the view it writes:
//
//   report → intake → member_trend            what the member said, and what changed since its last visit
//            canary_rounds                    whose canary fails
//   derive → membership → serving_states      who belongs to it, and how each member stands
//          → leadership → quorum → service    who leads, with how many, and whether clients are served
//          → agreement, configuration_drift   whether the members agree
//          → limits → conclusions             what holds it up; problems and verdict in words
//
// Thread: one owner. Pure: time comes with the reports.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/view/canary_rounds.h"
#include "exporter/view/event_sink.h"
#include "exporter/view/intake.h"
#include "exporter/view/leadership.h"
#include "exporter/view/member_trend.h"
#include "exporter/view/quorum.h"
#include "exporter/view/service.h"
#include "exporter/view/serving_states.h"

namespace wk::exporter {

class EnsembleTracker {
 public:
  EnsembleTracker(EnsembleSpec spec, Moment start);

  /// Tells the log that watching begins. Once, before everything else; a server that watches itself tells of
  /// its own start instead.
  void begin(Moment now, std::vector<Event>& events);
  /// Takes in what a visit brought, derives the view anew, and appends what changed to `events`.
  void observe(const PollReport& report, std::vector<Event>& events);
  /// The same for a canary round.
  void observe(const CanaryReport& report, std::vector<Event>& events);
  /// What somebody beside the members tells: counted and kept as the tracker's own events are.
  /// \param event  of the type, severity, member, text and moment that it has; the ensemble is filled in
  void observe(Event event, std::vector<Event>& events);
  /// Lets time pass: freshness ends, outages grow. Call at least once a second.
  void tick(Moment now, std::vector<Event>& events);

  /// The conclusions as of the newest call above.
  [[nodiscard]] const EnsembleView& view() const { return view_; }
  [[nodiscard]] const EnsembleSpec& spec() const { return spec_; }

 private:
  /// A member whose digest differs.
  struct Differing {
    Moment since;
    bool told = false;
  };

  void derive(EventSink& events);
  void derive_unlisted(std::vector<std::string> unlisted, EventSink& events);
  void derive_agreement(EventSink& events);
  [[nodiscard]] EventSink sink(Moment now, std::vector<Event>& events);
  /// The moment to derive as of: never before the last one. Notices that the exporter itself was held up.
  Moment arrive(Moment now);
  /// How much longer than fresh something may be old: while it was held up, nobody could ask.
  [[nodiscard]] std::chrono::nanoseconds held_up(Moment now) const;

  EnsembleSpec spec_;
  EnsembleView view_;
  Visits visits_;
  std::vector<MemberTrend> trends_;                  ///< by member
  std::vector<std::optional<Differing>> differing_;  ///< by member
  CanaryRounds canaries_;
  ServingStates states_;
  Leadership leadership_;
  Quorum quorum_;
  Service service_;
  Moment last_derived_;
  /// How long the exporter was held up last, and when it went on.
  std::chrono::nanoseconds pause_{0};
  Moment went_on_;
};

}  // namespace wk::exporter
