#include "client/watch_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wk::client {
namespace {

using jute::EventType;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = WatchTable::Kind;

class WatchTableTest : public testing::Test {
 protected:
  void add(Kind kind, const std::string& path, const std::string& label) {
    table_.add(kind, path, [this, label](const jute::WatcherEvent&) { fired_.push_back(label); });
  }

  std::vector<std::string> fire(EventType type, const std::string& path) {
    fired_.clear();
    const jute::WatcherEvent event{type, jute::KeeperState::kSyncConnected, path};
    for (const auto& handler : table_.take(event)) handler(event);
    return fired_;
  }

  WatchTable table_;
  std::vector<std::string> fired_;
};

TEST_F(WatchTableTest, EventTypesFireTheirKinds) {
  const auto fill = [&] {
    table_.take_all();
    add(Kind::kData, "/a", "data");
    add(Kind::kExist, "/a", "exist");
    add(Kind::kChild, "/a", "child");
  };
  fill();
  EXPECT_THAT(fire(EventType::kNodeCreated, "/a"), ElementsAre("data", "exist"));
  EXPECT_EQ(table_.size(), 1U);
  fill();
  EXPECT_THAT(fire(EventType::kNodeDataChanged, "/a"), ElementsAre("data", "exist"));
  fill();
  EXPECT_THAT(fire(EventType::kNodeDeleted, "/a"), ElementsAre("data", "exist", "child"));
  EXPECT_EQ(table_.size(), 0U);
  fill();
  EXPECT_THAT(fire(EventType::kNodeChildrenChanged, "/a"), ElementsAre("child"));
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(WatchTableTest, WatchesFireOnceAndOnlyForTheirPath) {
  add(Kind::kData, "/a", "first");
  add(Kind::kData, "/a", "second");
  add(Kind::kData, "/b", "other");
  EXPECT_THAT(fire(EventType::kNodeDataChanged, "/a"), ElementsAre("first", "second"));
  EXPECT_THAT(fire(EventType::kNodeDataChanged, "/a"), IsEmpty());
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(WatchTableTest, TypesThatNoServerSendsFireNothing) {
  add(Kind::kData, "/a", "data");
  EXPECT_THAT(fire(EventType::kNone, "/a"), IsEmpty());
  EXPECT_THAT(fire(EventType::kDataWatchRemoved, "/a"), IsEmpty());
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(WatchTableTest, TakeAllEmptiesTheTable) {
  add(Kind::kData, "/a", "data");
  add(Kind::kChild, "/b", "child");
  EXPECT_EQ(table_.take_all().size(), 2U);
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_THAT(table_.registrations(Zxid{1}), IsEmpty());
}

TEST_F(WatchTableTest, RegistrationsListEveryPathOnce) {
  add(Kind::kData, "/d", "1");
  add(Kind::kData, "/d", "2");
  add(Kind::kExist, "/e", "3");
  add(Kind::kChild, "/c", "4");
  EXPECT_THAT(table_.registrations(Zxid{7}), ElementsAre(jute::SetWatches{Zxid{7}, {"/d"}, {"/e"}, {"/c"}}));
}

TEST_F(WatchTableTest, RegistrationsAreCutBelowTheLimit) {
  for (int i = 0; i < 300; ++i)
    add(Kind::kChild, "/" + std::to_string(1000 + i) + std::string(995, 'x'), "w");
  const auto records = table_.registrations(Zxid{1});
  // 1,004 bytes each: 130 fit into 128 KiB.
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].child_watches.size(), 130U);
  EXPECT_EQ(records[1].child_watches.size(), 130U);
  EXPECT_EQ(records[2].child_watches.size(), 40U);
}

TEST_F(WatchTableTest, PathLongerThanTheLimitTravelsAlone) {
  add(Kind::kData, "/a", "1");
  add(Kind::kExist, std::string(kSetWatchesMaxBytes, 'x'), "2");
  add(Kind::kChild, "/c", "3");
  const auto records = table_.registrations(Zxid{1});
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1].exist_watches.size(), 1U);
}

}  // namespace
}  // namespace wk::client
