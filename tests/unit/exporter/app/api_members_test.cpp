#include "exporter/app/api_members.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

TEST(ApiMembers, NothingKnown) {
  MemberView member = sample::member("zk1:2181");
  const Json json = member_document("a", member, sample::now());
  EXPECT_EQ(json["ensemble"], "a");
  EXPECT_EQ(json["member"], "zk1:2181");
  EXPECT_EQ(json["state"], "unreachable");
  EXPECT_EQ(json["polls"], 0);
  for (const char* field : {"address", "id", "zxid", "epoch", "lag_transactions", "digest_mismatch",
                            "last_poll", "last_poll_age_seconds", "certificate_not_after"})
    EXPECT_TRUE(json.at(field).is_null()) << field;
  EXPECT_EQ(json["sources"].size(), kProbeCount);
  EXPECT_EQ(json["sources"][0]["state"], "not_tried");
  EXPECT_TRUE(json["sources"][0]["age_seconds"].is_null());
  EXPECT_EQ(json["facts"].size(), 10u);
  for (const auto& [name, fact] : json["facts"].items()) EXPECT_TRUE(fact.is_null()) << name;
  EXPECT_EQ(json["canary"]["operations"]["sync"]["results"]["ok"], 0);
  member.facts = nullptr;
  EXPECT_TRUE(member_document("a", member, sample::now())["facts"]["status"].is_null());
}

TEST(ApiMembers, FactsCarryTheirAgeAndIdsAreText) {
  MemberView member = sample::healthy_ensemble("a").members[1];
  MemberFacts facts;
  StatusAnswer status;
  status.version = "3.9.5";
  status.role = Role::kLeader;
  status.zxid = Zxid{0x500000010};
  status.measurements.push_back({find_zk_metric("znode_count"), "", 5.0});
  status.others = {{"zk_odd\xff", 1.5}};
  facts.status = {status, sample::now() + -2s};
  ConnectionsAnswer connections;
  connections.total = 2;
  ClientConnection& busiest = connections.busiest.emplace_back();
  busiest.address = "10.0.0.1";
  busiest.session = SessionId{-1};
  busiest.last_operation = "a\"b";
  facts.connections = {connections, sample::now()};
  facts.digests = {DigestsAnswer{{{Zxid{1}, 2}, {Zxid{0x80}, 0xffffffffffffffff}}}, sample::now()};
  member.facts = std::make_shared<MemberFacts>(facts);
  const Json json = Json::parse(json_response(member_document("a", member, sample::now())).body_text());
  EXPECT_EQ(json["id"], "2");
  EXPECT_EQ(json["zxid"], "0x500000010");
  EXPECT_EQ(json["epoch"], 5);
  EXPECT_EQ(json["last_poll_age_seconds"], 0.3);
  EXPECT_EQ(json["sources"][0]["results"].dump(), R"({"ok":7})");
  const Json& told = json["facts"]["status"];
  EXPECT_EQ(told["age_seconds"], 2.0);
  EXPECT_EQ(told["source"], "mntr");
  EXPECT_EQ(told["version"], "3.9.5");
  EXPECT_EQ(told["measurements"][0].dump(),
            R"({"name":"znode_count","native":"znodes","key":null,"unit":null,"value":5})");
  EXPECT_EQ(told["others"]["zk_odd\xef\xbf\xbd"], 1.5);
  EXPECT_EQ(json["facts"]["connections"]["busiest"][0]["session"], "0xffffffffffffffff");
  EXPECT_EQ(json["facts"]["connections"]["busiest"][0]["last_operation"], "a\"b");
  EXPECT_TRUE(json["facts"]["connections"]["busiest"][0]["queued"].is_null());
  EXPECT_EQ(json["facts"]["digests"]["newest"]["digest"], "0xffffffffffffffff");
}

TEST(ApiMembers, SummariesAreObjects) {
  const ZkMetric* metric = nullptr;
  for (const ZkMetric& each : zk_metrics())
    if (each.kind == ZkKind::kAdvancedSummary && each.unit == ZkUnit::kMilliseconds) metric = &each;
  ASSERT_NE(metric, nullptr);
  MemberView member = sample::member("zk1:2181");
  MemberFacts facts;
  StatusAnswer status;
  SummaryValue summary;
  summary.count = 4;
  summary.sum = 10.5;
  summary.quantiles = {{0.99, 7}};
  status.measurements.push_back({metric, "", summary});
  facts.status = {status, sample::now()};
  member.facts = std::make_shared<MemberFacts>(facts);
  const Json value = member_document("a", member, sample::now())["facts"]["status"]["measurements"][0];
  EXPECT_EQ(value["unit"], "milliseconds");
  EXPECT_EQ(
      value["value"].dump(),
      R"({"count":4,"sum":10.5,"average":null,"minimum":null,"maximum":null,"quantiles":[{"rank":0.99,"value":7}]})");
}

}  // namespace
}  // namespace wk::exporter
