#include "exporter/app/api_status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "exporter/model/facts.h"
#include "exporter/model/internals.h"
#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
const BuildInfo kBuild{"1.2.3", "abc", "gcc"};

Json document(const Snapshot& snapshot) { return status_document(snapshot, kBuild, 1s, sample::now()); }

std::set<std::string> keys(const Json& object) {
  std::set<std::string> names;
  for (const auto& [key, value] : object.items()) names.insert(key);
  return names;
}

TEST(ApiStatus, Health) {
  const Json json = document(sample::snapshot({sample::healthy_ensemble("a")}));
  EXPECT_EQ(json["time"], "2026-11-21T22:40:01.250Z");
  EXPECT_EQ(json["status"], "ok");
  EXPECT_EQ(json["verdict"], "All 3 voters in sync; one may fail.");
  EXPECT_EQ(json["snapshot"]["sequence"], 42);
  EXPECT_EQ(json["snapshot"]["time"], "2026-11-21T22:40:00.750Z");
  EXPECT_EQ(json["snapshot"]["age_seconds"], 0.5);
  EXPECT_EQ(json["snapshot"]["stale"], false);
  EXPECT_EQ(json["exporter"]["version"], "1.2.3");
  const Json& ensemble = json["ensembles"][0];
  EXPECT_EQ(ensemble["serving"], true);
  EXPECT_EQ(ensemble["quorum"].dump(), R"({"voters":3,"majority":2,"in_sync":3,"margin":1})");
  EXPECT_EQ(ensemble["leader"].dump(), R"({"member":"zk2:2181","id":"2","epoch":5,"inferred":false})");
  EXPECT_TRUE(ensemble["unserved"]["since"].is_null());
  EXPECT_TRUE(ensemble["unserved"]["seconds_running"].is_null());
  EXPECT_EQ(ensemble["members"][1]["role"], "leader");
  EXPECT_EQ(ensemble["members"][1]["safe_to_stop"]["safe"], true);
  EXPECT_TRUE(ensemble["source_problems"].empty());
  EXPECT_EQ(ensemble["events"].size(), kEventTypeCount);
}

TEST(ApiStatus, WhichMembersTellOfTheirInside) {
  EnsembleView ensemble = sample::healthy_ensemble("a");
  auto facts = std::make_shared<MemberFacts>();
  facts->internals = std::make_shared<ServerInternals>();
  ensemble.members[1].facts = facts;
  const Json members = document(sample::snapshot({ensemble}))["ensembles"][0]["members"];
  EXPECT_EQ(members[0]["inside"], false);
  EXPECT_EQ(members[1]["inside"], true);
}

TEST(ApiStatus, TotalOutage) {
  const Json json = document(sample::snapshot({sample::dead_ensemble("a")}));
  EXPECT_EQ(json["status"], "critical");
  const Json& ensemble = json["ensembles"][0];
  EXPECT_EQ(ensemble["serving"], false);
  EXPECT_EQ(ensemble["quorum"]["margin"], -2);
  EXPECT_EQ(ensemble["leader"].dump(), R"({"member":null,"id":null,"epoch":null,"inferred":false})");
  EXPECT_EQ(ensemble["unserved"]["since"], "2026-11-21T22:39:01.250Z");
  EXPECT_EQ(ensemble["unserved"]["seconds_running"], 60.0);
  EXPECT_EQ(ensemble["unserved"]["seconds_total"], 60.0);
  EXPECT_EQ(ensemble["problems"][0]["id"], "quorum_lost");
  EXPECT_EQ(ensemble["problems"][0]["severity"], "critical");
  EXPECT_EQ(ensemble["problems"][0]["runbook"], "ZooKeeperQuorumLost");
  EXPECT_EQ(ensemble["problems"][0]["members"].size(), 3u);
  ASSERT_EQ(ensemble["source_problems"].size(), 3u);
  EXPECT_EQ(ensemble["source_problems"][0]["source"], "mntr");
  EXPECT_EQ(ensemble["source_problems"][0]["state"], "refused");
  EXPECT_NE(ensemble["source_problems"][0]["remedy"], "");
}

TEST(ApiStatus, TheFieldsNeverDependOnWhatIsKnown) {
  const Json healthy = document(sample::snapshot({sample::healthy_ensemble("a")}));
  const Json unknown = document(sample::snapshot({sample::unknown_ensemble("a")}));
  const Json dead = document(sample::snapshot({sample::dead_ensemble("a")}));
  EXPECT_EQ(keys(healthy), keys(unknown));
  EXPECT_EQ(keys(healthy["ensembles"][0]), keys(unknown["ensembles"][0]));
  EXPECT_EQ(keys(healthy["ensembles"][0]), keys(dead["ensembles"][0]));
  EXPECT_EQ(keys(healthy["ensembles"][0]["members"][0]), keys(unknown["ensembles"][0]["members"][0]));
  EXPECT_EQ(unknown["status"], "critical");
  EXPECT_EQ(unknown["ensembles"][0]["members"][0]["safe_to_stop"].dump(),
            R"({"safe":false,"reason":"nothing is known about this member yet"})");
}

TEST(ApiStatus, TheWorstProblemDecides) {
  Snapshot snapshot = sample::snapshot({sample::healthy_ensemble("a"), sample::healthy_ensemble("b")});
  EXPECT_EQ(status_word(snapshot), "ok");
  EXPECT_EQ(overall_verdict(snapshot), "All 2 ensembles serve without problems.");
  snapshot.ensembles[0].problems.push_back({"x", Severity::kInfo, "", "", "", "", {}});
  EXPECT_EQ(status_word(snapshot), "info");
  snapshot.ensembles[1].problems.push_back({"y", Severity::kWarning, "", "", "", "", {}});
  EXPECT_EQ(status_word(snapshot), "warning");
  EXPECT_EQ(overall_verdict(snapshot), "All 2 ensembles serve; 1 of them with problems: b.");
  snapshot.ensembles.push_back(sample::dead_ensemble("c"));
  EXPECT_EQ(status_word(snapshot), "critical");
  EXPECT_EQ(overall_verdict(snapshot), "1 of 3 ensembles do not serve: c; problems in 1 more: b.");
}

TEST(ApiStatus, AStaleSnapshotIsCriticalWhateverItSays) {
  const Snapshot snapshot = sample::snapshot({sample::healthy_ensemble("a")});
  const Json json = status_document(snapshot, kBuild, 1s, snapshot.taken + 60s);
  EXPECT_EQ(json["status"], "critical");
  EXPECT_EQ(json["snapshot"]["stale"], true);
  EXPECT_EQ(json["verdict"],
            "the newest snapshot is 60.0 s old: the exporter's watcher hangs; restart the exporter");
}

TEST(ApiStatus, HostileTextsStayText) {
  EnsembleView ensemble = sample::dead_ensemble("a");
  ensemble.members[0].state_reason = "a\"b\n\xff";
  ensemble.drift.push_back({"k\"", {{"zk1:2181", "\xc3"}}});
  ensemble.limited_by = "x\\";
  const Response response = json_response(document(sample::snapshot({ensemble})));
  const Json json = Json::parse(response.body_text());
  EXPECT_EQ(json["ensembles"][0]["members"][0]["state_reason"], "a\"b\n\xef\xbf\xbd");
  EXPECT_EQ(json["ensembles"][0]["configuration_drift"][0]["key"], "k\"");
  EXPECT_EQ(json["ensembles"][0]["limited_by"]["what"], "x\\");
}

TEST(ApiStatus, ALeaderIndexOutOfRangeIsNoLeader) {
  EnsembleView ensemble = sample::healthy_ensemble("a");
  ensemble.leader = 99;
  EXPECT_TRUE(document(sample::snapshot({ensemble}))["ensembles"][0]["leader"]["member"].is_null());
}

}  // namespace
}  // namespace wk::exporter
