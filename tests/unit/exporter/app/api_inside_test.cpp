#include "exporter/app/api_inside.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace wk::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Moment kNow = Moment{} + seconds{1'000};

ServerInternals full() {
  ServerInternals inside;
  inside.write_stages = {{"fsync", {}}};
  inside.write_stages[0].durations.record(milliseconds{4});
  inside.write_total.record(milliseconds{5});
  inside.hottest_reads = {{"/hot", 12.5, 0.75}};
  SlowRequest slow;
  slow.operation = "setData";
  slow.path = "/slow";
  slow.session = SessionId{0xab};
  slow.zxid = Zxid{0x10};
  slow.latency = milliseconds{1'500};
  slow.stages = {{"fsync", milliseconds{1'499}}, {"reply", milliseconds{1}}};
  slow.during_snapshot = true;
  inside.slowest_requests = {slow};
  ExpiredSession expired;
  expired.session = SessionId{-2};
  expired.cause = "not_back";
  expired.conclusion = "the client did not come back";
  expired.without_connection = milliseconds{2'500};
  inside.expired_sessions = std::make_shared<std::vector<ExpiredSession>>(1, expired);
  inside.tree_survey.finished = kNow + -seconds{3};
  inside.contentions = {{"/lock", 4, SessionId{7}, {}}};
  inside.largest_child_lists = {{"/wide", 10, 99}};
  inside.limits_hit = {{"log_space", 2}};
  inside.limits = {{"log_disk", true, 30, 120, "", std::chrono::duration<double>(60)},
                   {"connections_of_address", false, 15, 60, "10.0.0.1", std::nullopt}};
  return inside;
}

TEST(ApiInside, TellsNamesWithTheirNumbers) {
  const Json document = inside_json(full(), kNow);
  const Json& requests = document["requests"];
  EXPECT_EQ(requests["writes"], 1);
  EXPECT_EQ(requests["write_stages_seconds"]["fsync"], 0.004);
  EXPECT_EQ(requests["hottest_reads"][0], (Json{{"path", "/hot"}, {"a_second", 12.5}, {"share", 0.75}}));
  const Json& slow = requests["slowest"][0];
  EXPECT_EQ(slow["path"], "/slow");
  EXPECT_EQ(slow["session"], "0xab");
  EXPECT_EQ(slow["zxid"], "0x10");
  EXPECT_EQ(slow["latency_seconds"], 1.5);
  EXPECT_EQ(slow["stages_seconds"]["fsync"], 1.499);
  EXPECT_EQ(slow["during_snapshot"], true);
  const Json& expired = document["sessions"]["expired"][0];
  EXPECT_EQ(expired["session"], "0xfffffffffffffffe");
  EXPECT_EQ(expired["cause"], "not_back");
  EXPECT_EQ(expired["without_connection_seconds"], 2.5);
  EXPECT_TRUE(expired["address"].is_null()) << "not known";
  EXPECT_EQ(document["znodes"]["survey"]["age_seconds"], 3.0);
  EXPECT_EQ(document["znodes"]["locks"][0]["holder"], "0x7");
  EXPECT_EQ(document["znodes"]["largest_child_lists"][0]["reply_bytes"], 99);
  EXPECT_EQ(document["limits_hit"]["log_space"], 2);
  EXPECT_EQ(document["limits"][0], (Json{{"limit", "log_disk"},
                                         {"used", 30.0},
                                         {"bound", 120.0},
                                         {"unit", "bytes"},
                                         {"share", 0.25},
                                         {"about", nullptr},
                                         {"seconds_left", 60.0}}));
  EXPECT_EQ(document["limits"][1]["about"], "10.0.0.1");
  EXPECT_TRUE(document["limits"][1]["seconds_left"].is_null()) << "it does not grow";
  EXPECT_TRUE(document["watches"]["survey"]["age_seconds"].is_null()) << "not walked yet";
}

TEST(ApiInside, AFreshServerHasEmptyLists) {
  const Json document = inside_json(ServerInternals{}, kNow);
  EXPECT_TRUE(document["sessions"]["expired"].is_array());
  EXPECT_TRUE(document["sessions"]["expired"].empty());
  EXPECT_TRUE(document["requests"]["slowest"].empty());
}

TEST(ApiInside, PathsThatAreNoTextDoNoHarm) {
  ServerInternals inside;
  inside.hottest_reads = {{"/\xff\xfe", 1, 1}};
  EXPECT_NE(json_line(inside_json(inside, kNow)).find("\xef\xbf\xbd"), std::string::npos);
}

TEST(ApiInside, OnlyMembersThatToldAreListed) {
  Snapshot snapshot;
  EnsembleView& ensemble = snapshot.ensembles.emplace_back();
  ensemble.name = "default";
  for (const char* name : {"zk1:2181", "zk2:2181"}) {
    MemberView& member = ensemble.members.emplace_back();
    member.name = name;
    auto facts = std::make_shared<MemberFacts>();
    if (member.name == "zk2:2181") facts->internals = std::make_shared<ServerInternals>(full());
    member.facts = facts;
  }
  const Json document = inside_document(snapshot, kNow);
  ASSERT_EQ(document["members"].size(), 1U);
  EXPECT_EQ(document["members"][0]["member"], "zk2:2181");
  EXPECT_EQ(document["members"][0]["ensemble"], "default");
  EXPECT_EQ(document["members"][0]["inside"]["requests"]["writes"], 1);
  const Json table = inside_table(ensemble, kNow);
  EXPECT_EQ(table["ensemble"], "default");
  ASSERT_EQ(table["members"].size(), 1U);
  EXPECT_EQ(table["members"][0]["member"], "zk2:2181");
  EXPECT_TRUE(table["members"][0]["age_seconds"].is_null()) << "no report yet";
  EXPECT_EQ(table["members"][0]["inside"], document["members"][0]["inside"]);
}

}  // namespace
}  // namespace wk::exporter
