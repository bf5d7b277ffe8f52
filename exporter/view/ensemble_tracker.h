// The ensemble view: what all members of one ensemble said, over time, turned into conclusions that no single
// server can draw, and into events and counters for every change, however short.
//
// Rules that keep it honest:
//  - A fact counts only while it is fresh; what is not fresh is unknown, never the old value.
//  - A quorum is counted from voters that answer as serving members of the newest epoch. The leader's own
//  count of
//    synchronised followers is believed for voters that the exporter cannot see only after its failure
//    detector (syncLimit × tickTime) would have noticed a dead one, so that a stopped follower never counts.
//  - Service is judged by evidence: a leader that answers with a quorum in sync, or a canary's sync that
//  succeeded
//    through another member (a sync is answered by the leader). Against it: no member completed a canary
//    round.
//  - Leaders are compared by epoch. Two answers of different moments are never added.
//
// Thread: one owner. Pure: time comes with the reports.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/model/target.h"
#include "exporter/model/view.h"

namespace wk::exporter {

class EnsembleTracker {
 public:
  EnsembleTracker(EnsembleSpec spec, Moment start);

  /// Tells the log that watching begins. Once, before everything else.
  void begin(Moment now, std::vector<Event>& events);
  /// Takes in what a visit brought, derives the view anew, and appends what changed to `events`.
  void observe(const PollReport& report, std::vector<Event>& events);
  /// The same for a canary round.
  void observe(const CanaryReport& report, std::vector<Event>& events);
  /// Lets time pass: freshness ends, outages grow. Call at least once a second.
  void tick(Moment now, std::vector<Event>& events);

  /// The conclusions as of the newest call above.
  [[nodiscard]] const EnsembleView& view() const { return view_; }
  [[nodiscard]] const EnsembleSpec& spec() const { return spec_; }

 private:
  /// What is remembered of a member beside its view.
  struct Member {
    MemberFacts facts;
    std::optional<Moment> visit_started, visited;      ///< of the newest visit
    SourceState client_port = SourceState::kNotTried;  ///< how the client port fared in the newest visit
    bool status_ok = false;                            ///< the newest visit brought a status
    bool says_not_serving = false;                     ///< a surface of the newest visit said so
    bool process_answers = false;  ///< some surface of the newest visit answered something
    bool zab_ok = false;           ///< the newest visit brought the ZAB phase
    std::string trouble;  ///< of the newest visit, in words: "refuses connections on its client port"
    std::optional<Role> paired_role;  ///< role and zxid of one answer, so that role and epoch belong together
    std::optional<Zxid> paired_zxid;
    std::optional<Moment> paired_at;
    std::optional<Role> last_role;  ///< of the newest visit in which it served
    bool canary_event_sent = false;
    std::optional<Moment> canary_failing_since;
    double fsync_mean_ms = 0;                                       ///< over the last two statuses
    bool throttling = false;                                        ///< between the last two statuses
    std::array<std::optional<Moment>, kEventTypeCount> last_event;  ///< limits the rate of repeated events
  };
  /// A canary round that not all members have reported yet.
  struct Round {
    std::uint64_t number = 0;
    Moment first_report;
    std::size_t reports = 0;
    bool ok = false;
  };

  void take(Member& member, MemberView& view, const PollReport& report);
  void notice_rates(Member& member, const MemberView& view, const StatusAnswer& before,
                    const StatusAnswer& after, Moment at, std::chrono::nanoseconds elapsed,
                    std::vector<Event>& events);
  void derive(Moment now, std::vector<Event>& events);
  void derive_states(Moment now, std::vector<Event>& events);
  void set_state(std::size_t index, ServingState state, std::string reason, Moment now,
                 std::vector<Event>& events);
  void derive_membership(std::vector<Event>& events, Moment now);
  void derive_leader(Moment now, std::vector<Event>& events);
  void leader_found(std::optional<std::size_t> leader, Moment now, std::vector<Event>& events);
  void leader_missing(Moment now, std::vector<Event>& events);
  void count_election(bool epoch_passed, std::chrono::nanoseconds duration);
  void derive_quorum(Moment now, std::vector<Event>& events);
  void derive_service(Moment now);
  void derive_lag(Moment now);
  void derive_digests(Moment now, std::vector<Event>& events);
  void derive_drift(Moment now, std::vector<Event>& events);
  void derive_imbalance();
  void derive_limits();
  void emit(std::vector<Event>& events, Moment at, EventType type, Severity severity,
            const std::string& member, std::string text,
            std::optional<std::chrono::nanoseconds> duration = std::nullopt);
  bool emit_rarely(Member& member, std::vector<Event>& events, Moment at, EventType type, Severity severity,
                   const std::string& name, std::string text);
  [[nodiscard]] std::chrono::nanoseconds freshness(std::size_t member) const;
  [[nodiscard]] std::chrono::nanoseconds failure_detection() const;
  [[nodiscard]] bool synced_after(Moment moment) const;
  [[nodiscard]] bool all_visited() const;

  EnsembleSpec spec_;
  EnsembleView view_;
  std::vector<Member> members_;
  Moment last_derived_;
  bool judged_ = false;  ///< every member was visited once: conclusions count from here
  std::optional<Moment> leaderless_since_;
  std::optional<std::chrono::nanoseconds>
      leaderless_for_;                      ///< of the gap that ended, until its election is told
  std::optional<Moment> silent_since_;      ///< when the leader first failed to answer us
  std::optional<Moment> hidden_since_;      ///< since when a leader is inferred only
  std::optional<Moment> leader_seen_;       ///< when the present leader was last known to lead
  std::optional<std::size_t> last_leader_;  ///< member that led last, kept while there is none
  std::optional<Epoch> last_epoch_;
  bool leader_known_ = false, leader_ever_known_ = false;
  std::optional<Moment> leader_elected_at_;  ///< when the present epoch's leader was first known
  bool quorum_held_ = false, quorum_ever_held_ = false;
  std::optional<Moment> quorum_lost_at_;
  std::optional<Moment> served_since_;  ///< when service last began
  bool split_brain_told_ = false;
  std::vector<Round> rounds_;  ///< at most kOpenRounds
};

}  // namespace wk::exporter
