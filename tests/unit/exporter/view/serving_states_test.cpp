#include "exporter/view/serving_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "exporter/model/internals.h"
#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

MemberFacts told(Role role, ZabPhase phase) {
  MemberFacts facts;
  StatusAnswer status = status_of(role);
  status.phase = phase;
  facts.status.value = std::move(status);
  return facts;
}

TEST(StandingOf, AStatusTellsRoleAndPhase) {
  struct Row {
    Role role;
    ZabPhase phase;
    ServingState state;
    std::string reason;
  };
  Visit visit;
  visit.status_ok = true;
  visit.says_not_serving = true;  // Another surface said so; the status is richer.
  for (const Row& row : std::vector<Row>{
           {Role::kFollower, ZabPhase::kUnknown, ServingState::kServing, "serves as follower"},
           {Role::kLeader, ZabPhase::kBroadcast, ServingState::kServing, "serves as leader"},
           {Role::kUnknown, ZabPhase::kBroadcast, ServingState::kServing, "serves"},
           {Role::kStandalone, ZabPhase::kUnknown, ServingState::kServing, "serves as standalone"},
           {Role::kFollower, ZabPhase::kElection, ServingState::kLooking, "is in leader election"},
           {Role::kFollower, ZabPhase::kDiscovery, ServingState::kSyncing, "is in discovery with its leader"},
           {Role::kLeader, ZabPhase::kSynchronization, ServingState::kSyncing,
            "is in synchronization with its leader"},
           {Role::kReadOnly, ZabPhase::kElection, ServingState::kReadOnly,
            "serves read-only clients without a quorum"}}) {
    const Standing standing = standing_of(visit, told(row.role, row.phase), {});
    EXPECT_EQ(standing.state, row.state) << row.reason;
    EXPECT_EQ(standing.reason, row.reason);
    EXPECT_EQ(standing.role, row.role) << row.reason;
    EXPECT_EQ(standing.phase, row.phase) << row.reason;
  }
}

TEST(StandingOf, AServerThatSaysWhyItServesNobodyIsBelievedMoreThanItsStatus) {
  PollReport report;
  StatusAnswer status = status_of(Role::kStandalone);
  status.zxid = zxid_of(1, 5);
  report.probes.push_back(
      {.probe = Probe::kMntr, .state = SourceState::kOk, .detail = "", .duration = {}, .answer = status});
  ServerInternals inside;
  MemberFacts facts = told(Role::kStandalone, ZabPhase::kUnknown);
  facts.internals = report.internals = std::make_shared<ServerInternals>(inside);
  EXPECT_EQ(standing_of(visit_of(report), facts, {}).state, ServingState::kServing);
  EXPECT_TRUE(visit_of(report).role_at_zxid);

  inside.serves_nobody = "has no client port";
  facts.internals = report.internals = std::make_shared<ServerInternals>(inside);
  const Visit visit = visit_of(report);
  EXPECT_TRUE(visit.says_not_serving);
  EXPECT_FALSE(visit.status_ok);
  EXPECT_FALSE(visit.role_at_zxid) << "nobody is led by it";
  const Standing standing = standing_of(visit, facts, {});
  EXPECT_EQ(standing.state, ServingState::kNotServing);
  EXPECT_EQ(standing.reason, "has no client port");
  EXPECT_EQ(standing.role, Role::kUnknown);
}

TEST(StandingOf, NotServingIsReadByPhaseAndSurroundings) {
  struct Row {
    ZabPhase phase;
    bool somebody_leads, alone;
    ServingState state;
    std::string reason;
  };
  for (const Row& row : std::vector<Row>{
           {ZabPhase::kElection, true, true, ServingState::kLooking, "is in leader election"},
           {ZabPhase::kDiscovery, true, true, ServingState::kSyncing, "is in discovery with its leader"},
           {ZabPhase::kSynchronization, false, false, ServingState::kSyncing,
            "is in synchronization with its leader"},
           {ZabPhase::kBroadcast, false, false, ServingState::kLooking,
            "says that it is not serving, and nobody leads: it looks for a leader"},
           {ZabPhase::kUnknown, true, false, ServingState::kNotServing,
            "says that it is not serving, while another member leads"},
           {ZabPhase::kUnknown, true, true, ServingState::kNotServing, "says that it is not serving"},
           {ZabPhase::kUnknown, false, true, ServingState::kNotServing, "says that it is not serving"}}) {
    Visit visit;
    visit.says_not_serving = visit.process_answers = true;
    visit.zab_phase = row.phase;
    // A member that says it does not serve is believed more than its canary.
    const Standing standing =
        standing_of(visit, told(Role::kLeader, ZabPhase::kBroadcast),
                    {.canary_serves = true, .somebody_leads = row.somebody_leads, .alone = row.alone});
    EXPECT_EQ(standing.state, row.state) << row.reason;
    EXPECT_EQ(standing.reason, row.reason);
    EXPECT_EQ(standing.role, Role::kUnknown) << "the status is of an earlier visit";
  }
}

TEST(StandingOf, WithoutAWordTheCanaryDecidesAndThenWhetherTheProcessAnswers) {
  struct Row {
    bool canary_serves, process_answers;
    SourceState client_port;
    ServingState state;
    std::string reason;
  };
  for (const Row& row : std::vector<Row>{
           {true, false, SourceState::kTimedOut, ServingState::kServing,
            "serves the canary, though it does not answer in time"},
           {false, true, SourceState::kTimedOut, ServingState::kNotServing, "does not answer in time"},
           {false, false, SourceState::kClosed, ServingState::kNotServing, "does not answer in time"},
           {false, false, SourceState::kRefused, ServingState::kUnreachable, "does not answer in time"},
           {false, false, SourceState::kNotTried, ServingState::kUnreachable, "does not answer in time"}}) {
    Visit visit;
    visit.process_answers = row.process_answers;
    visit.client_port = row.client_port;
    visit.zab_phase = ZabPhase::kElection;  // It explains "not serving", which nobody said.
    visit.trouble = "does not answer in time";
    const Standing standing =
        standing_of(visit, told(Role::kLeader, ZabPhase::kBroadcast),
                    {.canary_serves = row.canary_serves, .somebody_leads = true, .alone = false});
    EXPECT_EQ(standing.state, row.state) << row.canary_serves << name(row.client_port);
    EXPECT_EQ(standing.reason, row.reason);
    EXPECT_EQ(standing.role, Role::kUnknown);
  }
}

class ServingStatesOverTime : public testing::Test {
 protected:
  /// A visit from `at` to 5 ms later that brings a status of this role, or one that brings nothing.
  void visit(std::size_t member, std::optional<Role> role, std::chrono::nanoseconds at) {
    Visit& visit = visits[member].emplace();
    visit.started = after(at);
    visit.finished = after(at + 5ms);
    visit.status_ok = role.has_value();
    visit.trouble = "refuses connections on its client port";
    if (role)
      learn(view.members[member], [&](MemberFacts& facts) {
        facts.status = {status_of(*role), visit.finished};
      });
  }
  void derive(std::chrono::nanoseconds now) {
    EventSink events = ear.at(after(now));
    states.derive(view, visits, spec, events);
  }

  EnsembleView view = ensemble_of(2);
  EnsembleSpec spec = EnsembleStory::spec(2, CanaryMode::kRead);
  Visits visits{2};
  ServingStates states{2};
  Ear ear;
};

TEST_F(ServingStatesOverTime, AVisitIsBelievedForItsFreshnessAndNoLonger) {
  visit(0, Role::kFollower, 0s);
  learn(view.members[0], [](MemberFacts& facts) { facts.zxid = {zxid_of(1, 5), after(5ms)}; });
  derive(4005ms);
  EXPECT_EQ(view.members[0].state, ServingState::kServing);
  EXPECT_EQ(view.members[0].zxid, zxid_of(1, 5));
  derive(4005ms + 1ns);
  EXPECT_EQ(view.members[0].state, ServingState::kUnreachable);
  EXPECT_EQ(view.members[0].state_reason, "no visit has finished for 4.0 s");
  EXPECT_EQ(view.members[0].role, Role::kUnknown);
  EXPECT_FALSE(view.members[0].zxid.has_value());
  EXPECT_EQ(view.members[0].state_since - after(4005ms), 1ns);
  ASSERT_EQ(ear.events.size(), 1U);
  EXPECT_EQ(ear.events[0].type, EventType::kMemberLost);
  EXPECT_EQ(view.members[1].state, ServingState::kServing) << "without a visit it stays as it was";
}

TEST_F(ServingStatesOverTime, AServerThatTellsOfItselfIsNotVisited) {
  visit(0, Role::kFollower, 0s);
  learn(view.members[0],
        [](MemberFacts& facts) { facts.internals = std::make_shared<const ServerInternals>(); });
  derive(5005ms);
  EXPECT_EQ(view.members[0].state, ServingState::kUnreachable);
  EXPECT_THAT(ear.texts(),
              testing::ElementsAre("zk1:2181 is lost: has not reported for 5.0 s, so its core thread hangs"));
}

TEST_F(ServingStatesOverTime, AZxidOfAnEarlierVisitIsBelievedForItsOwnFreshness) {
  learn(view.members[0], [](MemberFacts& facts) { facts.zxid = {zxid_of(1, 5), after(0s)}; });
  visit(0, Role::kFollower, 3s);
  derive(4s);
  EXPECT_EQ(view.members[0].zxid, zxid_of(1, 5));
  derive(4s + 1ns);
  EXPECT_FALSE(view.members[0].zxid.has_value());
  EXPECT_EQ(view.members[0].state, ServingState::kServing);
}

TEST_F(ServingStatesOverTime, OnlyASyncAfterTheNewestVisitBeganSpeaksForAMember) {
  struct Row {
    std::chrono::nanoseconds synced;
    ServingState expected;
  };
  visit(0, std::nullopt, 10s);
  visit(1, std::nullopt, 10s);
  for (const Row row : {Row{9s, ServingState::kUnreachable}, Row{10s, ServingState::kUnreachable},
                        Row{10s + 1ns, ServingState::kServing}}) {
    view.members[0].canary.last_sync_ok = after(row.synced);
    derive(11s);
    EXPECT_EQ(view.members[0].state, row.expected) << row.synced.count();
    EXPECT_EQ(view.members[1].state, ServingState::kUnreachable) << "it has no sync of its own";
  }
}

TEST_F(ServingStatesOverTime, TheFirstStateIsNoChange) {
  view.members[0].polls = 1;
  view.members[0].state = ServingState::kUnreachable;
  visit(0, Role::kFollower, 0s);
  derive(1s);
  EXPECT_EQ(view.members[0].state, ServingState::kServing);
  EXPECT_EQ(view.members[0].state_changes, 0U);
  EXPECT_TRUE(ear.events.empty());
  view.members[0].polls = 2;
  visit(0, std::nullopt, 2s);
  derive(3s);
  EXPECT_EQ(view.members[0].state_changes, 1U);
  EXPECT_THAT(ear.texts(), testing::ElementsAre("zk1:2181 is lost: refuses connections on its client port"));
}

TEST_F(ServingStatesOverTime, ChangesOfRoleAreToldAcrossAnOutageButNotOfReadOnlyService) {
  const std::vector<std::optional<Role>> roles{Role::kLeader,   Role::kUnknown,  std::nullopt,
                                               Role::kReadOnly, Role::kFollower, Role::kFollower};
  std::chrono::seconds now = 0s;
  for (const auto& role : roles) {
    visit(0, role, now);
    derive(now + 10ms);
    now += 1s;
  }
  std::vector<std::string> changes;
  for (const Event& event : ear.events)
    if (event.type == EventType::kRoleChanged) changes.push_back(event.text);
  EXPECT_THAT(changes, testing::ElementsAre("zk1:2181 went from leader to follower"));
}

TEST_F(ServingStatesOverTime, ALeaderThatIsNoLongerFreshDoesNotExplainNotServing) {
  visit(1, Role::kLeader, 0s);
  using Row = std::pair<std::chrono::nanoseconds, ServingState>;
  for (const auto& [now, expected] :
       {Row{4005ms, ServingState::kNotServing}, Row{4005ms + 1ns, ServingState::kLooking}}) {
    visit(0, std::nullopt, now - 5ms);
    visits[0]->says_not_serving = true;
    derive(now);
    EXPECT_EQ(view.members[0].state, expected) << now.count();
  }
}

TEST_F(ServingStatesOverTime, AnOnlyMemberIsAloneUnlessTheMembershipHasMoreVoters) {
  view = ensemble_of(1);
  visits = Visits(1);
  spec = EnsembleStory::spec(1, CanaryMode::kOff);
  states = ServingStates(1);
  visit(0, std::nullopt, 0s);
  visits[0]->says_not_serving = true;
  derive(1s);
  EXPECT_EQ(view.members[0].state, ServingState::kNotServing);
  view.voters = 3;
  derive(1s);
  EXPECT_EQ(view.members[0].state, ServingState::kLooking);
}

}  // namespace
}  // namespace wk::exporter
