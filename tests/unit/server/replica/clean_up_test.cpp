#include "server/replica/clean_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jute/txn_records.h"
#include "tests/unit/server/replica/member.h"

namespace wk::replica {
namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct CleanUpTest : testing::Test {
  explicit CleanUpTest(const Settings& settings = quick()) : member(settings) {
    member.auto_sync = true;
    client.emplace(member);
    client->open(40'000);
  }
  static Settings quick() {
    Settings settings = test_settings();
    settings.container_check_interval = milliseconds{1'000};
    return settings;
  }
  void advance(milliseconds duration) {
    while (duration.count() > 0) {
      member.advance(milliseconds{500});
      duration -= milliseconds{500};
      client->send_as(-2, OpCode::kPing);
      client->next();
    }
  }
  void create_container(const std::string& path) {
    ASSERT_EQ(
        client->outcome(OpCode::kCreateContainer, Client::create_request(path, "", CreateMode::kContainer)),
        ErrorCode::kOk);
  }
  void create_ttl(const std::string& path, std::int64_t ttl_ms) {
    ASSERT_EQ(client->outcome(OpCode::kCreateTtl,
                              Client::create_request(path, "", CreateMode::kPersistentWithTtl), ttl_ms),
              ErrorCode::kOk);
  }

  Member member;
  std::optional<Client> client;
};

TEST_F(CleanUpTest, AContainerGoesAfterItsLastChild) {
  create_container("/c");
  ASSERT_EQ(client->create("/c/x"), ErrorCode::kOk);
  advance(seconds{3});
  EXPECT_TRUE(member.replica.tree().find("/c"));
  ASSERT_EQ(client->outcome(OpCode::kDelete, jute::DeleteRequest{"/c/x", -1}), ErrorCode::kOk);
  advance(seconds{2});
  EXPECT_FALSE(member.replica.tree().find("/c"));
  EXPECT_EQ(member.replica.stats().containers_removed, 1U);
  const jute::Txn txn = jute::decode_txn(member.log.rbegin()->second).value();
  EXPECT_EQ(txn.header.session_id, SessionId{0});
  EXPECT_EQ(txn.header.cxid, 0);
  EXPECT_EQ(txn.header.type, OpCode::kDeleteContainer);
}

TEST_F(CleanUpTest, AContainerThatGotAChildMeanwhileIsNotCounted) {
  create_container("/c");
  ASSERT_EQ(client->create("/c/x"), ErrorCode::kOk);
  ASSERT_EQ(client->outcome(OpCode::kDelete, jute::DeleteRequest{"/c/x", -1}), ErrorCode::kOk);
  member.auto_sync = false;
  client->send_create("/c/y");  // prepared, so the removal behind it fails
  member.advance(seconds{2});
  member.sync();
  EXPECT_TRUE(member.replica.tree().find("/c"));
  EXPECT_EQ(member.replica.stats().containers_removed, 0U);
}

TEST_F(CleanUpTest, AContainerThatNeverHadAChildStays) {
  create_container("/c");
  advance(seconds{120});
  EXPECT_TRUE(member.replica.tree().find("/c"));
}

TEST_F(CleanUpTest, ATtlNodeGoesWhenItIsNotWrittenForItsTime) {
  create_ttl("/t", 2'500);
  advance(seconds{2});
  ASSERT_EQ(client->outcome(OpCode::kSetData, jute::SetDataRequest{"/t", "again", -1}), ErrorCode::kOk);
  advance(seconds{2});
  EXPECT_TRUE(member.replica.tree().find("/t"));
  advance(seconds{2});
  EXPECT_FALSE(member.replica.tree().find("/t"));
}

TEST_F(CleanUpTest, WatchersLearnOfIt) {
  create_ttl("/t", 1);
  client->call(OpCode::kExists, jute::ReadRequest{"/t", true});
  member.advance(seconds{2});
  const Reply fired = client->next().value();
  EXPECT_EQ(fired.as<jute::WatcherEvent>().type, jute::EventType::kNodeDeleted);
}

struct NeverUsedTest : CleanUpTest {
  NeverUsedTest() : CleanUpTest(settings()) {}
  static Settings settings() {
    Settings settings = quick();
    settings.container_max_never_used = seconds{5};
    return settings;
  }
};

TEST_F(NeverUsedTest, GoesWhenItIsOldEnough) {
  create_container("/c");
  advance(seconds{4});
  EXPECT_TRUE(member.replica.tree().find("/c"));
  advance(seconds{3});
  EXPECT_FALSE(member.replica.tree().find("/c"));
}

struct SlowCleanUpTest : CleanUpTest {
  SlowCleanUpTest() : CleanUpTest(settings()) {}
  static Settings settings() {
    Settings settings = quick();
    settings.container_max_per_minute = 60;
    return settings;
  }
};

TEST_F(SlowCleanUpTest, RemovesNoFasterThanTheConfiguredRate) {
  for (int i = 0; i < 5; ++i) create_ttl("/t" + std::to_string(i), 1);
  const auto left = [&] { return member.replica.tree().ttl_count(); };
  member.advance(milliseconds{1'000});
  EXPECT_EQ(left(), 4U);
  EXPECT_EQ(member.replica.clean_up_due(), 4U);
  member.advance(milliseconds{900});
  EXPECT_EQ(left(), 4U);
  member.advance(milliseconds{200});
  EXPECT_EQ(left(), 3U);
  member.advance(seconds{3});
  EXPECT_EQ(left(), 0U);
  EXPECT_EQ(member.replica.stats().containers_removed, 5U);
}

TEST_F(CleanUpTest, RestsWhileTheLogHasNoRoom) {
  create_ttl("/t", 1);
  member.exhaust(member.last_logged());
  member.advance(seconds{3});
  EXPECT_TRUE(member.replica.tree().find("/t"));
  EXPECT_EQ(member.replica.clean_up_due(), 1U);
  member.step(LogSpaceBack{});
  member.advance(seconds{1});
  EXPECT_FALSE(member.replica.tree().find("/t"));
}

}  // namespace
}  // namespace wk::replica
