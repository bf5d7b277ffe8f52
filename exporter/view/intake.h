// Taking a visit in: from the poller's report to what is remembered of the member.
//
// Three leaves, each of one report: what the visit itself showed (Visit, replaced by the next one), what is
// known since (MemberFacts, each kind until a newer answer replaces it), and how the surfaces fare
// (MemberView's sources, which only add up). Thread: any; pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "exporter/model/facts.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// What the newest visit to a member showed, beside the facts.
struct Visit {
  /// Role and zxid of one answer, so that role and epoch belong together.
  struct RoleAtZxid {
    Role role = Role::kUnknown;
    Zxid zxid;
  };

  Moment started, finished;
  SourceState client_port = SourceState::kNotTried;  ///< how the client port fared
  bool status_ok = false;                            ///< it brought a status
  bool says_not_serving = false;                     ///< a surface said so
  bool process_answers = false;                      ///< some surface answered something
  ZabPhase zab_phase = ZabPhase::kUnknown;           ///< as zabstate told it in this visit
  std::string trouble;  ///< the first thing that failed, in words: "refuses connections on its client port"
  std::optional<RoleAtZxid> role_at_zxid;
};

/// The newest visit of each member; absent before the first.
using Visits = std::vector<std::optional<Visit>>;

Visit visit_of(const PollReport& report);

/// `known` with the answers of `report` in the place of older ones.
/// \param detail_interval  a part of the configuration that was told at most three of them ago fills the gap
/// of a
///                         newer answer
MemberFacts learned(MemberFacts known, const PollReport& report, std::chrono::nanoseconds detail_interval);

/// Counts the visit and its questions in `member`: polls, sources, address and certificate. A source that is
/// no longer asked, since others tell what it told, is not tried any more: what it answered last says
/// nothing.
void count_visit(const PollReport& report, MemberView& member, std::chrono::nanoseconds detail_interval);

}  // namespace wk::exporter
