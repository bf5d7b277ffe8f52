#include "exporter/view/configuration_drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/view/view_parts.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

using Entries = std::vector<std::pair<std::string, std::string>>;

Dated<ConfigurationAnswer> configured(Entries entries, std::vector<MembershipEntry> membership = {},
                                      std::chrono::nanoseconds at = 0s) {
  ConfigurationAnswer answer;
  answer.entries = std::move(entries);
  answer.membership = std::move(membership);
  return {std::move(answer), after(at)};
}

void configure(MemberView& member, Dated<ConfigurationAnswer> configuration) {
  learn(member, [&](MemberFacts& facts) { facts.configuration = std::move(configuration); });
}

std::vector<ConfigurationDrift> drift_of(const EnsembleView& view, std::chrono::nanoseconds now = 0s) {
  return configuration_drift(view, EnsembleStory::spec(view.members.size(), CanaryMode::kOff), after(now));
}

TEST(ConfigurationDriftOf, EveryKeyThatMembersShouldAgreeOnIsARowWithWhoTellsWhat) {
  EnsembleView view = ensemble_of(4);
  const std::vector<MembershipEntry> two{{ServerId{1}, "zk1", 2888, 3888, true, ""},
                                         {ServerId{2}, "zk2", 2888, 3888, true, ""}};
  std::vector<MembershipEntry> with_observer = two;
  with_observer[1].voter = false;
  const auto entries = [](const std::string& value) {
    return Entries{{"clientPort", value},        {"dataDir", value},        {"electionAlg", value},
                   {"initLimit", value},         {"maxClientCnxns", value}, {"maxSessionTimeout", value},
                   {"minSessionTimeout", value}, {"serverId", value},       {"syncLimit", value},
                   {"tickTime", value}};
  };
  configure(view.members[0], configured(entries("1"), two));
  configure(view.members[1], configured(entries("1"), two));
  configure(view.members[3], configured(entries("2"), with_observer));
  for (MemberView& member : view.members)
    learn(member, [&](MemberFacts& facts) {
      StatusAnswer status = status_of(Role::kFollower);
      status.version = member.name == "zk3:2181" ? "3.8.0" : "3.9.5";
      facts.status = {std::move(status), after(0s)};
    });
  const auto drift = drift_of(view);
  std::vector<std::string> keys;
  for (const ConfigurationDrift& row : drift) keys.push_back(row.key);
  ASSERT_THAT(keys, ElementsAre("electionAlg", "initLimit", "maxClientCnxns", "maxSessionTimeout",
                                "minSessionTimeout", "syncLimit", "tickTime", "membership", "version"));
  EXPECT_THAT(drift[6].values,
              ElementsAre(Pair("zk1:2181", "1"), Pair("zk2:2181", "1"), Pair("zk4:2181", "2")));
  EXPECT_THAT(drift[7].values,
              ElementsAre(Pair("zk1:2181", "server.1=zk1:2888:3888 server.2=zk2:2888:3888"),
                          Pair("zk2:2181", "server.1=zk1:2888:3888 server.2=zk2:2888:3888"),
                          Pair("zk4:2181", "server.1=zk1:2888:3888 server.2=zk2:2888:3888:observer")));
  EXPECT_THAT(drift[8].values, ElementsAre(Pair("zk1:2181", "3.9.5"), Pair("zk2:2181", "3.9.5"),
                                           Pair("zk3:2181", "3.8.0"), Pair("zk4:2181", "3.9.5")));
}

TEST(ConfigurationDriftOf, WhatAMemberDoesNotTellIsNoDisagreement) {
  EnsembleView view = ensemble_of(3);
  configure(view.members[0],
            configured({{"tickTime", "2000"}}, {{ServerId{1}, "zk1", 2888, 3888, true, "zk1:2181"}}));
  configure(view.members[1], configured({{"syncLimit", "5"}}));
  learn(view.members[0], [](MemberFacts& facts) {
    change(facts.status.value, [](StatusAnswer& status) { status.version = "3.9.5"; });
  });
  learn(view.members[1], [](MemberFacts& facts) { facts.status.value = StatusAnswer{}; });
  EXPECT_TRUE(drift_of(view).empty());
}

TEST(ConfigurationDriftOf, AMinorityOfOneIsFoundWhereverItStands) {
  for (const std::size_t odd : {0U, 1U, 2U}) {
    EnsembleView view = ensemble_of(3);
    for (std::size_t index = 0; index < 3; ++index)
      configure(view.members[index], configured({{"tickTime", index == odd ? "3000" : "2000"}}));
    EXPECT_EQ(drift_of(view).size(), 1U) << odd;
  }
}

TEST(ConfigurationDriftOf, AConfigurationCountsWhileItIsFresh) {
  EnsembleView view = ensemble_of(2);
  configure(view.members[0], configured({{"tickTime", "2000"}}, {}, 0s));
  configure(view.members[1], configured({{"tickTime", "3000"}}, {}, 30s));
  EXPECT_EQ(drift_of(view, 34s).size(), 1U);
  EXPECT_TRUE(drift_of(view, 34s + 1ns).empty());
}

TEST(ConfigurationDriftOf, AVersionCountsWhileItsStatusIsFreshByTheMembersOwnTimeout) {
  EnsembleView view = ensemble_of(2);
  EnsembleSpec spec = EnsembleStory::spec(2, CanaryMode::kOff);
  spec.members[1].timeout = 5s;
  const auto rows = [&](std::size_t aged, std::chrono::nanoseconds age) {
    for (const std::size_t index : {0U, 1U})
      learn(view.members[index], [&](MemberFacts& facts) {
        StatusAnswer status = status_of(Role::kFollower);
        status.version = index == 0 ? "3.8.0" : "3.9.5";
        facts.status = {std::move(status), after(index == aged ? 0s : age)};
      });
    return configuration_drift(view, spec, after(age)).size();
  };
  EXPECT_EQ(rows(0, 4s), 1U);
  EXPECT_EQ(rows(0, 4s + 1ns), 0U);
  EXPECT_EQ(rows(1, 8s), 1U);
  EXPECT_EQ(rows(1, 8s + 1ns), 0U);
}

TEST(ConfigurationDriftOf, AConfigurationIsFreshByTheMembersOwnTimeout) {
  EnsembleView view = ensemble_of(2);
  EnsembleSpec spec = EnsembleStory::spec(2, CanaryMode::kOff);
  spec.members[1].timeout = 5s;
  configure(view.members[0], configured({{"tickTime", "2000"}}, {}, 30s));
  configure(view.members[1], configured({{"tickTime", "3000"}}, {}, 0s));
  EXPECT_EQ(configuration_drift(view, spec, after(38s)).size(), 1U);
  EXPECT_TRUE(configuration_drift(view, spec, after(38s + 1ns)).empty());
}

TEST(TellDrift, OnlyOfKeysThatHadNone) {
  Ear ear;
  EventSink events = ear.at(after(0s));
  const ConfigurationDrift tick{"tickTime", {{"zk1:2181", "2000"}, {"zk2:2181", "3000"}}};
  const ConfigurationDrift tick_later{"tickTime", {{"zk1:2181", "2000"}, {"zk2:2181", "4000"}}};
  const ConfigurationDrift version{"version", {{"zk1:2181", "3.8.0"}, {"zk2:2181", "3.9.5"}}};
  tell_drift({tick}, {tick_later, version}, events);
  tell_drift({tick_later, version}, {version}, events);
  ASSERT_THAT(
      ear.texts(),
      ElementsAre("members are configured differently in version (zk1:2181: 3.8.0; zk2:2181: 3.9.5)"));
  EXPECT_EQ(ear.events[0].severity, Severity::kWarning);
  EXPECT_EQ(ear.events[0].member, "");
}

TEST(TellConfigurationChange, NamesEveryKeyWithBothValuesAndTheMembership) {
  Ear ear;
  EventSink events = ear.at(after(0s));
  const auto before =
      configured({{"clientPort", "1"}, {"initLimit", "10"}, {"syncLimit", "5"}, {"tickTime", "2000"}},
                 {{ServerId{1}, "zk1", 1, 2, true, ""}});
  const auto now =
      configured({{"clientPort", "2"}, {"initLimit", "10"}, {"syncLimit", "6"}, {"tickTime", "3000"}},
                 {{ServerId{2}, "zk2", 1, 2, true, ""}}, 1ns);
  tell_configuration_change("zk1:2181", before, now, events);
  EXPECT_THAT(
      ear.texts(),
      ElementsAre("zk1:2181: the membership changed from \"server.1=zk1:1:2\" to \"server.2=zk2:1:2\"",
                  "zk1:2181: syncLimit changed from 5 to 6", "zk1:2181: tickTime changed from 2000 to 3000"));
  for (const Event& event : ear.events) EXPECT_EQ(event.type, EventType::kConfigurationChanged);
}

TEST(TellConfigurationChange, NothingUnlessBothAreToldAndOneIsNewer) {
  Ear ear;
  EventSink events = ear.at(after(0s));
  const std::vector<MembershipEntry> membership{{ServerId{1}, "zk1", 1, 2, true, ""}};
  const auto before = configured({{"tickTime", "2000"}}, membership, 5s);
  tell_configuration_change("zk1:2181", before, configured({{"tickTime", "3000"}}, {}, 5s), events);
  tell_configuration_change("zk1:2181", before, configured({{"tickTime", "3000"}}, {}, 4s), events);
  tell_configuration_change("zk1:2181", before, configured({{"syncLimit", "5"}}, {}, 6s), events);
  tell_configuration_change("zk1:2181", configured({}, {}, 4s), before, events);
  tell_configuration_change("zk1:2181", {}, before, events);
  tell_configuration_change("zk1:2181", before, {std::nullopt, after(6s)}, events);
  EXPECT_TRUE(ear.events.empty());
}

}  // namespace
}  // namespace wk::exporter
