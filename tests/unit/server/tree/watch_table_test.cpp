#include "server/tree/watch_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "server/tree/path.h"

namespace wk::tree {
namespace {

using jute::AddWatchMode;
using jute::WatcherType;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr ConnectionId kOne{1};
constexpr ConnectionId kTwo{2};
constexpr ConnectionId kThree{3};

class WatchTableTest : public testing::Test {
 protected:
  std::vector<ConnectionId> data(std::string_view path) {
    std::vector<ConnectionId> notified;
    const std::size_t count = table_.fire_data(path, notified);
    EXPECT_EQ(count, notified.size());
    return notified;
  }
  std::vector<ConnectionId> deleted(std::string_view path) {
    std::vector<ConnectionId> notified;
    const std::size_t count = table_.fire_deleted(path, notified);
    EXPECT_EQ(count, notified.size());
    return notified;
  }
  std::vector<ConnectionId> children(std::string_view path) {
    std::vector<ConnectionId> notified;
    const std::size_t count = table_.fire_children(path, notified);
    EXPECT_EQ(count, notified.size());
    return notified;
  }

  WatchTable table_{1};
};

TEST_F(WatchTableTest, OneShotWatchesFireOnceForTheirKind) {
  table_.add("/a", kOne, WatchKind::kData);
  table_.add("/a", kTwo, WatchKind::kChild);
  EXPECT_THAT(data("/b"), IsEmpty());
  EXPECT_THAT(children("/b"), IsEmpty());
  EXPECT_THAT(data("/a"), ElementsAre(kOne));
  EXPECT_THAT(data("/a"), IsEmpty());
  EXPECT_THAT(children("/a"), ElementsAre(kTwo));
  EXPECT_THAT(children("/a"), IsEmpty());
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(WatchTableTest, AddingTwiceIsAddingOnce) {
  table_.add("/a", kOne, WatchKind::kData);
  table_.add("/a", kOne, WatchKind::kData);
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_THAT(data("/a"), ElementsAre(kOne));
}

TEST_F(WatchTableTest, DeletionNotifiesAConnectionOnceThroughBothKinds) {
  table_.add("/a", kOne, WatchKind::kData);
  table_.add("/a", kOne, WatchKind::kChild);
  table_.add("/a", kTwo, WatchKind::kChild);
  EXPECT_THAT(deleted("/a"), ElementsAre(kOne, kTwo));
  EXPECT_EQ(table_.size(), 0U) << "the watch that was not needed is used up too";
}

TEST_F(WatchTableTest, PersistentWatchesStayAndSurviveDeletion) {
  table_.add("/a", kOne, AddWatchMode::kPersistent);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(data("/a"), ElementsAre(kOne));
    EXPECT_THAT(children("/a"), ElementsAre(kOne));
    EXPECT_THAT(deleted("/a"), ElementsAre(kOne));
    EXPECT_THAT(data("/a/b"), IsEmpty());
  }
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(WatchTableTest, RecursiveWatchesSeeEverythingBelowInTheDataTableOnly) {
  table_.add("/a", kOne, AddWatchMode::kPersistentRecursive);
  table_.add("/", kTwo, AddWatchMode::kPersistentRecursive);
  EXPECT_THAT(data("/a"), UnorderedElementsAre(kOne, kTwo));
  EXPECT_THAT(data("/a/b/c"), UnorderedElementsAre(kOne, kTwo));
  EXPECT_THAT(deleted("/a/b"), UnorderedElementsAre(kOne, kTwo));
  EXPECT_THAT(children("/a"), IsEmpty());
  EXPECT_THAT(data("/ab"), ElementsAre(kTwo));
  EXPECT_THAT(data("/"), ElementsAre(kTwo));
  EXPECT_EQ(table_.size(), 2U);
}

TEST_F(WatchTableTest, ManyWatchesOfOneConnectionGiveOneNotice) {
  table_.add("/a/b", kOne, WatchKind::kData);
  table_.add("/a/b", kOne, AddWatchMode::kPersistent);
  for (const char* path : {"/", "/a", "/a/b"}) table_.add(path, kOne, AddWatchMode::kPersistentRecursive);
  EXPECT_THAT(deleted("/a/b"), ElementsAre(kOne));
  EXPECT_THAT(deleted("/a/b"), ElementsAre(kOne));
  EXPECT_EQ(table_.counts(WatchKind::kData), (WatchCounts{1, 3, 3}));
}

TEST_F(WatchTableTest, PathsAreTakenLiterally) {
  table_.add("", kOne, WatchKind::kData);
  table_.add("a", kOne, WatchKind::kData);
  table_.add("", kTwo, AddWatchMode::kPersistentRecursive);
  EXPECT_THAT(data("/a"), IsEmpty());
  EXPECT_THAT(data("/"), IsEmpty());
  EXPECT_EQ(table_.size(), 3U);
  EXPECT_TRUE(table_.contains("", kOne, WatcherType::kData));
}

TEST_F(WatchTableTest, ContainsAndRemoveByType) {
  const WatcherType all[] = {WatcherType::kChildren, WatcherType::kData, WatcherType::kAny,
                             WatcherType::kPersistent, WatcherType::kPersistentRecursive};
  const auto found = [&](std::string_view path) {
    std::vector<WatcherType> types;
    for (const WatcherType type : all)
      if (table_.contains(path, kOne, type)) types.push_back(type);
    return types;
  };
  table_.add("/d", kOne, WatchKind::kData);
  table_.add("/c", kOne, WatchKind::kChild);
  table_.add("/p", kOne, AddWatchMode::kPersistent);
  table_.add("/r", kOne, AddWatchMode::kPersistentRecursive);
  EXPECT_THAT(found("/d"), ElementsAre(WatcherType::kData, WatcherType::kAny));
  EXPECT_THAT(found("/c"), ElementsAre(WatcherType::kChildren, WatcherType::kAny));
  EXPECT_THAT(found("/p"), ElementsAre(WatcherType::kAny, WatcherType::kPersistent));
  EXPECT_THAT(found("/r"), ElementsAre(WatcherType::kAny, WatcherType::kPersistentRecursive));
  EXPECT_THAT(found("/"), IsEmpty());
  EXPECT_FALSE(table_.contains("/d", kTwo, WatcherType::kAny));
  EXPECT_FALSE(table_.contains("/d", kOne, static_cast<WatcherType>(6)));

  EXPECT_FALSE(table_.remove("/d", kOne, WatcherType::kChildren));
  EXPECT_FALSE(table_.remove("/d", kTwo, WatcherType::kData));
  EXPECT_FALSE(table_.remove("/d", kOne, static_cast<WatcherType>(0)));
  EXPECT_TRUE(table_.remove("/d", kOne, WatcherType::kData));
  EXPECT_FALSE(table_.remove("/d", kOne, WatcherType::kData));
  EXPECT_TRUE(table_.remove("/c", kOne, WatcherType::kChildren));
  EXPECT_TRUE(table_.remove("/p", kOne, WatcherType::kPersistent));
  EXPECT_TRUE(table_.remove("/r", kOne, WatcherType::kPersistentRecursive));
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_THAT(data("/r/x"), IsEmpty());
}

TEST_F(WatchTableTest, RemovingOneModeLeavesTheOthers) {
  table_.add("/a", kOne, WatchKind::kData);
  table_.add("/a", kOne, WatchKind::kChild);
  table_.add("/a", kOne, AddWatchMode::kPersistent);
  table_.add("/a", kOne, AddWatchMode::kPersistentRecursive);
  EXPECT_TRUE(table_.remove("/a", kOne, WatcherType::kPersistent));
  EXPECT_TRUE(table_.contains("/a", kOne, WatcherType::kData));
  EXPECT_TRUE(table_.contains("/a", kOne, WatcherType::kChildren));
  EXPECT_TRUE(table_.remove("/a", kOne, WatcherType::kPersistentRecursive));
  EXPECT_THAT(data("/a/b"), IsEmpty());
  table_.add("/a", kOne, AddWatchMode::kPersistentRecursive);
  EXPECT_TRUE(table_.remove("/a", kOne, WatcherType::kAny));
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_FALSE(table_.remove("/a", kOne, WatcherType::kAny));
}

TEST_F(WatchTableTest, AnEndedConnectionLeavesNothingBehind) {
  for (const ConnectionId connection : {kOne, kTwo}) {
    table_.add("/a", connection, WatchKind::kData);
    table_.add("/b", connection, AddWatchMode::kPersistent);
    table_.add("/", connection, AddWatchMode::kPersistentRecursive);
  }
  table_.remove_connection(kOne);
  table_.remove_connection(kThree);
  EXPECT_EQ(table_.size(), 4U);
  EXPECT_THAT(deleted("/a"), ElementsAre(kTwo));
  table_.remove_connection(kTwo);
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_EQ(table_.counts(WatchKind::kData), WatchCounts{});
  EXPECT_EQ(table_.counts(WatchKind::kChild), WatchCounts{});
  EXPECT_THAT(data("/b"), IsEmpty());
}

// Source: watch/WatchManager.java (triggerWatch keeps the connection listed, unwatch drops it).
TEST_F(WatchTableTest, CountsAsApacheDoes) {
  table_.add("/a", kOne, WatchKind::kData);
  table_.add("/b", kOne, WatchKind::kData);
  table_.add("/a", kTwo, WatchKind::kData);
  table_.add("/a", kTwo, AddWatchMode::kPersistentRecursive);
  EXPECT_EQ(table_.counts(WatchKind::kData), (WatchCounts{2, 2, 3}));
  EXPECT_EQ(table_.counts(WatchKind::kChild), WatchCounts{});
  data("/a");
  data("/b");
  EXPECT_EQ(table_.counts(WatchKind::kData), (WatchCounts{2, 1, 1}))
      << "one whose watches fired still counts";
  table_.remove("/a", kTwo, WatcherType::kAny);
  EXPECT_EQ(table_.counts(WatchKind::kData), (WatchCounts{1, 0, 0})) << "one that removed its last does not";
  table_.remove_connection(kOne);
  EXPECT_EQ(table_.counts(WatchKind::kData), WatchCounts{});
}

TEST_F(WatchTableTest, DumpsByPathAndByConnection) {
  table_.add("/a", kOne, WatchKind::kData);
  table_.add("/b", kOne, WatchKind::kData);
  table_.add("/b", kTwo, AddWatchMode::kPersistent);
  table_.add("/c", kTwo, WatchKind::kChild);
  using Pair = std::pair<std::string, std::uint64_t>;
  std::vector<Pair> by_path;
  table_.for_each_by_path(WatchKind::kData, [&](std::string_view path, ConnectionId connection) {
    by_path.emplace_back(path, connection.value);
  });
  EXPECT_THAT(by_path, UnorderedElementsAre(Pair("/a", 1), Pair("/b", 1), Pair("/b", 2)));
  std::vector<Pair> by_connection;
  table_.for_each_by_connection(WatchKind::kChild, [&](ConnectionId connection, std::string_view path) {
    by_connection.emplace_back(path, connection.value);
  });
  EXPECT_THAT(by_connection, UnorderedElementsAre(Pair("/b", 2), Pair("/c", 2)));
}

TEST_F(WatchTableTest, ManyWatchersOfOnePathAndManyPathsOfOneWatcher) {
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    table_.add("/hot", {i}, WatchKind::kData);
    table_.add("/n" + std::to_string(i), kOne, WatchKind::kData);
  }
  EXPECT_EQ(table_.counts(WatchKind::kData), (WatchCounts{5'000, 5'001, 10'000}));
  EXPECT_EQ(data("/hot").size(), 5'000U);
  for (std::uint64_t i = 1; i <= 5'000; i += 7)
    EXPECT_THAT(data("/n" + std::to_string(i)), ElementsAre(kOne)) << i;
  table_.remove_connection(kOne);
  EXPECT_EQ(table_.size(), 0U);
}

// ----------------------------------------------------------------------------------------------------- model

/// The definition, as naively as can be: by kind, path and connection the set of modes (0 standard, 1
/// persistent, 2 recursive).
class WatchModel {
 public:
  using Key = std::tuple<int, std::string, std::uint64_t>;
  std::map<Key, std::set<int>> watches;

  std::set<std::uint64_t> fire(int kind, const std::string& path) {
    std::set<std::uint64_t> notified;
    for (auto at = watches.begin(); at != watches.end();) {
      auto& [key, modes] = *at;
      const auto& [its_kind, its_path, connection] = key;
      const bool above = its_path == "/" ? path != "/" : path.starts_with(its_path + "/");
      if (its_kind == kind && its_path == path) {
        notified.insert(connection);
        modes.erase(0);
      } else if (its_kind == kind && kind == 0 && above && modes.contains(2)) {
        notified.insert(connection);
      }
      at = modes.empty() ? watches.erase(at) : std::next(at);
    }
    return notified;
  }
};

TEST(WatchTableModel, LongRandomRunsMatchTheDefinition) {
  const std::vector<std::string> paths{"/", "/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f"};
  for (unsigned seed = 1; seed <= 4; ++seed) {
    std::mt19937 random(seed);
    WatchTable table(seed);
    WatchModel model;
    for (int step = 0; step < 20'000; ++step) {
      const std::string& path = paths[random() % paths.size()];
      const std::uint64_t connection = 1 + random() % 25;
      const auto to_set = [](const std::vector<ConnectionId>& ids) {
        std::set<std::uint64_t> values;
        for (const ConnectionId id : ids) EXPECT_TRUE(values.insert(id.value).second);
        return values;
      };
      std::vector<ConnectionId> notified;
      switch (random() % 12) {
        case 0:
        case 1:
        case 2:
          table.add(path, {connection}, WatchKind::kData);
          model.watches[{0, path, connection}].insert(0);
          break;
        case 3:
        case 4:
          table.add(path, {connection}, WatchKind::kChild);
          model.watches[{1, path, connection}].insert(0);
          break;
        case 5:
          table.add(path, {connection}, AddWatchMode::kPersistent);
          model.watches[{0, path, connection}].insert(1);
          model.watches[{1, path, connection}].insert(1);
          break;
        case 6:
          table.add(path, {connection}, AddWatchMode::kPersistentRecursive);
          model.watches[{0, path, connection}].insert(2);
          break;
        case 7:
          table.fire_data(path, notified);
          ASSERT_EQ(to_set(notified), model.fire(0, path));
          break;
        case 8:
          table.fire_children(path, notified);
          ASSERT_EQ(to_set(notified), model.fire(1, path));
          break;
        case 9: {
          table.fire_deleted(path, notified);
          std::set<std::uint64_t> expected = model.fire(0, path);
          expected.merge(model.fire(1, path));
          ASSERT_EQ(to_set(notified), expected);
          break;
        }
        case 10: {
          const bool any =
              model.watches.erase({0, path, connection}) + model.watches.erase({1, path, connection}) > 0;
          ASSERT_EQ(table.contains(path, {connection}, WatcherType::kAny), any);
          ASSERT_EQ(table.remove(path, {connection}, WatcherType::kAny), any);
          break;
        }
        case 11:
          if (random() % 10 != 0) break;
          table.remove_connection({connection});
          std::erase_if(model.watches,
                        [&](const auto& watch) { return std::get<2>(watch.first) == connection; });
          break;
      }
      ASSERT_EQ(table.size(), model.watches.size()) << "seed " << seed << " step " << step;
    }
    std::set<std::pair<std::string, std::uint64_t>> listed;
    table.for_each_by_path(WatchKind::kData, [&](std::string_view path, ConnectionId connection) {
      listed.emplace(path, connection.value);
    });
    std::set<std::pair<std::string, std::uint64_t>> expected;
    for (const auto& [key, modes] : model.watches)
      if (std::get<0>(key) == 0) expected.emplace(std::get<1>(key), std::get<2>(key));
    EXPECT_EQ(listed, expected);
  }
}

}  // namespace
}  // namespace wk::tree
