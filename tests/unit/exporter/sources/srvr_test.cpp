#include "exporter/sources/srvr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/sources/version.h"
#include "tests/unit/exporter/sources/golden.h"

namespace wk::exporter {
namespace {

TEST(ParseSrvr, LeaderOfApache395) {
  for (const char* word : {"srvr", "stat"}) {
    const auto answer =
        answer_of<StatusAnswer>(parse_srvr(golden(std::string("apache-3.9.5/default-provider/4lw.") + word)));
    EXPECT_EQ(answer.implementation, Implementation::kApache);
    EXPECT_EQ(answer.version, "3.9.5");
    EXPECT_EQ(answer.role, Role::kLeader);
    EXPECT_EQ(answer.zxid, Zxid{0x100000155});
    EXPECT_EQ(answer.number("avg_latency"), 0.4645);
    EXPECT_EQ(answer.number("max_latency"), 3);
    EXPECT_EQ(answer.number("num_alive_connections"), 2);
    EXPECT_EQ(answer.number("outstanding_requests"), 0);
    EXPECT_EQ(answer.number("znode_count"), 222);
    EXPECT_EQ(answer.number("last_proposal_size"), 60);
    EXPECT_EQ(answer.number("min_proposal_size"), 48);
    EXPECT_EQ(answer.number("max_proposal_size"), 368);
    EXPECT_EQ(answer.dropped, 0U);
  }
  EXPECT_EQ(answer_of<StatusAnswer>(parse_srvr(golden("apache-3.9.5/default-provider/4lw.srvr")))
                .number("packets_received"),
            194);
}

TEST(ParseSrvr, DebiansBuildAndRoles) {
  const auto leader = answer_of<StatusAnswer>(parse_srvr(golden("apache-3.8.0-debian/leader.srvr")));
  EXPECT_EQ(leader.version, "3.8.0");
  EXPECT_EQ(leader.zxid, Zxid{0x100000000});
  EXPECT_EQ(leader.number("last_proposal_size"), std::nullopt);
  EXPECT_EQ(answer_of<StatusAnswer>(parse_srvr(golden("apache-3.8.0-debian/follower.srvr"))).role,
            Role::kFollower);
  EXPECT_EQ(answer_of<StatusAnswer>(parse_srvr(golden("apache-3.8.0-debian/observer.srvr"))).role,
            Role::kObserver);
  EXPECT_EQ(answer_of<StatusAnswer>(parse_srvr(golden("apache-3.8.0-debian/standalone.srvr"))).role,
            Role::kStandalone);
  EXPECT_EQ(answer_of<StatusAnswer>(parse_srvr(golden("apache-3.8.0-debian/denied.srvr"))).role,
            Role::kObserver);
  EXPECT_EQ(parse_srvr(golden("apache-3.8.0-debian/looking.srvr")).state, SourceState::kNotServing);
}

TEST(ParseSrvr, ReadOnlyServer) {
  const auto answer = answer_of<StatusAnswer>(parse_srvr(
      "Zookeeper version: 3.9.5-293c895a, built on x\nREAD-ONLY mode; serving only read-only clients\n"
      "Latency min/avg/max: 0/0.0/0\nReceived: 1\nSent: 0\nConnections: 1\nOutstanding: 0\nZxid: 0x7\n"
      "Mode: read-only\nNode count: 5\n"));
  EXPECT_EQ(answer.role, Role::kReadOnly);
  EXPECT_EQ(answer.zxid, Zxid{7});
}

TEST(ParseSrvr, Dialects) {
  const auto old = answer_of<StatusAnswer>(parse_srvr(golden("apache-3.4/srvr")));
  EXPECT_EQ(old.version, "3.4.14");
  EXPECT_EQ(old.zxid, Zxid{0x5000000a7});
  EXPECT_EQ(old.role, Role::kLeader);
  const auto keeper = answer_of<StatusAnswer>(parse_srvr(golden("clickhouse-keeper/srvr")));
  EXPECT_EQ(keeper.implementation, Implementation::kClickHouseKeeper);
  EXPECT_EQ(keeper.zxid, Zxid{36}) << "decimal there";
  EXPECT_EQ(keeper.number("packets_sent"), 5) << "\"Sent :\" with a blank";
  const auto raft = answer_of<StatusAnswer>(parse_srvr(golden("raftkeeper/srvr")));
  EXPECT_EQ(raft.implementation, Implementation::kRaftKeeper);
  EXPECT_EQ(raft.version, "2.1.4");
  EXPECT_EQ(raft.zxid, Zxid{812});
}

TEST(ParseSrvr, SomethingElse) {
  EXPECT_EQ(parse_srvr("220 mail.example ESMTP\r\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse_srvr(std::string(100000, '\0')).state, SourceState::kMalformed);
}

TEST(ShortVersion, LeavesOutCommitAndBuild) {
  EXPECT_EQ(short_version("3.9.5-293c895a8d966a3ecb92872be4a1daf87d725da2, built on 2026-02-11 20:15 UTC"),
            "3.9.5");
  EXPECT_EQ(
      short_version("3.5.4-beta-7f51e5b68cf2f80176ff944a9ebd2abbc65e7327, built on 05/11/2018 16:27 GMT"),
      "3.5.4-beta");
  EXPECT_EQ(short_version("3.10.0-SNAPSHOT-53a78e36, built on x"), "3.10.0-SNAPSHOT");
  EXPECT_EQ(short_version("3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC"), "3.8.0");
  EXPECT_EQ(short_version("v24.8.1.2684-testing-0123456789abcdef"), "24.8.1.2684-testing");
  EXPECT_EQ(short_version("3.6.3--6401e4ad2087061bc6b9f80dec2d69f2e3c8660a, built on 04/08/2021 16:35 GMT"),
            "3.6.3");
  EXPECT_EQ(short_version("3.4.8--1, built on 02/06/2016 03:18 GMT"), "3.4.8");
  EXPECT_EQ(short_version(""), "");
  EXPECT_EQ(short_version(std::string(1000, '9')).size(), kVersionLimit);
  EXPECT_EQ(short_version("3.9\x01\xff"), "3.9??");
}

TEST(ImplementationOf, VersionTexts) {
  EXPECT_EQ(implementation_of("3.9.5-293c895a, built on x"), Implementation::kApache);
  EXPECT_EQ(implementation_of("v24.8.1.2684"), Implementation::kClickHouseKeeper);
  EXPECT_EQ(implementation_of("RaftKeeper v2.1.4-01234567"), Implementation::kRaftKeeper);
  EXPECT_EQ(implementation_of("3.9.5-watchkeeper-0.1.0"), Implementation::kWatchkeeper);
  EXPECT_EQ(implementation_of("vi improved"), Implementation::kUnknown);
  EXPECT_EQ(implementation_of(""), Implementation::kUnknown);
}

}  // namespace
}  // namespace wk::exporter
