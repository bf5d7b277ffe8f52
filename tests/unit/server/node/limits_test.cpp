#include "server/node/limits.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "tests/unit/server/node/silent_owner.h"
#include "tests/unit/server/replica/member.h"

namespace wk::node {
namespace {

using exporter::Limit;
using testing::ElementsAre;
using namespace std::chrono_literals;

class LimitsTest : public testing::Test {
 protected:
  LimitsTest() : port_(io_, {}, owner_), client_(member_) { client_.open(); }

  std::vector<std::string> names(const std::vector<Limit>& limits) {
    std::vector<std::string> all;
    for (const Limit& limit : limits) all.emplace_back(limit.name);
    return all;
  }
  static Limit one(const std::vector<Limit>& limits, std::string_view name) {
    for (const Limit& limit : limits)
      if (limit.name == name) return limit;
    ADD_FAILURE() << name << " is not among them";
    return {};
  }
  void walk_znodes() {
    while (!surveys_.znodes().state().finished) surveys_.slice();
  }

  boost::asio::io_context io_;
  SilentOwner owner_;
  net::ClientPort port_;
  replica::Member member_;
  replica::Client client_;
  config::ClientLimits configured_;
  Surroundings surroundings_;
  Surveys surveys_{member_.replica, port_};
  Limits limits_{{configured_, member_.replica, port_, surroundings_, surveys_}};
};

TEST_F(LimitsTest, WhatIsNotKnownOrHasNoBoundIsAbsent) {
  EXPECT_THAT(names(limits_.look(member_.now)), ElementsAre("outstanding_requests", "zxid_counter"));
  configured_.global_outstanding = 0;
  EXPECT_THAT(names(limits_.look(member_.now)), ElementsAre("zxid_counter"));
}

TEST_F(LimitsTest, AllOfThem) {
  EXPECT_EQ(client_.create("/a", "12345"), jute::ErrorCode::kOk);
  EXPECT_EQ(client_.create("/a/child", ""), jute::ErrorCode::kOk);
  walk_znodes();
  configured_.max_connections = 100;
  configured_.max_request_bytes = 1'000;
  surroundings_ = {.open_descriptors = 17,
                   .descriptors_max = 1'024,
                   .log_disk = DiskSpace{60, 100},
                   .snapshot_disk = DiskSpace{1, 50},
                   .resident_bytes = 10,
                   .memory_bytes_max = 40};
  const std::vector<Limit> limits = limits_.look(member_.now);
  // Nobody is connected to the port: there is no address.
  EXPECT_THAT(names(limits),
              ElementsAre("znode_data", "child_list_reply", "memory", "log_disk", "snapshot_disk",
                          "descriptors", "connections", "outstanding_requests", "zxid_counter"));
  EXPECT_EQ(one(limits, "znode_data").used, 5);
  EXPECT_EQ(one(limits, "znode_data").bound, 1'000);
  EXPECT_EQ(one(limits, "znode_data").about, "/a");
  EXPECT_TRUE(one(limits, "znode_data").in_bytes);
  EXPECT_GT(one(limits, "child_list_reply").used, 0);
  EXPECT_EQ(one(limits, "log_disk").used, 60);
  EXPECT_EQ(one(limits, "memory").bound, 40);
  EXPECT_EQ(one(limits, "descriptors").used, 17);
  EXPECT_FALSE(one(limits, "descriptors").in_bytes);
  EXPECT_EQ(one(limits, "connections").bound, 100);
  EXPECT_EQ(one(limits, "zxid_counter").used, member_.replica.last_applied().counter());
  EXPECT_EQ(one(limits, "zxid_counter").bound, 4'294'967'295.0);
}

TEST_F(LimitsTest, TheLongestReplyNeedNotListTheMostChildren) {
  for (int parent = 0; parent < 20; ++parent) {
    const std::string path = fmt::format("/many-{}", parent);
    client_.create(path, "");
    for (int child = 0; child < 30; ++child) client_.create(fmt::format("{}/{}", path, child), "");
  }
  client_.create("/few", "");
  for (int child = 0; child < 10; ++child)
    client_.create(fmt::format("/few/{}{}", std::string(150, 'x'), child), "");
  walk_znodes();
  configured_.max_request_bytes = 10'000;
  const Limit limit = one(limits_.look(member_.now), "child_list_reply");
  EXPECT_EQ(limit.used, 4 + 10 * (4 + 151));
  EXPECT_EQ(limit.about, "/few");
}

TEST_F(LimitsTest, CountsDownWhatGrowsAndOnlyThat) {
  surroundings_.open_descriptors = 100;
  surroundings_.descriptors_max = 1'000;
  surroundings_.log_disk = DiskSpace{0, 1'000'000};
  Moment now = member_.now;
  std::vector<Limit> limits = limits_.look(now);
  EXPECT_FALSE(one(limits, "log_disk").left);
  for (int minute = 0; minute < 20; ++minute) {
    now = now + std::chrono::minutes(1);
    surroundings_.log_disk->used_bytes += 6'000;
    limits = limits_.look(now);
  }
  ASSERT_TRUE(one(limits, "log_disk").left);
  EXPECT_DOUBLE_EQ(one(limits, "log_disk").left->count(), (1'000'000.0 - 120'000) / 100);
  EXPECT_FALSE(one(limits, "descriptors").left) << "does not grow";
  EXPECT_FALSE(one(limits, "outstanding_requests").left) << "comes and goes";
}

}  // namespace
}  // namespace wk::node
