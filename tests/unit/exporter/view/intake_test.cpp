#include "exporter/view/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

ProbeReport asked(Probe probe, SourceState state, std::string detail = "") {
  return {.probe = probe, .state = state, .detail = std::move(detail), .duration = 2ms, .answer = {}};
}

ProbeReport told(Probe probe, Answer answer) {
  return {
      .probe = probe, .state = SourceState::kOk, .detail = {}, .duration = 2ms, .answer = std::move(answer)};
}

/// A visit of 5 ms that began at `started`.
PollReport report_of(std::chrono::nanoseconds started, std::vector<ProbeReport> probes) {
  PollReport report;
  report.started = after(started);
  report.finished = after(started + 5ms);
  report.probes = std::move(probes);
  return report;
}

TEST(VisitOf, EveryOutcomeHasItsWordsAndShowsWhetherTheProcessAnswers) {
  struct Row {
    SourceState state;
    bool answers, says_not_serving;
    std::string trouble;
  };
  const std::vector<Row> rows{
      {SourceState::kOk, true, false, ""},
      {SourceState::kNotTried, false, false, ""},
      {SourceState::kUnresolved, false, false, "its host name does not resolve"},
      {SourceState::kRefused, false, false, "refuses connections on its client port"},
      {SourceState::kUnreachable, false, false, "there is no route to it"},
      {SourceState::kTimedOut, false, false, "does not answer in time"},
      {SourceState::kTlsFailure, false, false, "TLS to its client port fails (expired)"},
      {SourceState::kClosed, false, false, "closes connections on its client port without an answer"},
      {SourceState::kNotWhitelisted, true, false, "does not allow the word srvr"},
      {SourceState::kNotServing, true, true, "says that it is not serving"},
      {SourceState::kTruncated, true, false, "its answer to srvr ends in the middle"},
      {SourceState::kTooLarge, true, false, "its answer to srvr is too large"},
      {SourceState::kMalformed, true, false, "its answer to srvr is not ZooKeeper's"},
      {SourceState::kHttpError, true, false, "srvr answers with an HTTP error"}};
  ASSERT_EQ(rows.size(), kSourceStateCount);
  for (const Row& row : rows) {
    const Visit visit = visit_of(report_of(1s, {asked(Probe::kSrvr, row.state, "expired")}));
    EXPECT_EQ(visit.process_answers, row.answers) << name(row.state);
    EXPECT_EQ(visit.says_not_serving, row.says_not_serving) << name(row.state);
    EXPECT_EQ(visit.trouble, row.trouble);
    EXPECT_EQ(visit.client_port, row.state);
    EXPECT_FALSE(visit.status_ok) << "no answer is attached";
    EXPECT_EQ(visit.started - after(0s), 1s);
    EXPECT_EQ(visit.finished - after(0s), 1005ms);
  }
}

TEST(VisitOf, TheFirstTroubleCountsAndTheClientPortIsJudgedByItsOwnFirstAnswer) {
  const Visit visit = visit_of(report_of(
      0s, {asked(Probe::kAdminMonitor, SourceState::kHttpError), asked(Probe::kMntr, SourceState::kNotTried),
           asked(Probe::kSrvr, SourceState::kTimedOut), asked(Probe::kRuok, SourceState::kRefused)}));
  EXPECT_EQ(visit.trouble, "admin_monitor answers with an HTTP error");
  EXPECT_EQ(visit.client_port, SourceState::kTimedOut);
  EXPECT_TRUE(visit.process_answers);
}

TEST(VisitOf, HttpSurfacesSayNothingOfTheClientPort) {
  for (const Probe probe :
       {Probe::kAdminMonitor, Probe::kPrometheus, Probe::kAdminConfiguration, Probe::kAdminVotingView,
        Probe::kAdminConnections, Probe::kAdminZabstate, Probe::kAdminDirs, Probe::kAdminWatchSummary,
        Probe::kAdminHash, Probe::kAdminServerStats})
    EXPECT_EQ(visit_of(report_of(0s, {asked(probe, SourceState::kRefused)})).client_port,
              SourceState::kNotTried)
        << name(probe);
  for (const Probe probe : {Probe::kMntr, Probe::kSrvr, Probe::kRuok, Probe::kIsro, Probe::kConf,
                            Probe::kCons, Probe::kDirs, Probe::kWchs, Probe::kHash})
    EXPECT_EQ(visit_of(report_of(0s, {asked(probe, SourceState::kRefused)})).client_port,
              SourceState::kRefused)
        << name(probe);
}

TEST(VisitOf, RoleAndZxidAreOfOneAnswerAndTheLastSuchAnswerWins) {
  StatusAnswer without_zxid = status_of(Role::kLeader);
  StatusAnswer without_role = status_of(Role::kUnknown);
  without_role.zxid = zxid_of(9, 9);
  Visit visit = visit_of(
      report_of(0s, {told(Probe::kMntr, without_zxid), told(Probe::kAdminServerStats, without_role)}));
  EXPECT_TRUE(visit.status_ok);
  EXPECT_FALSE(visit.role_at_zxid.has_value());

  StatusAnswer first = status_of(Role::kLeader), second = status_of(Role::kFollower);
  first.zxid = zxid_of(1, 1);
  second.zxid = zxid_of(2, 2);
  visit = visit_of(report_of(0s, {told(Probe::kSrvr, first), told(Probe::kAdminServerStats, second),
                                  told(Probe::kMntr, without_zxid)}));
  ASSERT_TRUE(visit.role_at_zxid.has_value());
  EXPECT_EQ(visit.role_at_zxid->role, Role::kFollower);
  EXPECT_EQ(visit.role_at_zxid->zxid, zxid_of(2, 2));
}

TEST(VisitOf, NotServingAfterAStatusOutlastsIt) {
  StatusAnswer status = status_of(Role::kFollower);
  status.zxid = zxid_of(1, 1);
  Visit visit =
      visit_of(report_of(0s, {told(Probe::kMntr, status), asked(Probe::kSrvr, SourceState::kNotServing)}));
  EXPECT_FALSE(visit.status_ok);
  EXPECT_FALSE(visit.role_at_zxid.has_value());
  EXPECT_TRUE(visit.says_not_serving);
  visit = visit_of(
      report_of(0s, {told(Probe::kMntr, status), asked(Probe::kAdminConnections, SourceState::kNotServing)}));
  EXPECT_TRUE(visit.status_ok) << "only a source of the status tells";
}

TEST(VisitOf, ZabstateTellsThePhaseAndIsNoStatus) {
  ZabAnswer zab;
  zab.phase = ZabPhase::kDiscovery;
  const Visit visit = visit_of(
      report_of(0s, {asked(Probe::kMntr, SourceState::kNotServing), told(Probe::kAdminZabstate, zab)}));
  EXPECT_EQ(visit.zab_phase, ZabPhase::kDiscovery);
  EXPECT_FALSE(visit.status_ok);
  EXPECT_TRUE(visit.says_not_serving);
}

TEST(Learned, ASecondStatusOfOneVisitFillsGapsAndReplacesNothing) {
  StatusAnswer rich = status_of(Role::kUnknown, {{"packets_received", 7}});
  rich.zxid = zxid_of(1, 1);
  StatusAnswer brief = status_of(Role::kFollower, {{"packets_received", 8}});
  brief.version = "3.9.5";
  brief.implementation = Implementation::kApache;
  brief.zxid = zxid_of(1, 2);
  StatusAnswer third = status_of(Role::kLeader);
  third.version = "3.4.6";
  third.implementation = Implementation::kWatchkeeper;
  const MemberFacts facts = learned({},
                                    report_of(1s, {told(Probe::kPrometheus, rich), told(Probe::kSrvr, brief),
                                                   told(Probe::kAdminServerStats, third)}),
                                    10s);
  ASSERT_TRUE(facts.status.value.has_value());
  EXPECT_EQ(facts.status.at - after(1s), 5ms);
  EXPECT_EQ(facts.status_probe, Probe::kPrometheus);
  EXPECT_EQ(facts.status.value->number("packets_received"), 7);
  EXPECT_EQ(facts.status.value->role, Role::kFollower);
  EXPECT_EQ(facts.status.value->version, "3.9.5");
  EXPECT_EQ(facts.status.value->implementation, Implementation::kApache);
  EXPECT_EQ(facts.status.value->zxid, zxid_of(1, 1));
  EXPECT_EQ(facts.zxid.value, zxid_of(1, 2)) << "the newest zxid, whichever answer told it";
}

TEST(Learned, ARoleThatIsSaidReplacesOneThatPrometheusTextImplies) {
  const auto role_after = [](Probe first, Role implied) {
    const MemberFacts facts =
        learned({},
                report_of(1s, {told(first, status_of(implied)), told(Probe::kSrvr, status_of(Role::kUnknown)),
                               told(Probe::kSrvr, status_of(Role::kReadOnly)),
                               told(Probe::kAdminServerStats, status_of(Role::kLeader))}),
                10s);
    return facts.status.value->role;
  };
  EXPECT_EQ(role_after(Probe::kPrometheus, Role::kStandalone), Role::kReadOnly);
  EXPECT_EQ(role_after(Probe::kMntr, Role::kStandalone), Role::kStandalone);
}

TEST(Learned, AStatusReplacesTheOneOfAnEarlierVisitWhollyButLeavesTheZxidIfItTellsNone) {
  StatusAnswer old = status_of(Role::kLeader, {{"packets_received", 7}});
  old.version = "3.9.5";
  old.zxid = zxid_of(1, 1);
  MemberFacts facts = learned({}, report_of(0s, {told(Probe::kSrvr, old)}), 10s);
  facts = learned(std::move(facts), report_of(1s, {told(Probe::kMntr, status_of(Role::kUnknown))}), 10s);
  EXPECT_EQ(facts.status.value->role, Role::kUnknown);
  EXPECT_EQ(facts.status.value->version, "");
  EXPECT_FALSE(facts.status.value->number("packets_received").has_value());
  EXPECT_EQ(facts.status_probe, Probe::kMntr);
  EXPECT_EQ(facts.zxid.value, zxid_of(1, 1));
  EXPECT_EQ(facts.zxid.at - after(0s), 5ms);
}

TEST(Learned, SuccessiveStatusesShareWhatDidNotChange) {
  const auto status_with = [](double packets, double flushes) {
    StatusAnswer status = status_of(Role::kLeader, {{"packets_received", packets}});
    for (const auto& [metric, count] : {std::pair("fsynctime", flushes), std::pair("snapshottime", 2.0)}) {
      SummaryValue summary;
      summary.count = count;
      status.measurements.emplace_back(find_zk_metric(metric), "", summary);
    }
    std::ranges::sort(status.measurements, {}, &Measurement::metric);
    return status;
  };
  const MemberFacts first = learned({}, report_of(0s, {told(Probe::kMntr, status_with(7, 1))}), 10s);
  const MemberFacts second = learned(first, report_of(1s, {told(Probe::kMntr, status_with(8, 3))}), 10s);
  EXPECT_EQ(second.status.value->number("packets_received"), 8);
  EXPECT_EQ(second.status.value->summary("fsynctime")->count, 3);
  EXPECT_EQ(first.status.value->summary("fsynctime")->count, 1);
  EXPECT_EQ(second.status.value->summary("snapshottime"), first.status.value->summary("snapshottime"));
}

TEST(Learned, WhatFailedTakesNothingAway) {
  MemberFacts facts = learned({}, report_of(0s, {told(Probe::kMntr, status_of(Role::kLeader))}), 10s);
  ProbeReport failed = told(Probe::kMntr, status_of(Role::kFollower));
  failed.state = SourceState::kTruncated;
  facts = learned(std::move(facts), report_of(1s, {failed}), 10s);
  EXPECT_EQ(facts.status.value->role, Role::kLeader);
  EXPECT_EQ(facts.status.at - after(0s), 5ms);
}

TEST(Learned, TheZxidOfZabstateGivesWayToOneOfTheSameVisit) {
  StatusAnswer status = status_of(Role::kFollower);
  status.zxid = zxid_of(2, 8);
  ZabAnswer zab;
  zab.last_zxid = zxid_of(2, 7);
  MemberFacts facts =
      learned({}, report_of(0s, {told(Probe::kSrvr, status), told(Probe::kAdminZabstate, zab)}), 10s);
  EXPECT_EQ(facts.zxid.value, zxid_of(2, 8));
  EXPECT_FALSE(facts.zxid_before.value.has_value());
  facts = learned(std::move(facts), report_of(1s, {told(Probe::kAdminZabstate, zab)}), 10s);
  EXPECT_EQ(facts.zxid.value, zxid_of(2, 7));
  EXPECT_EQ(facts.zxid_before.value, zxid_of(2, 8));
  EXPECT_EQ(facts.zxid_before.at - after(0s), 5ms);
  EXPECT_EQ(facts.zxid.at - after(1s), 5ms);
  facts = learned(std::move(facts), report_of(2s, {told(Probe::kAdminZabstate, ZabAnswer{})}), 10s);
  EXPECT_EQ(facts.zxid.value, zxid_of(2, 7));
  EXPECT_EQ(facts.zxid.at - after(1s), 5ms);
  EXPECT_EQ(facts.zxid_before.value, zxid_of(2, 8)) << "nothing was told since";
  EXPECT_EQ(facts.zab.at - after(2s), 5ms);
}

TEST(Learned, AConfigurationFillsTheGapsOfANewerOneForThreeDetailIntervals) {
  ConfigurationAnswer whole;
  whole.entries = {{"tickTime", "2000"}};
  whole.server_id = ServerId{3};
  whole.membership = {{ServerId{3}, "zk3", 2888, 3888, true, "zk3:2181"}};
  whole.membership_version = 0x100000000;
  const MemberFacts known = learned({}, report_of(0s, {told(Probe::kConf, whole)}), 10s);

  MemberFacts facts =
      learned(known, report_of(30s - 1ns, {told(Probe::kAdminVotingView, ConfigurationAnswer{})}), 10s);
  EXPECT_EQ(facts.configuration.at - after(30s), 5ms - 1ns);
  EXPECT_EQ(facts.configuration.value->entry_number("tickTime"), 2000);
  EXPECT_EQ(facts.configuration.value->server_id, ServerId{3});
  EXPECT_EQ(facts.configuration.value->membership.size(), 1U);
  EXPECT_EQ(facts.configuration.value->membership_version, 0x100000000U);

  facts = learned(known, report_of(30s + 1ns, {told(Probe::kAdminVotingView, ConfigurationAnswer{})}), 10s);
  EXPECT_TRUE(facts.configuration.value->entries.empty());
  EXPECT_FALSE(facts.configuration.value->server_id.has_value());
  EXPECT_TRUE(facts.configuration.value->membership.empty());
  EXPECT_FALSE(facts.configuration.value->membership_version.has_value());

  ConfigurationAnswer newer = whole;
  newer.entries = {{"tickTime", "3000"}};
  newer.server_id = ServerId{4};
  newer.membership[0].host = "zk4";
  newer.membership_version = 7;
  facts = learned(known, report_of(10s, {told(Probe::kConf, newer)}), 10s);
  EXPECT_EQ(facts.configuration.value->entry_number("tickTime"), 3000);
  EXPECT_EQ(facts.configuration.value->server_id, ServerId{4});
  EXPECT_EQ(facts.configuration.value->membership.at(0).host, "zk4");
  EXPECT_EQ(facts.configuration.value->membership_version, 7U);
}

TEST(Learned, APartOfTheConfigurationToldOnceEndsThoughOthersAreToldOn) {
  ConfigurationAnswer once, again;
  once.entries = {{"tickTime", "2000"}};
  once.server_id = ServerId{3};
  once.membership_version = 7;
  again.membership = {{ServerId{3}, "zk3", 2888, 3888, true, "zk3:2181"}};
  MemberFacts facts = learned({}, report_of(0s, {told(Probe::kAdminConfiguration, once)}), 10s);
  for (const auto started : {10s, 20s, 30s}) {
    facts = learned(std::move(facts), report_of(started, {told(Probe::kAdminVotingView, again)}), 10s);
    EXPECT_EQ(facts.configuration.value->entry_number("tickTime"), 2000);
    EXPECT_EQ(facts.configuration.value->server_id, ServerId{3});
    EXPECT_EQ(facts.configuration.value->membership_version, 7U);
  }
  facts = learned(std::move(facts), report_of(40s, {told(Probe::kAdminVotingView, again)}), 10s);
  EXPECT_TRUE(facts.configuration.value->entries.empty());
  EXPECT_FALSE(facts.configuration.value->server_id.has_value());
  EXPECT_FALSE(facts.configuration.value->membership_version.has_value());
  EXPECT_EQ(facts.configuration.value->membership.size(), 1U);
  for (const auto started : {50s, 60s, 70s, 80s})
    facts = learned(std::move(facts), report_of(started, {told(Probe::kAdminConfiguration, once)}), 10s);
  EXPECT_TRUE(facts.configuration.value->membership.empty());
  EXPECT_EQ(facts.configuration.value->entry_number("tickTime"), 2000);
}

TEST(Learned, EveryOtherKindIsKeptWithItsMoment) {
  ConnectionsAnswer connections;
  connections.total = 11;
  DigestsAnswer digests;
  digests.digests = {{zxid_of(1, 128), 5}};
  const MemberFacts facts =
      learned({},
              report_of(1s, {told(Probe::kRuok, RuokAnswer{true}),
                             told(Probe::kIsro, IsroAnswer{IsroAnswer::Mode::kReadOnly}),
                             told(Probe::kCons, connections), told(Probe::kDirs, DirsAnswer{12, 13}),
                             told(Probe::kWchs, WatchesAnswer{1, 2, 3}), told(Probe::kHash, digests)}),
              10s);
  EXPECT_TRUE(facts.ruok.value->imok);
  EXPECT_EQ(facts.isro.value->mode, IsroAnswer::Mode::kReadOnly);
  EXPECT_EQ(facts.connections.value->total, 11U);
  EXPECT_EQ(facts.dirs.value->log_bytes, 13U);
  EXPECT_EQ(facts.watches.value->watches, 3U);
  EXPECT_EQ(facts.digests.value->digests.at(0).value, 5U);
  for (const Moment& moment : {facts.ruok.at, facts.isro.at, facts.connections.at, facts.dirs.at,
                               facts.watches.at, facts.digests.at})
    EXPECT_EQ(moment - after(1s), 5ms);
  EXPECT_FALSE(facts.status.value.has_value());
  EXPECT_FALSE(facts.zab.value.has_value());
}

TEST(CountVisit, AddsUpWhatWasAskedAndKeepsWhatAVisitDoesNotTell) {
  MemberView member;
  PollReport report = report_of(
      0s, {told(Probe::kMntr, status_of(Role::kLeader)), asked(Probe::kSrvr, SourceState::kNotTried)});
  report.address = "10.0.0.1:2181";
  report.certificate_not_after = after(24h).wall;
  count_visit(report, member, 10s);
  count_visit(report_of(1s, {asked(Probe::kMntr, SourceState::kTimedOut, "no answer within 1 s"),
                             asked(Probe::kSrvr, SourceState::kRefused, "refused")}),
              member, 10s);
  EXPECT_EQ(member.polls, 2U);
  EXPECT_EQ(*member.last_poll - after(1s), 5ms);
  EXPECT_EQ(member.address, "10.0.0.1:2181");
  EXPECT_EQ(member.certificate_not_after, after(24h).wall);

  const SourceStatus& mntr = member.sources[Probe::kMntr];
  EXPECT_EQ(mntr.state, SourceState::kTimedOut);
  EXPECT_EQ(mntr.detail, "no answer within 1 s");
  EXPECT_EQ(mntr.duration, 4ms);
  EXPECT_EQ(mntr.polls(), 2U);
  EXPECT_EQ(mntr.results[static_cast<std::size_t>(SourceState::kOk)], 1U);
  EXPECT_EQ(mntr.results[static_cast<std::size_t>(SourceState::kTimedOut)], 1U);
  EXPECT_EQ(*mntr.last_ok - after(0s), 5ms);
  EXPECT_EQ(*mntr.last_tried - after(1s), 5ms);
  const SourceStatus& srvr = member.sources[Probe::kSrvr];
  EXPECT_EQ(srvr.polls(), 1U) << "a question that was not asked is not counted";
  EXPECT_FALSE(srvr.last_ok.has_value());

  report = report_of(
      2s, {told(Probe::kMntr, status_of(Role::kLeader)), asked(Probe::kSrvr, SourceState::kNotTried)});
  report.address = "10.0.0.2:2181";
  count_visit(report, member, 10s);
  EXPECT_EQ(member.address, "10.0.0.2:2181");
  EXPECT_EQ(mntr.state, SourceState::kOk);
  EXPECT_EQ(mntr.detail, "no answer within 1 s") << "of the newest failure";
  EXPECT_EQ(srvr.state, SourceState::kRefused);
  EXPECT_EQ(*srvr.last_tried - after(1s), 5ms);
}

TEST(CountVisit, ASourceThatIsNoLongerNeededIsNotTriedAfterAWhile) {
  for (const SourceState was : {SourceState::kRefused, SourceState::kOk}) {
    MemberView member;
    count_visit(report_of(0s, {asked(Probe::kMntr, SourceState::kRefused, "refused"),
                               asked(Probe::kAdminMonitor, was, "refused")}),
                member, 10s);
    const SourceStatus& admin = member.sources[Probe::kAdminMonitor];
    count_visit(report_of(200s, {asked(Probe::kMntr, SourceState::kRefused, "refused")}), member, 10s);
    EXPECT_EQ(admin.state, was) << "who does not answer is not asked for everything";
    count_visit(report_of(120s, {told(Probe::kMntr, status_of(Role::kLeader))}), member, 10s);
    EXPECT_EQ(admin.state, was);
    count_visit(report_of(120s + 1ms, {told(Probe::kMntr, status_of(Role::kLeader))}), member, 10s);
    EXPECT_EQ(admin.state, SourceState::kNotTried);
    EXPECT_EQ(admin.detail, "");
    EXPECT_EQ(admin.polls(), 1U);
    EXPECT_EQ(member.sources[Probe::kMntr].state, SourceState::kOk);
  }
  MemberView seldom;
  count_visit(report_of(0s, {told(Probe::kConf, ConfigurationAnswer{})}), seldom, 1min);
  count_visit(report_of(180s, {told(Probe::kMntr, status_of(Role::kLeader))}), seldom, 1min);
  EXPECT_EQ(seldom.sources[Probe::kConf].state, SourceState::kOk) << "detail is asked seldom";
}

}  // namespace
}  // namespace wk::exporter
