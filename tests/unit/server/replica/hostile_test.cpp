// Random and mutilated frames: whatever clients send, the replica neither crashes nor lets one client's bytes
// reach another, and what it has logged can be replayed to the same tree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;

class Hostility {
 public:
  explicit Hostility(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  Bytes frame() {
    static constexpr std::int32_t kCodes[] = {0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  11,
                                              12,  13,  14,  15,  16,  17,  18,  19,  20,  21, 22,
                                              100, 101, 102, 103, 104, 105, 106, 107, -11, 55, -1};
    const auto op = static_cast<OpCode>(kCodes[below(std::size(kCodes))]);
    const jute::RequestHeader header{static_cast<std::int32_t>(below(1'000)), op};
    Bytes bytes;
    switch (below(7)) {
      case 0:
        bytes = encode(header, jute::ReadRequest{path(), below(2) == 0});
        break;
      case 1:
        bytes = encode(header,
                       jute::CreateRequest{path(), "data", std::vector<jute::Acl>{anyone()},
                                           static_cast<CreateMode>(below(8))},
                       static_cast<std::int64_t>(below(5'000)));
        break;
      case 2:
        bytes = encode(header, jute::SetDataRequest{path(), std::nullopt, -1});
        break;
      case 3:
        bytes = encode(
            header,
            jute::SetWatches2{{Zxid{below(50)}, {path(), path()}, {path()}, {path()}}, {path()}, {path()}});
        break;
      case 4: {
        jute::MultiRequest multi;
        for (std::uint64_t i = below(4); i > 0; --i) {
          multi.operations.push_back({OpCode::kCreate, Client::create_request(path(), "m")});
          multi.operations.push_back({OpCode::kDelete, jute::DeleteRequest{path(), -1}});
        }
        bytes = encode(jute::RequestHeader{header.xid, OpCode::kMulti}, multi);
        break;
      }
      case 5:
        bytes = encode(jute::RequestHeader{header.xid, OpCode::kAddWatch},
                       jute::AddWatchRequest{path(), static_cast<jute::AddWatchMode>(below(3))});
        break;
      default:
        bytes = encode(header);
        for (std::uint64_t i = below(60); i > 0; --i) bytes.push_back(static_cast<std::byte>(below(256)));
        break;
    }
    if (below(4) == 0)
      for (std::uint64_t i = below(4); i > 0; --i)
        bytes[below(bytes.size())] = static_cast<std::byte>(below(256));
    if (below(8) == 0) bytes.resize(below(bytes.size() + 1));
    return bytes;
  }

 private:
  std::string path() {
    static constexpr const char* kPaths[] = {"/a",  "/a/b", "/a/b/c", "/",   "",         "/zookeeper/quota",
                                             "/a/", "//",   "/b",     "/b/", "/b/x\x01", "/zookeeper/config"};
    return kPaths[below(std::size(kPaths))];
  }

  std::mt19937_64 random_;
};

TEST(Hostile, NothingThatClientsSendBreaksTheReplica) {
  std::uint64_t answered = 0;
  std::uint64_t logged = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Settings settings = test_settings();
    settings.container_check_interval = std::chrono::milliseconds{500};
    Member member(settings);
    Hostility hostility(seed);
    std::vector<ConnectionId> connections;
    for (int round = 0; round < 400; ++round) {
      if (connections.size() < 6) {
        const ConnectionId id = member.accept();
        connections.push_back(id);
        if (hostility.below(10) == 0)
          member.frame(id, hostility.frame());
        else
          member.frame(
              id, encode(jute::ConnectRequest{0, Zxid{}, 4'000, SessionId{}, std::string(16, '\0'), false}));
      }
      member.frame(connections[hostility.below(connections.size())], hostility.frame());
      if (hostility.below(5) == 0) member.sync();
      if (hostility.below(20) == 0) member.advance(std::chrono::milliseconds{400});
      if (hostility.below(50) == 0) member.step(ClientGone{connections[hostility.below(connections.size())]});
      std::erase_if(connections,
                    [&](ConnectionId id) { return member.replica.connections().find(id) == nullptr; });
    }
    member.sync();
    EXPECT_EQ(member.replica.stats().digest_mismatches, 0U);
    EXPECT_EQ(member.replica.outstanding_requests(), 0U);
    EXPECT_TRUE(member.replica.pipeline().in_flight().empty());
    EXPECT_EQ(member.replica.pipeline().outstanding_changes().size(), 0U);
    answered += member.replica.stats().packets_sent;
    logged += member.log.size();

    Recovery recovery(settings);
    for (const auto& [zxid, payload] : member.log)
      ASSERT_TRUE(recovery.replay(payload).has_value()) << zxid.to_string();
    EXPECT_EQ(recovery.report().digest_mismatches, 0U);
    EXPECT_EQ(recovery.take()->tree.digest(), member.replica.tree().digest());
  }
  // The walk must have come past the front door.
  EXPECT_GT(answered, 5'000U);
  EXPECT_GT(logged, 3'000U);
}

}  // namespace
}  // namespace wk::replica
