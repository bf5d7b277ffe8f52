// Snapshots for the tests of this folder: an ensemble in health, one in a total outage, one of which nothing
// is known.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "exporter/model/view.h"

namespace wk::exporter::sample {

/// 2026-11-21T22:40:01.250Z, and a steady clock that began 1000 s earlier.
inline Moment now() {
  return {std::chrono::steady_clock::time_point(std::chrono::seconds(1000)),
          std::chrono::system_clock::time_point(std::chrono::milliseconds(1'795'300'801'250))};
}

inline MemberView member(const std::string& name) {
  MemberView view;
  view.name = name;
  view.facts = std::make_shared<MemberFacts>();
  view.state_since = now() + std::chrono::seconds(-60);
  return view;
}

/// Nothing visited yet.
inline EnsembleView unknown_ensemble(const std::string& name, int members = 3) {
  EnsembleView view;
  view.name = name;
  view.canary_mode = CanaryMode::kRead;
  for (int i = 1; i <= members; ++i) view.members.push_back(member("zk" + std::to_string(i) + ":2181"));
  view.voters = members;
  view.majority = members / 2 + 1;
  view.quorum_margin = -view.majority;
  view.verdict = "Nothing is known yet.";
  view.limited_by = "unknown";
  return view;
}

/// Three voters, zk2 leads epoch 5 with the id 2.
inline EnsembleView healthy_ensemble(const std::string& name) {
  EnsembleView view = unknown_ensemble(name);
  view.voters_in_sync = 3;
  view.quorum_margin = 1;
  view.serving = true;
  view.leader = 1;
  view.leader_id = ServerId{2};
  view.epoch = Epoch{5};
  view.leaders = 1;
  view.verdict = "All 3 voters in sync; one may fail.";
  view.limited_by = "nothing";
  for (std::size_t i = 0; i < 3; ++i) {
    MemberView& member = view.members[i];
    member.id = ServerId{static_cast<std::int64_t>(i) + 1};
    member.state = ServingState::kServing;
    member.role = i == 1 ? Role::kLeader : Role::kFollower;
    member.zxid = Zxid{0x500000010};
    member.lag_transactions = 0;
    member.in_sync = true;
    member.polls = 7;
    member.last_poll = now() + std::chrono::milliseconds(-300);
    member.safe_to_stop = {true, "2 of 3 voters stay in sync; 2 are needed"};
    SourceStatus& mntr = member.sources.of(Probe::kMntr);
    mntr.state = SourceState::kOk;
    mntr.last_tried = mntr.last_ok = now() + std::chrono::milliseconds(-300);
    mntr.results[static_cast<std::size_t>(SourceState::kOk)] = 7;
  }
  return view;
}

/// Nobody answers since a minute.
inline EnsembleView dead_ensemble(const std::string& name) {
  EnsembleView view = unknown_ensemble(name);
  view.unserved = std::chrono::seconds(60);
  view.unserved_since = now() + std::chrono::seconds(-60);
  view.verdict = "No member answers since 60 s.";
  view.problems.push_back({"quorum_lost",
                           Severity::kCritical,
                           "0 of 3 voters in sync",
                           "3 members refuse connections",
                           "start the servers",
                           "ZooKeeperQuorumLost",
                           {"zk1:2181", "zk2:2181", "zk3:2181"}});
  for (MemberView& member : view.members) {
    member.polls = 60;
    member.state_reason = "refuses connections";
    member.safe_to_stop = {false, "no quorum"};
    SourceStatus& mntr = member.sources.of(Probe::kMntr);
    mntr.state = SourceState::kRefused;
    mntr.detail = "Connection refused";
  }
  return view;
}

inline Snapshot snapshot(std::vector<EnsembleView> ensembles) {
  Snapshot snapshot;
  snapshot.sequence = 42;
  snapshot.taken = now() + std::chrono::milliseconds(-500);
  snapshot.exporter.started = now() + std::chrono::seconds(-100);
  snapshot.ensembles = std::move(ensembles);
  return snapshot;
}

}  // namespace wk::exporter::sample
