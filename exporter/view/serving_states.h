// What each member does for clients, from its newest visit and its canary; and what changed in that.
//
// The judgement of one member is a pure leaf (standing_of); the class remembers what a change is told
// against. Thread: one owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/view/event_sink.h"
#include "exporter/view/intake.h"

namespace wk::exporter {

/// The judgement of one member.
struct Standing {
  ServingState state = ServingState::kUnreachable;
  std::string reason;  ///< why, in a sentence without its subject: "serves as follower"
  Role role = Role::kUnknown;
  ZabPhase phase = ZabPhase::kUnknown;
};

/// What must be known beside a member's own answers to judge it.
struct Surroundings {
  bool canary_serves = false;   ///< a sync through it succeeded after its newest visit began
  bool somebody_leads = false;  ///< a member answers as leader: "not serving" is then no election
  bool alone = false;           ///< the ensemble is this one server
};

/// Judges by a visit that is fresh. A richer source wins: status, then phase, then "not serving", then the
/// canary, then whether the process answers at all.
Standing standing_of(const Visit& visit, const MemberFacts& facts, const Surroundings& surroundings);

class ServingStates {
 public:
  explicit ServingStates(std::size_t members) : last_role_(members) {}

  /// Reads facts, canary and voters; writes each member's state with reason, since and count of changes,
  /// and role, phase and zxid. Tells changes of state and role.
  /// Members without a visit stay as they are.
  /// \param unasked  how much older than fresh a visit or a sync may be: the exporter was held up itself
  void derive(EnsembleView& view, const Visits& visits, const EnsembleSpec& spec, EventSink& events,
              std::chrono::nanoseconds unasked = {});

 private:
  std::vector<std::optional<Role>> last_role_;  ///< of the newest visit in which the member served
};

}  // namespace wk::exporter
