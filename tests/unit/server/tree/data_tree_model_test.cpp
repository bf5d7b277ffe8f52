// Long random runs of DataTree: against a model that is nothing but a map, through snapshots taken while the
// tree changes, and through replays of a log over what Apache's fuzzy snapshots look like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/tree/data_tree.h"
#include "tests/unit/server/tree/acl_lists.h"
#include "tests/unit/server/tree/tree_contents.h"

namespace wk::tree {
namespace {

constexpr std::array<std::int64_t, 5> kOwners{0, 0, 0x100, 0x101, kContainerOwner};
const std::array kLists{kOpenList, kReadList, AclBytes{{31, {"digest", "a:b"}}},
                        AclBytes{{31, {"ip", "::1"}}}};

/// One change as a log holds it.
struct Change {
  enum class Kind { kCreate, kDelete, kSetData, kSetAcl } kind = Kind::kCreate;
  std::string path{};
  std::string data{};
  std::size_t list = 0;
  std::int64_t owner = 0;
  std::int32_t version = 0;  ///< parent_cversion of kCreate
  Zxid zxid{};
};

void apply(DataTree& tree, const Change& change) {
  const auto time_ms = static_cast<std::int64_t>(change.zxid.value * 10);
  switch (change.kind) {
    case Change::Kind::kCreate:
      tree.create_node({.path = change.path,
                        .data = change.data,
                        .acl = kLists[change.list].view(),
                        .owner = change.owner,
                        .parent_cversion = change.version,
                        .zxid = change.zxid,
                        .time_ms = time_ms});
      break;
    case Change::Kind::kDelete:
      tree.delete_node(change.path, change.zxid);
      break;
    case Change::Kind::kSetData:
      tree.set_data(change.path, change.data, change.version, change.zxid, time_ms);
      break;
    case Change::Kind::kSetAcl:
      tree.set_acl(change.path, kLists[change.list].view(), change.version);
      break;
  }
}

/// Makes up changes that a leader would let through, from few paths so that they meet often.
class Leader {
 public:
  explicit Leader(unsigned seed) : random_(seed) {}

  Change next(const DataTree& tree) {
    for (;;) {
      Change change;
      change.path = random_path();
      change.zxid = Zxid{zxid_ + 1};
      const Znode node = tree.find(change.path);
      const Znode parent = tree.find(parent_of(change.path));
      const unsigned dice = random_() % 10;
      if (!node) {
        if (!parent || parent.owner_kind() == OwnerKind::kSession) continue;
        change.kind = Change::Kind::kCreate;
        change.data = std::string(random_() % 40, 'c');
        change.list = random_() % kLists.size();
        change.owner = kOwners[random_() % kOwners.size()];
        change.version = parent.stat_persisted().cversion + 1;
      } else if (dice < 4 && node.num_children() == 0) {
        change.kind = Change::Kind::kDelete;
      } else if (dice < 8) {
        change.kind = Change::Kind::kSetData;
        change.data = std::string(random_() % 60, 's');
        change.version = node.stat_persisted().version + 1;
      } else {
        change.kind = Change::Kind::kSetAcl;
        change.list = random_() % kLists.size();
        change.version = node.stat_persisted().aversion + 1;
      }
      ++zxid_;
      return change;
    }
  }

  std::uint32_t random(std::uint32_t below) { return random_() % below; }

 private:
  std::string random_path() {
    std::string path;
    const unsigned depth = 1 + random_() % 4;
    for (unsigned i = 0; i < depth; ++i) path.append("/").append(1, static_cast<char>('a' + random_() % 4));
    return path;
  }

  std::mt19937 random_;
  std::uint64_t zxid_ = 0;
};

// ---------------------------------------------------------------------------------------------- against a
// map

/// What a tree is, as naively as can be.
class Model {
 public:
  explicit Model(const DataTree& fresh) : nodes_(contents_of(fresh)) {}

  void apply(const Change& change) {
    const auto time_ms = static_cast<std::int64_t>(change.zxid.value * 10);
    NodeContents& parent =
        nodes_.at(parent_of(change.path).empty() ? "/" : std::string(parent_of(change.path)));
    switch (change.kind) {
      case Change::Kind::kCreate:
        nodes_[change.path] = {change.data, stat_at_creation(change.zxid, time_ms, change.owner),
                               copy(kLists[change.list].view())};
        parent.stat.cversion = change.version;
        parent.stat.pzxid = change.zxid;
        break;
      case Change::Kind::kDelete:
        nodes_.erase(change.path);
        parent.stat.pzxid = change.zxid;
        break;
      case Change::Kind::kSetData: {
        NodeContents& node = nodes_.at(change.path);
        node.data = change.data;
        node.stat.mzxid = change.zxid;
        node.stat.mtime_ms = time_ms;
        node.stat.version = change.version;
        break;
      }
      case Change::Kind::kSetAcl: {
        NodeContents& node = nodes_.at(change.path);
        node.acl = copy(kLists[change.list].view());
        node.stat.aversion = change.version;
        break;
      }
    }
  }

  [[nodiscard]] const Contents& contents() const { return nodes_; }
  [[nodiscard]] std::uint32_t below(const std::string& path, bool children_only) const {
    const std::string prefix = path == "/" ? path : path + "/";
    std::uint32_t count = 0;
    for (const auto& [other, node] : nodes_)
      if (other.size() > prefix.size() && other.starts_with(prefix) &&
          !(children_only && other.find('/', prefix.size()) != std::string::npos))
        ++count;
    return count;
  }
  [[nodiscard]] std::set<std::string> owned_by(std::int64_t owner) const {
    std::set<std::string> paths;
    for (const auto& [path, node] : nodes_)
      if (node.stat.ephemeral_owner == owner) paths.insert(path);
    return paths;
  }
  [[nodiscard]] std::int64_t data_size() const {
    std::int64_t size = 0;  // "/" is one long, and "" nothing
    for (const auto& [path, node] : nodes_)
      size += static_cast<std::int64_t>(path.size() + (node.data ? node.data->size() : 0));
    return size;
  }
  [[nodiscard]] std::size_t distinct_lists() const {
    std::set<std::string> lists;
    for (const auto& [path, node] : nodes_) {
      if (path == "/" || path == "/zookeeper" || path == "/zookeeper/quota") continue;  // the open list
      std::string list;
      for (const jute::Acl& entry : node.acl)
        list += std::to_string(entry.perms) + ":" + *entry.id.scheme + ":" + *entry.id.id + ",";
      lists.insert(list);
    }
    return lists.size();
  }

 private:
  Contents nodes_;
};

TEST(DataTreeModel, LongRandomRunsMatchAMap) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    DataTree tree({.hash_seed = seed});
    Model model(tree);
    Leader leader(seed);
    for (int step = 0; step < 4'000; ++step) {
      const Change change = leader.next(tree);
      apply(tree, change);
      model.apply(change);
      if (step % 100 != 0) continue;
      ASSERT_EQ(contents_of(tree), model.contents()) << "seed " << seed << " step " << step;
      ASSERT_EQ(tree.digest(), digest_of(model.contents()));
      ASSERT_EQ(tree.node_count(), model.contents().size() + 1);
      ASSERT_EQ(tree.approximate_data_size(), model.data_size());
      ASSERT_EQ(tree.acls().size(), model.distinct_lists());
      for (const std::int64_t session : {0x100, 0x101}) {
        std::set<std::string> owned;
        for (Znode node = tree.first_ephemeral({session}); node; node = tree.next_ephemeral(node))
          owned.insert(node.path());
        ASSERT_EQ(owned, model.owned_by(session));
      }
      ASSERT_EQ(tree.container_count(), model.owned_by(kContainerOwner).size());
      for (const auto& [path, node] : model.contents()) {
        const Znode znode = tree.find(path);
        ASSERT_TRUE(znode) << path;
        ASSERT_EQ(znode.num_children(), model.below(path, true)) << path;
        ASSERT_EQ(znode.num_descendants(), model.below(path, false)) << path;
      }
    }
  }
}

// Lengths on both sides of where the tree keeps what it hashed of the data, and contents that all differ.
TEST(DataTreeModel, DigestsOfLongDataStayRightThroughChangesAndSnapshots) {
  constexpr std::array<std::size_t, 9> kLengths{0, 5, 1'020, 1'024, 1'025, 1'028, 1'030, 5'000, 5'000};
  for (unsigned seed = 1; seed <= 6; ++seed) {
    DataTree tree({.hash_seed = seed});
    Leader leader(seed);
    std::size_t most_long = 0;
    for (int step = 0; step < 1'500; ++step) {
      Change change = leader.next(tree);
      const bool huge = leader.random(500) == 0;
      change.data = std::string(huge ? 2'000'000 : kLengths[leader.random(kLengths.size())], 'x') +
                    std::to_string(step);
      apply(tree, change);
      if (step % 10 != 0) continue;
      const Contents contents = contents_of(tree);
      ASSERT_EQ(tree.digest(), digest_of(contents)) << "seed " << seed << " step " << step;
      std::size_t long_ones = 0;
      for (const auto& [path, node] : contents) {
        ASSERT_EQ(tree.find(path).digest(path), node_digest(path, node.data, node.stat)) << path;
        if (node.data && node.data->size() > 1'024) ++long_ones;
      }
      most_long = std::max(most_long, long_ones);
      if (step % 100 != 0) continue;
      KeptSnapshot kept;
      tree.begin_snapshot(kept);
      kept.keep_acls(tree);
      while (!tree.step_snapshot(1'000'000)) continue;
      DataTree loaded({.hash_seed = 99});
      ASSERT_TRUE(kept.load_into(loaded));
      ASSERT_EQ(loaded.digest(), tree.digest());
      const Change next = leader.next(loaded);
      apply(loaded, next);
      ASSERT_EQ(loaded.digest(), digest_of(contents_of(loaded)));
    }
    EXPECT_GT(most_long, 10U);
  }
}

// ------------------------------------------------------------------------------------------------- snapshots

TEST(DataTreeSnapshot, ShowsTheTreeAsItWasWhenTheWalkBeganWhateverChangesMeanwhile) {
  std::size_t early = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    DataTree tree({.hash_seed = seed});
    Leader leader(seed);
    for (int i = 0; i < 300; ++i) apply(tree, leader.next(tree));

    for (int round = 0; round < 3; ++round) {
      const Contents before = contents_of(tree);
      const std::uint64_t digest = tree.digest();
      KeptSnapshot kept;
      tree.begin_snapshot(kept);
      kept.keep_acls(tree);
      EXPECT_TRUE(tree.snapshot_active());
      do {
        for (unsigned changes = leader.random(4); changes > 0; --changes) apply(tree, leader.next(tree));
      } while (!tree.step_snapshot(1 + leader.random(300)));
      EXPECT_FALSE(tree.snapshot_active());
      early += tree.snapshot_early_count();

      std::set<std::string> seen;
      for (const KeptSnapshot::Node& node : kept.nodes) {
        ASSERT_TRUE(seen.insert(node.path).second) << "twice: " << node.path;
        ASSERT_TRUE(node.path.empty() || seen.contains(std::string(parent_of(node.path)))) << node.path;
      }
      DataTree loaded({.hash_seed = 99});
      ASSERT_TRUE(kept.load_into(loaded));
      ASSERT_EQ(contents_of(loaded), before) << "seed " << seed << " round " << round;
      ASSERT_EQ(loaded.digest(), digest);
    }
  }
  EXPECT_GT(early, 100U) << "the changes met znodes that the walk had not passed yet";
}

TEST(DataTreeSnapshot, EndsWhileNodesAreCreatedFasterThanItWalks) {
  DataTree tree({});
  tree.create_node({.path = "/a", .zxid = Zxid{1}});
  KeptSnapshot kept;
  tree.begin_snapshot(kept);
  int created = 0;
  while (!tree.step_snapshot(1)) {
    for (int i = 0; i < 10; ++i)
      tree.create_node({.path = "/a/" + std::to_string(created++), .data = "x", .zxid = Zxid{2}});
    ASSERT_LT(created, 1'000);
  }
  EXPECT_EQ(kept.nodes.size(), 5U);
}

TEST(DataTreeSnapshot, ABudgetIsSpentOnNodesAndTheirBytes) {
  DataTree tree({});
  for (int i = 0; i < 100; ++i)
    tree.create_node(
        {.path = "/n" + std::to_string(100 + i), .data = std::string(931, 'x'), .zxid = Zxid{1}});
  KeptSnapshot kept;
  tree.begin_snapshot(kept);
  EXPECT_FALSE(tree.step_snapshot(1));
  EXPECT_EQ(kept.nodes.size(), 1U);
  EXPECT_FALSE(tree.step_snapshot(300));
  EXPECT_EQ(kept.nodes.size(), 5U) << "the reserved znodes are small";
  EXPECT_FALSE(tree.step_snapshot(10 * 1'000));
  EXPECT_EQ(kept.nodes.size(), 15U);
  EXPECT_TRUE(tree.step_snapshot(1'000'000));
  EXPECT_EQ(kept.nodes.size(), 104U);
}

TEST(DataTreeSnapshot, AWalkThatWasGivenUpDoesNotHarmTheNext) {
  DataTree tree({});
  Leader leader(7);
  for (int i = 0; i < 300; ++i) apply(tree, leader.next(tree));
  for (int round = 0; round < 4; ++round) {
    KeptSnapshot torn;
    tree.begin_snapshot(torn);
    EXPECT_FALSE(tree.step_snapshot(1 + leader.random(500)));
    tree.abandon_snapshot();
    const std::size_t torn_nodes = torn.nodes.size();
    for (int i = 0; i < 30; ++i) apply(tree, leader.next(tree));
    EXPECT_EQ(torn.nodes.size(), torn_nodes);

    const Contents before = contents_of(tree);
    KeptSnapshot kept;
    tree.begin_snapshot(kept);
    kept.keep_acls(tree);
    while (!tree.step_snapshot(200)) apply(tree, leader.next(tree));
    DataTree loaded({});
    ASSERT_TRUE(kept.load_into(loaded));
    ASSERT_EQ(contents_of(loaded), before) << round;
  }
}

TEST(DataTreeSnapshot, LoadingEndsAWalk) {
  DataTree tree({});
  KeptSnapshot kept;
  tree.begin_snapshot(kept);
  tree.begin_restore();
  ASSERT_TRUE(tree.finish_restore());
  EXPECT_FALSE(tree.snapshot_active());
  EXPECT_TRUE(kept.nodes.empty());
  tree.begin_snapshot(kept);
  EXPECT_TRUE(tree.step_snapshot(10'000));
  EXPECT_EQ(kept.nodes.size(), 4U);
}

// -----------------------------------------------------------------------------------------------------
// replay

/// Walks a tree as Apache does, each node with the list of its children at one moment, calling `between`
/// (which changes the tree) after each node.
void walk_fuzzily(const DataTree& tree, const std::string& path, KeptSnapshot& kept,
                  const std::function<void()>& between) {
  const Znode node = tree.find(path);
  if (!node) return;
  const auto data = node.data();
  kept.nodes.push_back({path, data ? std::optional<std::string>(*data) : std::nullopt,
                        tree.acls().number(node.acl()), node.stat_persisted()});
  std::vector<std::string> children;
  for (Znode child = node.first_child(); child; child = child.next_sibling())
    children.emplace_back(child.name());
  between();
  for (const std::string& child : children) walk_fuzzily(tree, path + "/" + child, kept, between);
}

TEST(DataTreeReplay, OverAFuzzySnapshotTheLogGivesTheLeadersTree) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    DataTree leader_tree({});
    Leader leader(seed);
    for (int i = 0; i < 150; ++i) apply(leader_tree, leader.next(leader_tree));

    KeptSnapshot kept;
    kept.keep_acls(leader_tree);
    std::vector<Change> log;
    walk_fuzzily(leader_tree, "", kept, [&] {
      for (unsigned changes = leader.random(4); changes > 0; --changes) {
        log.push_back(leader.next(leader_tree));
        apply(leader_tree, log.back());
      }
    });

    DataTree loaded({});
    ASSERT_TRUE(kept.load_into(loaded));
    for (const Change& change : log) apply(loaded, change);
    ASSERT_EQ(contents_of(loaded), contents_of(leader_tree)) << "seed " << seed;
    ASSERT_EQ(loaded.digest(), leader_tree.digest());
    ASSERT_EQ(loaded.acls().size(), leader_tree.acls().size());
    ASSERT_EQ(loaded.approximate_data_size(), leader_tree.approximate_data_size());
  }
}

}  // namespace
}  // namespace wk::tree
