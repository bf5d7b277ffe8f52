#include "server/node/slow_request_log.h"

#include <gtest/gtest.h>

namespace wk::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = std::chrono::steady_clock::time_point;

const Time kNow{seconds{1'000}};

replica::SlowRequest write() {
  replica::SlowRequest slow;
  slow.op = jute::OpCode::kSetData;
  slow.path = "/config";
  slow.session = SessionId{0xabc};
  slow.zxid = Zxid{0x10};
  slow.latency = milliseconds{1'234};
  slow.queued_before = 7;
  slow.moments.emplace();
  for (std::size_t i = 0; i < slow.moments->size(); ++i) (*slow.moments)[i] = Time{milliseconds{i * i}};
  return slow;
}

replica::SlowRequests::ToLog several(std::size_t count, std::uint64_t left_out = 0) {
  return {std::vector<replica::SlowRequest>(count, write()), left_out};
}

TEST(SlowRequestLog, ALineTellsWhoWhatAndWhere) {
  SlowRequestLog log;
  replica::SlowRequests::ToLog slow = several(1);
  slow.requests[0].during_snapshot = true;
  EXPECT_EQ(log.lines(slow, kNow).at(0),
            "slow request: setData /config of session 0xabc took 1234 ms (zxid 0x10, prepare 1.0 ms, "
            "log_queue 3.0 ms, "
            "append 5.0 ms, fsync 7.0 ms, quorum 9.0 ms, apply 11.0 ms, reply 13.0 ms); 7 transactions were "
            "under way "
            "before it; a snapshot was being written");
}

TEST(SlowRequestLog, AReadHasNoStages) {
  SlowRequestLog log;
  replica::SlowRequest read;
  read.op = jute::OpCode::kGetChildren2;
  read.session = SessionId{1};
  read.latency = seconds{2};
  EXPECT_EQ(log.lines({{read}, 0}, kNow).at(0), "slow request: getChildren2 of session 0x1 took 2000 ms");
}

TEST(SlowRequestLog, APathForgesNoLine) {
  SlowRequestLog log;
  replica::SlowRequests::ToLog slow = several(1);
  slow.requests[0].path = "/x\n2026-11-23T14:15:00.000+00:00 critical forged\n\x1b[2J";
  const std::string line = log.lines(slow, kNow).at(0);
  for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20U) << line;
}

TEST(SlowRequestLog, AFewLinesAtMostAndTheNextTellsHowManyWereLeftOut) {
  SlowRequestLog log;
  EXPECT_EQ(log.lines(several(8, 100), kNow).size(), SlowRequestLog::kLines);
  EXPECT_TRUE(log.lines(several(4), kNow + seconds{9}).empty());
  const auto later = log.lines(several(2), kNow + SlowRequestLog::kWindow);
  ASSERT_EQ(later.size(), 2U);
  // 100 were told with the first line.
  EXPECT_NE(later[0].find("; 7 more were as slow since the last such line"), std::string::npos) << later[0];
  EXPECT_EQ(later[1].find("more were"), std::string::npos);
}

}  // namespace
}  // namespace wk::node
