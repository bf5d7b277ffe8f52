#include <gtest/gtest.h>

#include <sstream>

#include "exporter/sources/mntr.h"
#include "snapshot_builder.h"

namespace wk::exporter {
namespace {

using namespace test;

const std::string kHost = "zk_host=zk1:2181,ensemble=default";

MemberView golden_member(const std::string& path, Role role) {
  auto parsed = parse_mntr(golden(path));
  EXPECT_EQ(parsed.state, SourceState::kOk) << parsed.detail;
  return serving_member("zk1:2181", role, std::get<StatusAnswer>(std::move(parsed.answer)));
}

/// The numeric lines of a captured mntr answer of the default provider; texts and namespaces left out.
std::map<std::string, double> lines_of(const std::string& path) {
  std::map<std::string, double> lines;
  std::istringstream text(golden(path));
  for (std::string line; std::getline(text, line);) {
    const auto tab = line.rfind('\t');
    const auto key = line.substr(0, tab);
    if (key == "zk_version" || key == "zk_server_state" || key == "zk_peer_state" ||
        key == "zk_observer_master_id" || key.ends_with("_per_namespace"))
      continue;
    lines[key] = std::stod(line.substr(tab + 1));
  }
  return lines;
}

struct Golden {
  const char* path;
  Role role;
};

TEST(ZkFamily, ShowsExactlyTheLinesOfACapturedMntr) {
  for (const auto& [path, role] :
       {Golden{"apache-3.9.5/default-provider/mntr.1", Role::kFollower},
        Golden{"apache-3.9.5/default-provider/mntr.2", Role::kFollower},
        Golden{"apache-3.9.5/default-provider/mntr.3", Role::kLeader},
        Golden{"apache-3.9.5/default-provider/mntr.standalone", Role::kStandalone}}) {
    const auto lines = lines_of(path);
    EXPECT_GT(lines.size(), 480U) << path;
    const auto seen = scrape(snapshot_of({golden_member(path, role)}), only_zk());
    for (const auto& [key, value] : lines) {
      // The sources take -1 for what it means: not known.
      const auto wanted = value == -1 ? std::nullopt : std::optional(value);
      EXPECT_EQ(seen(key, kHost), wanted) << path << " " << key;
    }
    for (const auto& [sample, value] : seen.samples()) {
      const bool own = sample.first == "zk_up" || sample.first == "zk_ruok" ||
                       sample.first == "zk_server_leader" || sample.first == "zk_version" ||
                       sample.first == "zk_peer_state" || sample.first == "zk_followers";
      EXPECT_TRUE(own || lines.contains(sample.first)) << path << " " << sample.first;
    }
  }
}

TEST(ZkFamily, HasEveryNameOfGrafana11442) {
  const auto seen = scrape(
      snapshot_of({golden_member("apache-3.9.5/default-provider/mntr.3", Role::kLeader)}, 0), only_zk());
  for (const auto* wanted :
       {"zk_up", "zk_server_leader", "zk_version", "zk_ephemerals_count", "zk_znode_count", "zk_watch_count",
        "zk_packets_sent", "zk_packets_received", "zk_num_alive_connections", "zk_open_file_descriptor_count",
        "zk_max_file_descriptor_count", "zk_avg_latency", "zk_min_latency", "zk_max_latency",
        "zk_outstanding_requests", "zk_approximate_data_size"})
    EXPECT_TRUE(seen.has(wanted)) << wanted;
  EXPECT_EQ(seen("zk_version", kHost + ",version=3.9.5"), 1);
  EXPECT_EQ(seen("zk_server_leader", kHost), 1);
  EXPECT_EQ(seen("zk_peer_state", kHost + ",state=leading"), 1);
}

TEST(ZkFamily, UpMeansThatTheMemberServes) {
  auto snapshot = snapshot_of({serving_member("zk1:2181", Role::kLeader, full_status(Role::kLeader))}, 0);
  for (std::size_t i = 0; i < kServingStateCount; ++i) {
    const auto state = static_cast<ServingState>(i);
    snapshot.ensembles[0].members[0].state = state;
    const auto seen = scrape(snapshot, only_zk());
    const bool serves = state == ServingState::kServing || state == ServingState::kReadOnly;
    EXPECT_EQ(seen("zk_up", kHost), serves ? 1 : 0) << name(state);
    EXPECT_EQ(seen("zk_server_leader", kHost), state == ServingState::kServing ? 1 : 0) << name(state);
    EXPECT_EQ(seen("zk_ruok", kHost), state == ServingState::kUnreachable ? 0 : 1) << name(state);
  }
}

TEST(ZkFamily, RuokIsBelievedWhenAllowedAndReplacedWhenNot) {
  auto member = serving_member("zk1:2181", Role::kFollower, full_status(Role::kFollower));
  const auto ruok = [&member](SourceState state, std::optional<bool> imok, ServingState serving) {
    auto copy = member;
    copy.state = serving;
    tell(copy, Probe::kRuok, state);
    change_facts(copy, [imok](MemberFacts& facts) {
      if (imok) facts.ruok.value = RuokAnswer{*imok};
    });
    return scrape(snapshot_of({std::move(copy)}), only_zk())("zk_ruok", kHost);
  };
  EXPECT_EQ(ruok(SourceState::kOk, true, ServingState::kServing), 1);
  EXPECT_EQ(ruok(SourceState::kOk, true, ServingState::kLooking), 1);
  EXPECT_EQ(ruok(SourceState::kOk, false, ServingState::kServing), 0);
  EXPECT_EQ(ruok(SourceState::kOk, true, ServingState::kUnreachable), 0);
  EXPECT_EQ(ruok(SourceState::kNotWhitelisted, {}, ServingState::kServing), 1);
  EXPECT_EQ(ruok(SourceState::kNotWhitelisted, {}, ServingState::kUnreachable), 0);
  EXPECT_EQ(ruok(SourceState::kTimedOut, true, ServingState::kServing), 0);
}

TEST(ZkFamily, LeadersAreCountedByEpoch) {
  auto one = serving_member("zk1:2181", Role::kLeader, full_status(Role::kLeader));
  auto two = serving_member("zk2:2181", Role::kLeader, full_status(Role::kLeader));
  one.zxid = Zxid{0x400000009};
  two.zxid = Zxid{0x500000001};
  auto snapshot = snapshot_of({one, two}, 1);
  snapshot.ensembles[0].epoch = Epoch{5};
  const std::string other = "zk_host=zk2:2181,ensemble=default";
  auto seen = scrape(snapshot, only_zk());
  EXPECT_EQ(seen("zk_server_leader", kHost), 0) << "deposed";
  EXPECT_EQ(seen("zk_server_leader", other), 1);
  snapshot.ensembles[0].members[0].zxid = Zxid{0x500000009};
  seen = scrape(snapshot, only_zk());
  EXPECT_EQ(seen("zk_server_leader", kHost), 1) << "split brain";
  EXPECT_EQ(seen("zk_server_leader", other), 1);
}

TEST(ZkFamily, StandaloneServersLeadNobody) {
  auto snapshot =
      snapshot_of({golden_member("apache-3.9.5/default-provider/mntr.standalone", Role::kStandalone)}, 0);
  const auto seen = scrape(snapshot, only_zk());
  EXPECT_EQ(seen("zk_up", kHost), 1);
  EXPECT_EQ(seen("zk_server_leader", kHost), 0);
  EXPECT_FALSE(seen.has("zk_peer_state"));
}

TEST(ZkFamily, PeerStateIsLookingWithoutQuorum) {
  auto member = serving_member("zk1:2181", Role::kFollower, full_status(Role::kFollower));
  const auto state_of = [&member](ServingState state, Role role) {
    member.state = state;
    member.role = role;
    const auto seen = scrape(snapshot_of({member}), only_zk());
    std::string found;
    for (const auto& [sample, value] : seen.samples())
      if (sample.first == "zk_peer_state") found += sample.second.substr(kHost.size() + 7);
    return found;
  };
  EXPECT_EQ(state_of(ServingState::kServing, Role::kFollower), "following");
  EXPECT_EQ(state_of(ServingState::kServing, Role::kObserver), "observing");
  EXPECT_EQ(state_of(ServingState::kSyncing, Role::kFollower), "following");
  EXPECT_EQ(state_of(ServingState::kLooking, Role::kUnknown), "looking");
  EXPECT_EQ(state_of(ServingState::kNotServing, Role::kUnknown), "looking");
  EXPECT_EQ(state_of(ServingState::kReadOnly, Role::kReadOnly), "looking");
  EXPECT_EQ(state_of(ServingState::kUnreachable, Role::kFollower), "");
}

TEST(ZkFamily, FollowersAreLearnersWithoutObservers) {
  const auto followers = [](std::vector<Measurement> measurements, Role role) {
    StatusAnswer status;
    status.measurements = std::move(measurements);
    sort_measurements(status);
    return scrape(snapshot_of({serving_member("zk1:2181", role, std::move(status))}), only_zk())(
        "zk_followers", kHost);
  };
  EXPECT_EQ(followers({number("learners", 3), number("synced_observers", 1)}, Role::kLeader), 2);
  EXPECT_EQ(followers({number("learners", 3)}, Role::kLeader), 3);
  EXPECT_EQ(followers({number("followers", 4)}, Role::kLeader), 4);
  EXPECT_EQ(followers({number("synced_observers", 0)}, Role::kFollower), std::nullopt);
}

TEST(ZkFamily, PartsThatTheSourceDidNotTellAreAbsent) {
  StatusAnswer status;
  auto latency = summary_value(4, 10);
  latency.quantiles = {{0.5, 2}, {0.9, 3}, {0.99, 4}};
  status.measurements = {summary("readlatency", latency)};
  const auto seen =
      scrape(snapshot_of({serving_member("zk1:2181", Role::kLeader, std::move(status))}), only_zk());
  EXPECT_EQ(seen("zk_avg_readlatency", kHost), 2.5) << "the mean is known from count and sum";
  EXPECT_EQ(seen("zk_cnt_readlatency", kHost), 4);
  EXPECT_EQ(seen("zk_p90_readlatency", kHost), 3);
  EXPECT_FALSE(seen.has("zk_min_readlatency"));
  EXPECT_FALSE(seen.has("zk_p95_readlatency"));
}

}  // namespace
}  // namespace wk::exporter
