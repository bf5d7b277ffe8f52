// The order of questions, played against members described by what each of their sources answers.
#include "exporter/poll/source_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace wk::exporter {

/// How GoogleTest shows a state in the names of tests.
void PrintTo(SourceState state, std::ostream* out) { *out << name(state); }

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using Script = std::map<Probe, ProbeOutcome>;

constexpr ProbeOutcome kGood{};
constexpr ProbeOutcome kForbidden{.state = SourceState::kNotWhitelisted};
constexpr ProbeOutcome kIdle{.state = SourceState::kNotServing};
constexpr ProbeOutcome kHung{.state = SourceState::kTimedOut, .connected = true};
constexpr ProbeOutcome kNobody{.state = SourceState::kRefused, .connected = false};
constexpr ProbeOutcome kHttp500{.state = SourceState::kHttpError};

/// A member that answers as scripted (kGood where nothing is said), and what the visits asked it.
class Play {
 public:
  explicit Play(Surfaces surfaces = {}) : surfaces_(surfaces) {}

  /// Probe names in the order asked, with the state where it is not ok.
  std::vector<std::string> visit(const Script& script, seconds at = seconds{0}, bool detail = false) {
    const auto now = std::chrono::steady_clock::time_point{} + std::chrono::hours{1} + at;
    VisitPlan plan(surfaces_, memory_, now, detail);
    std::vector<std::string> asked;
    while (const auto probe = plan.next()) {
      const auto found = script.find(*probe);
      const ProbeOutcome outcome = found == script.end() ? kGood : found->second;
      asked.push_back(outcome.state == SourceState::kOk
                          ? name(*probe)
                          : std::string(name(*probe)) + ":" + name(outcome.state));
      plan.answered(outcome);
      if (asked.size() > kProbeCount) {
        ADD_FAILURE() << "a visit without end";
        break;
      }
    }
    memory_ = plan.memory();
    return asked;
  }

  /// Brings the member to the state after a first visit in which it served, so that later visits are routine.
  Play& settled(const Script& script = {}) {
    visit(script);
    return *this;
  }
  [[nodiscard]] Condition condition() const { return memory_.condition; }

 private:
  Surfaces surfaces_;
  SourceMemory memory_;
};

constexpr Surfaces kAll{.admin = true, .prometheus = true};

TEST(VisitPlan, FirstVisitToAServingMemberAsksForDetail) {
  Play play;
  EXPECT_THAT(play.visit({}),
              ElementsAre("mntr", "srvr", "ruok", "isro", "conf", "cons", "dirs", "wchs", "hash"));
  EXPECT_EQ(play.condition(), Condition::kServing);
}

TEST(VisitPlan, RoutineVisitAsksMntrAndSrvr) {
  EXPECT_THAT(Play().settled().visit({}, seconds{1}), ElementsAre("mntr", "srvr"));
}

TEST(VisitPlan, RoutineVisitLeavesHttpSurfacesAloneWhileMntrTells) {
  EXPECT_THAT(Play(kAll).settled().visit({}, seconds{1}), ElementsAre("mntr", "srvr"));
}

TEST(VisitPlan, DetailVisitAsksEveryWordOnce) {
  EXPECT_THAT(Play(kAll).settled().visit({}, seconds{1}, true),
              ElementsAre("mntr", "srvr", "ruok", "isro", "conf", "cons", "dirs", "wchs", "hash"));
}

TEST(VisitPlan, ForbiddenMntrGoesOnToAdminServerInTheSameVisit) {
  EXPECT_THAT(Play(kAll).settled().visit({{Probe::kMntr, kForbidden}}, seconds{1}),
              ElementsAre("mntr:not_whitelisted", "admin_monitor", "srvr"));
}

TEST(VisitPlan, ForbiddenMntrAndAdminErrorGoOnToPrometheus) {
  EXPECT_THAT(
      Play(kAll).settled().visit({{Probe::kMntr, kForbidden}, {Probe::kAdminMonitor, kHttp500}}, seconds{1}),
      ElementsAre("mntr:not_whitelisted", "admin_monitor:http_error", "prometheus", "srvr"));
}

TEST(VisitPlan, EverySurfaceFailingLeavesSrvr) {
  Play play(kAll);
  const Script script{
      {Probe::kMntr, kForbidden}, {Probe::kAdminMonitor, kHttp500}, {Probe::kPrometheus, kHttp500}};
  play.settled();
  EXPECT_THAT(play.visit(script, seconds{1}), ElementsAre("mntr:not_whitelisted", "admin_monitor:http_error",
                                                          "prometheus:http_error", "srvr"));
  EXPECT_EQ(play.condition(), Condition::kServing);
}

class EachUselessState : public ::testing::TestWithParam<SourceState> {};

TEST_P(EachUselessState, RestsTheSourceForAMinute) {
  Play play(kAll);
  const Script script{{Probe::kMntr, {.state = GetParam()}}};
  play.settled().visit(script, seconds{1});
  EXPECT_THAT(play.visit(script, seconds{2}), ElementsAre("admin_monitor", "srvr"));
  EXPECT_THAT(play.visit(script, seconds{60}), ElementsAre("admin_monitor", "srvr"));
  EXPECT_THAT(play.visit({}, seconds{61}), ElementsAre("mntr", "srvr"));
  EXPECT_THAT(play.visit({}, seconds{62}), ElementsAre("mntr", "srvr"));
}
INSTANTIATE_TEST_SUITE_P(VisitPlan, EachUselessState,
                         ::testing::Values(SourceState::kNotWhitelisted, SourceState::kMalformed,
                                           SourceState::kTooLarge, SourceState::kHttpError),
                         [](const auto& instance) { return std::string(name(instance.param)); });

class EachPassingState : public ::testing::TestWithParam<SourceState> {};

TEST_P(EachPassingState, GoesOnInTheSameVisitAndAsksAgainInTheNext) {
  Play play(kAll);
  const Script script{{Probe::kMntr, {.state = GetParam()}}};
  const std::string mntr = std::string("mntr:") + name(GetParam());
  EXPECT_THAT(play.settled().visit(script, seconds{1}), ElementsAre(mntr, "admin_monitor", "srvr"));
  EXPECT_THAT(play.visit(script, seconds{2}), ElementsAre(mntr, "admin_monitor", "srvr"));
}
INSTANTIATE_TEST_SUITE_P(VisitPlan, EachPassingState,
                         ::testing::Values(SourceState::kTimedOut, SourceState::kClosed,
                                           SourceState::kTruncated),
                         [](const auto& instance) { return std::string(name(instance.param)); });

class EachConnectFailure : public ::testing::TestWithParam<SourceState> {};

TEST_P(EachConnectFailure, OfTheClientPortEndsTheWordsButNotHttp) {
  const ProbeOutcome failure{.state = GetParam(), .connected = false};
  const std::string state = name(GetParam());
  EXPECT_THAT(Play().settled().visit({{Probe::kMntr, failure}}, seconds{1}), ElementsAre("mntr:" + state));
  EXPECT_THAT(Play(kAll).settled().visit({{Probe::kMntr, failure}}, seconds{1}),
              ElementsAre("mntr:" + state, "admin_monitor", "admin_server_stats"));
}

TEST_P(EachConnectFailure, OfTheAdminServerRestsAllItsCommands) {
  Play play({.admin = true, .prometheus = false});
  const Script script{{Probe::kMntr, kForbidden}, {Probe::kAdminMonitor, {GetParam(), false}}};
  EXPECT_THAT(play.settled().visit(script, seconds{1}),
              ElementsAre("mntr:not_whitelisted", std::string("admin_monitor:") + name(GetParam()), "srvr"));
  EXPECT_THAT(play.visit(script, seconds{2}), ElementsAre("srvr"));
  EXPECT_THAT(play.visit(script, seconds{61}),
              ElementsAre("mntr:not_whitelisted", std::string("admin_monitor:") + name(GetParam()), "srvr"));
}
INSTANTIATE_TEST_SUITE_P(VisitPlan, EachConnectFailure,
                         ::testing::Values(SourceState::kUnresolved, SourceState::kRefused,
                                           SourceState::kUnreachable, SourceState::kTimedOut,
                                           SourceState::kTlsFailure),
                         [](const auto& instance) { return std::string(name(instance.param)); });

TEST(VisitPlan, HungMntrLeavesSrvrItsChance) {
  EXPECT_THAT(Play().settled().visit({{Probe::kMntr, kHung}}, seconds{1}),
              ElementsAre("mntr:timed_out", "srvr"));
}

TEST(VisitPlan, SecondHungWordEndsTheClientPort) {
  Play play;
  play.settled();
  EXPECT_THAT(play.visit({{Probe::kMntr, kHung}, {Probe::kSrvr, kHung}}, seconds{1}),
              ElementsAre("mntr:timed_out", "srvr:timed_out"));
  EXPECT_EQ(play.condition(), Condition::kSilent);
}

TEST(VisitPlan, StoppedProcessIsStillAskedOverHttp) {
  const Script script{{Probe::kMntr, kHung},
                      {Probe::kSrvr, kHung},
                      {Probe::kAdminMonitor, kHung},
                      {Probe::kPrometheus, kHung}};
  EXPECT_THAT(
      Play(kAll).settled().visit(script, seconds{1}),
      ElementsAre("mntr:timed_out", "admin_monitor:timed_out", "prometheus:timed_out", "srvr:timed_out"));
}

TEST(VisitPlan, HungDetailWordsEndTheDetail) {
  EXPECT_THAT(Play().settled().visit({{Probe::kConf, kHung}, {Probe::kCons, kHung}}, seconds{1}, true),
              ElementsAre("mntr", "srvr", "ruok", "isro", "conf:timed_out", "cons:timed_out"));
}

TEST(VisitPlan, SilentMemberIsAskedRuok) {
  const Script script{{Probe::kMntr, {.state = SourceState::kClosed}},
                      {Probe::kSrvr, {.state = SourceState::kClosed}}};
  EXPECT_THAT(Play().settled().visit(script, seconds{1}), ElementsAre("mntr:closed", "srvr:closed", "ruok"));
}

TEST(VisitPlan, NotServingMemberIsAskedSrvrAndRuokButNoDetail) {
  Play play;
  play.settled();
  EXPECT_THAT(play.visit({{Probe::kMntr, kIdle}, {Probe::kSrvr, kIdle}}, seconds{1}, true),
              ElementsAre("mntr:not_serving", "srvr:not_serving", "ruok"));
  EXPECT_EQ(play.condition(), Condition::kNotServing);
}

TEST(VisitPlan, NotServingMemberIsAskedZabstateEveryTime) {
  Play play(kAll);
  const Script script{{Probe::kMntr, kIdle}, {Probe::kSrvr, kIdle}};
  play.settled();
  for (const int at : {1, 2, 3})
    EXPECT_THAT(play.visit(script, seconds{at}),
                ElementsAre("mntr:not_serving", "srvr:not_serving", "admin_zabstate", "ruok"));
}

TEST(VisitPlan, SrvrNotServingOverrulesAPrometheusEndpointThatStillAnswers) {
  Play play({.admin = true, .prometheus = true});
  const Script script{{Probe::kMntr, kForbidden},
                      {Probe::kAdminMonitor, kHttp500},
                      {Probe::kSrvr, kIdle},
                      {Probe::kRuok, kForbidden}};
  play.settled();
  EXPECT_THAT(play.visit(script, seconds{1}),
              ElementsAre("mntr:not_whitelisted", "admin_monitor:http_error", "prometheus",
                          "srvr:not_serving", "admin_zabstate", "ruok:not_whitelisted"));
  EXPECT_EQ(play.condition(), Condition::kNotServing);
}

TEST(VisitPlan, StatusOfAMemberThatDoesNotServeCountsAsNotServing) {
  Play play({.admin = false, .prometheus = true});
  play.settled();
  EXPECT_THAT(play.visit({{Probe::kMntr, kNobody},
                          {Probe::kPrometheus, {.state = SourceState::kOk, .serving = false}}},
                         seconds{1}),
              ElementsAre("mntr:refused", "prometheus"));
  EXPECT_EQ(play.condition(), Condition::kNotServing);
}

TEST(VisitPlan, ServerStatsStandInForSrvr) {
  EXPECT_THAT(Play(kAll).settled().visit({{Probe::kSrvr, {.state = SourceState::kClosed}}}, seconds{1}),
              ElementsAre("mntr", "srvr:closed", "admin_server_stats"));
}

TEST(VisitPlan, ForbiddenDetailFallsBackToAdminServerAndIsRemembered) {
  Play play(kAll);
  const Script script{{Probe::kConf, kForbidden}, {Probe::kCons, kForbidden}, {Probe::kDirs, kForbidden},
                      {Probe::kWchs, kForbidden}, {Probe::kHash, kForbidden}, {Probe::kIsro, kForbidden},
                      {Probe::kRuok, kForbidden}};
  EXPECT_THAT(
      play.visit(script),
      ElementsAre("mntr", "srvr", "ruok:not_whitelisted", "isro:not_whitelisted", "conf:not_whitelisted",
                  "admin_configuration", "admin_voting_view", "cons:not_whitelisted", "admin_connections",
                  "dirs:not_whitelisted", "admin_dirs", "wchs:not_whitelisted", "admin_watch_summary",
                  "hash:not_whitelisted", "admin_hash"));
  EXPECT_THAT(play.visit(script, seconds{10}, true),
              ElementsAre("mntr", "srvr", "admin_configuration", "admin_voting_view", "admin_connections",
                          "admin_dirs", "admin_watch_summary", "admin_hash"));
  EXPECT_THAT(play.visit({}, seconds{70}, true),
              ElementsAre("mntr", "srvr", "ruok", "isro", "conf", "cons", "dirs", "wchs", "hash"));
}

TEST(VisitPlan, ForbiddenDetailWithoutAdminServerIsAskedOnceAMinute) {
  Play play;
  const Script script{{Probe::kConf, kForbidden}, {Probe::kCons, kForbidden}, {Probe::kHash, kForbidden}};
  play.visit(script);
  EXPECT_THAT(play.visit(script, seconds{10}, true),
              ElementsAre("mntr", "srvr", "ruok", "isro", "dirs", "wchs"));
}

TEST(VisitPlan, BlockedClientPortStillYieldsDetailFromAdminServer) {
  EXPECT_THAT(Play(kAll).settled().visit({{Probe::kMntr, kNobody}}, seconds{1}, true),
              ElementsAre("mntr:refused", "admin_monitor", "admin_server_stats", "admin_configuration",
                          "admin_voting_view", "admin_connections", "admin_dirs", "admin_watch_summary",
                          "admin_hash"));
}

TEST(VisitPlan, RestingSourcesAreAskedWhenNothingElseAnswers) {
  Play play({.admin = false, .prometheus = true});
  const Script mute{{Probe::kMntr, kForbidden}, {Probe::kPrometheus, kHttp500}};
  play.settled(mute);
  ASSERT_THAT(play.visit(mute, seconds{1}), ElementsAre("srvr"));
  EXPECT_THAT(play.visit({{Probe::kSrvr, kNobody}}, seconds{2}), ElementsAre("srvr:refused", "prometheus"));
}

TEST(VisitPlan, MemberThatComesBackIsAskedEverythingAgain) {
  Play play;
  const Script forbidden{{Probe::kMntr, kForbidden}};
  play.settled(forbidden);
  ASSERT_THAT(play.visit(forbidden, seconds{1}), ElementsAre("srvr"));
  ASSERT_THAT(play.visit({{Probe::kSrvr, kNobody}}, seconds{2}), ElementsAre("srvr:refused"));
  EXPECT_THAT(play.visit({}, seconds{3}),
              ElementsAre("srvr", "ruok", "isro", "conf", "cons", "dirs", "wchs", "hash"));
  EXPECT_THAT(play.visit({}, seconds{4}), ElementsAre("mntr", "srvr"));
}

TEST(VisitPlan, MemberThatFindsItsQuorumIsAskedForDetail) {
  Play play;
  play.settled().visit({{Probe::kMntr, kIdle}, {Probe::kSrvr, kIdle}}, seconds{1});
  EXPECT_THAT(play.visit({}, seconds{2}),
              ElementsAre("mntr", "srvr", "ruok", "isro", "conf", "cons", "dirs", "wchs", "hash"));
}

TEST(VisitPlan, AdminServerRestsNoLongerOnceTheProcessIsBack) {
  Play play({.admin = true, .prometheus = false});
  play.settled().visit({{Probe::kMntr, kNobody}, {Probe::kAdminMonitor, kNobody}}, seconds{1});
  EXPECT_THAT(play.visit({{Probe::kMntr, kIdle}, {Probe::kSrvr, kIdle}}, seconds{2}),
              ElementsAre("mntr:not_serving", "srvr:not_serving", "admin_zabstate", "ruok"));
}

TEST(VisitPlan, OthersFollowUntilTheLastQuestion) {
  VisitPlan plan({}, {}, {}, false);
  EXPECT_TRUE(plan.others_follow());  // mntr: srvr follows
  plan.answered({.state = SourceState::kTimedOut});
  ASSERT_EQ(plan.next(), Probe::kSrvr);
  EXPECT_FALSE(plan.others_follow());  // a second word that hangs ends the visit
}

TEST(VisitPlan, MemoryOfAnInterruptedVisitIsSilence) {
  SourceMemory memory;
  memory.condition = Condition::kServing;
  const VisitPlan plan({}, memory, {}, false);
  EXPECT_EQ(plan.memory().condition, Condition::kSilent);
}

// Every combination of answers of the four status sources ends, asks nothing twice, and asks srvr unless the
// client port is gone.
TEST(VisitPlan, EveryCombinationOfAnswersEndsAndNeverRepeats) {
  const std::vector<ProbeOutcome> outcomes{kGood,
                                           kForbidden,
                                           kIdle,
                                           kHung,
                                           kNobody,
                                           kHttp500,
                                           {.state = SourceState::kOk, .serving = false},
                                           {.state = SourceState::kClosed},
                                           {.state = SourceState::kTlsFailure, .connected = false}};
  for (const auto& mntr : outcomes)
    for (const auto& monitor : outcomes)
      for (const auto& prometheus : outcomes)
        for (const auto& srvr : outcomes) {
          Play play(kAll);
          const Script script{{Probe::kMntr, mntr},
                              {Probe::kAdminMonitor, monitor},
                              {Probe::kPrometheus, prometheus},
                              {Probe::kSrvr, srvr}};
          const auto asked = play.visit(script, seconds{0}, true);
          std::map<std::string, int> times;
          for (const std::string& entry : asked) ++times[entry.substr(0, entry.find(':'))];
          for (const auto& [probe, count] : times) ASSERT_EQ(count, 1) << probe;
          ASSERT_EQ(asked.front().substr(0, 4), "mntr");
          ASSERT_EQ(times.count("srvr"), mntr.connected ? 1U : 0U);
          const bool idle = (mntr.connected && srvr.state == SourceState::kNotServing) ||
                            mntr.state == SourceState::kNotServing;
          if (idle) {
            ASSERT_EQ(play.condition(), Condition::kNotServing);
          }
        }
}

TEST(StepBudget, LeavesAThirdToWhatFollows) {
  EXPECT_EQ(step_budget(milliseconds{900}, true), milliseconds{600});
  EXPECT_EQ(step_budget(milliseconds{900}, false), milliseconds{900});
}

}  // namespace
}  // namespace wk::exporter
