#include "server/tree/data_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/unit/server/tree/acl_lists.h"
#include "tests/unit/server/tree/hashed_bytes.h"
#include "tests/unit/server/tree/tree_contents.h"

namespace wk::tree {
namespace {

using jute::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kSession = 0x1000013dc750000;
constexpr std::int64_t kOtherSession = 0x1000013dc750001;

std::vector<std::string> child_names(Znode node) {
  std::vector<std::string> names;
  for (Znode child = node.first_child(); child; child = child.next_sibling())
    names.emplace_back(child.name());
  return names;
}

class DataTreeTest : public testing::Test {
 protected:
  ErrorCode create(std::string_view path, std::uint64_t zxid, std::optional<std::string_view> data = "",
                   std::int64_t owner = 0, std::int32_t parent_cversion = -1) {
    return tree_
        .create_node({.path = path,
                      .data = data,
                      .acl = kOpenList.view(),
                      .owner = owner,
                      .parent_cversion = parent_cversion,
                      .zxid = Zxid{zxid},
                      .time_ms = static_cast<std::int64_t>(1'000 + zxid)})
        .error;
  }
  ErrorCode remove(std::string_view path, std::uint64_t zxid) { return tree_.delete_node(path, Zxid{zxid}); }
  jute::Stat stat(std::string_view path) { return tree_.find(path).stat(); }
  std::vector<std::string> ephemerals(std::int64_t session) {
    std::vector<std::string> paths;
    for (Znode node = tree_.first_ephemeral({session}); node; node = tree_.next_ephemeral(node))
      paths.push_back(node.path());
    return paths;
  }

  DataTree tree_{{.owners = {.extended_types = true}, .hash_seed = 1}};
};

// ------------------------------------------------------------------------------------------------ fresh tree

TEST_F(DataTreeTest, FreshTreeIsApaches) {
  EXPECT_EQ(tree_.node_count(), 5U);
  EXPECT_EQ(tree_.approximate_data_size(), 44);
  EXPECT_EQ(tree_.digest(), 0x51C6D660U);
  EXPECT_THAT(child_names(tree_.find("/")), ElementsAre("zookeeper"));
  EXPECT_THAT(child_names(tree_.find("/zookeeper")), ElementsAre("config", "quota"));
  EXPECT_EQ(stat("/"), (jute::Stat{.cversion = -1, .num_children = 1}));
  EXPECT_EQ(stat("/zookeeper"), (jute::Stat{.cversion = -2, .num_children = 2}));
  EXPECT_EQ(stat("/zookeeper/config"), (jute::Stat{.aversion = -1}));
  EXPECT_EQ(stat("/zookeeper/quota"), jute::Stat{});
  for (const char* path : {"/", "/zookeeper", "/zookeeper/quota"}) {
    EXPECT_EQ(tree_.acls().number(tree_.find(path).acl()), -1) << path;
    EXPECT_EQ(tree_.find(path).data(), "") << path;
  }
  EXPECT_EQ(tree_.acls().number(tree_.find("/zookeeper/config").acl()), 1);
  EXPECT_EQ(copy(tree_.acls().list(tree_.find("/zookeeper/config").acl())), copy(kReadList.view()));
}

TEST_F(DataTreeTest, OnlyTheExactSpellingFindsANode) {
  create("/a", 1);
  create("/a/b", 2);
  EXPECT_TRUE(tree_.find("/a/b"));
  EXPECT_EQ(tree_.find(""), tree_.find("/"));
  for (const char* path :
       {"a", "/a/", "//a", "/a//b", "/a/b/", "b", "/b", "a/b", "/A", "/a/c", "/a/bb", "//"})
    EXPECT_FALSE(tree_.find(path)) << path;
  EXPECT_EQ(tree_.find("/a/b").path(), "/a/b");
  EXPECT_EQ(tree_.find("/a/b").name(), "b");
  EXPECT_EQ(tree_.find("/a/b").parent(), tree_.find("/a"));
  EXPECT_EQ(tree_.find("/").path(), "/");
  EXPECT_EQ(tree_.find("/").name(), "");
  EXPECT_FALSE(tree_.find("/").parent());
}

TEST_F(DataTreeTest, PathsAreComparedWithTheirBeginning) {
  create("/a", 1);
  create("/a/bc", 2);
  create("/a/bc/d", 3);
  create("/zookeeper/quota/a", 4);
  visit_all(tree_.find("/"), [&](Znode node) {
    const std::string path = node.path();
    EXPECT_TRUE(node.path_starts_with(path));
    for (const std::string_view base :
         {"/a/bc/d", "/a/bc/de", "/a/bcd", "/b", "a", "//", "/zookeeper/quota/a"})
      for (std::size_t length = 0; length <= base.size(); ++length)
        EXPECT_EQ(node.path_starts_with(base.substr(0, length)), path.starts_with(base.substr(0, length)))
            << path << " " << base.substr(0, length);
  });
}

TEST_F(DataTreeTest, ChangesOfNumbersDoNotHashTheData) {
  create("/a", 1, std::string(1'000'000, 'x'));
  std::uint64_t before = hashed_bytes();
  for (std::uint64_t zxid = 2; zxid < 200; zxid += 2) {
    create("/a/b", zxid);
    remove("/a/b", zxid + 1);
    tree_.set_acl("/a", kReadList.view(), static_cast<std::int32_t>(zxid));
  }
  EXPECT_LT(hashed_bytes() - before, 100'000U);
  before = hashed_bytes();
  tree_.set_data("/a", std::string(1'000'000, 'y'), 1, Zxid{200}, 1'200);
  EXPECT_GE(hashed_bytes() - before, 1'000'000U);
  EXPECT_LT(hashed_bytes() - before, 1'001'000U) << "the new data once, the old not at all";
  before = hashed_bytes();
  remove("/a", 201);
  EXPECT_LT(hashed_bytes() - before, 1'000U);
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
}

// -----------------------------------------------------------------------------------------------------
// create

TEST_F(DataTreeTest, CreateGivesApachesDigest) {
  EXPECT_EQ(tree_
                .create_node({.path = "/a",
                              .data = "hello",
                              .acl = kOpenList.view(),
                              .parent_cversion = 1,
                              .zxid = Zxid{2},
                              .time_ms = 1795295334202})
                .error,
            ErrorCode::kOk);
  EXPECT_EQ(tree_.digest(), 0x11655BE36U);
}

TEST_F(DataTreeTest, CreateSetsItsOwnStatAndTheParents) {
  EXPECT_EQ(create("/a", 5, "xyz"), ErrorCode::kOk);
  EXPECT_EQ(stat("/a"), (jute::Stat{.czxid = {5},
                                    .mzxid = {5},
                                    .ctime_ms = 1'005,
                                    .mtime_ms = 1'005,
                                    .data_length_bytes = 3,
                                    .pzxid = {5}}));
  EXPECT_EQ(stat("/"), (jute::Stat{.cversion = 0, .num_children = 2, .pzxid = {5}}));
  EXPECT_EQ(create("/a/b", 6, std::nullopt), ErrorCode::kOk);
  EXPECT_EQ(stat("/a").cversion, 1);
  EXPECT_EQ(stat("/a").pzxid, Zxid{6});
  EXPECT_EQ(stat("/a").mzxid, Zxid{5});
  EXPECT_EQ(tree_.find("/a").data(), "xyz");
  EXPECT_EQ(tree_.find("/a/b").data(), std::nullopt);
  EXPECT_EQ(stat("/a/b").data_length_bytes, 0);
  EXPECT_EQ(tree_.node_count(), 7U);
  EXPECT_EQ(tree_.approximate_data_size(), 44 + 2 + 3 + 4);
}

TEST_F(DataTreeTest, CreateHandsOutTheNode) {
  const auto outcome = tree_.create_node({.path = "/a", .data = "1", .zxid = Zxid{1}});
  EXPECT_EQ(outcome.node, tree_.find("/a"));
  EXPECT_EQ(outcome.node.acl(), kOpenAcl);
}

TEST_F(DataTreeTest, CreateWithoutParentOrPath) {
  EXPECT_EQ(create("/a/b", 1), ErrorCode::kNoNode);
  EXPECT_EQ(create("/p//x", 1), ErrorCode::kNoNode);
  for (const char* path : {"", "a", "/a/", "//"})
    EXPECT_EQ(create(path, 1), ErrorCode::kBadArguments) << path;
  EXPECT_EQ(create("/a", 1, "", static_cast<std::int64_t>(0xff00010000000000U)), ErrorCode::kBadArguments);
  EXPECT_EQ(create("/" + std::string(DataTree::kMaxNameBytes + 1, 'x'), 1), ErrorCode::kBadArguments);
  EXPECT_EQ(tree_.node_count(), 5U);
  EXPECT_EQ(tree_.digest(), 0x51C6D660U);
  EXPECT_EQ(create("/" + std::string(DataTree::kMaxNameBytes, 'x'), 1), ErrorCode::kOk);
}

TEST_F(DataTreeTest, ParentCversionIsTakenFromTheTransactionAndNeverLowered) {
  create("/a", 10, "", 0, 7);
  EXPECT_EQ(tree_.find("/").stat_persisted().cversion, 7);
  create("/b", 9, "", 0, 5);  // replayed over a snapshot that has later effects
  EXPECT_EQ(tree_.find("/").stat_persisted().cversion, 7);
  EXPECT_EQ(stat("/").pzxid, Zxid{10});
  create("/c", 11, "", 0, -1);
  EXPECT_EQ(tree_.find("/").stat_persisted().cversion, 8);
  EXPECT_EQ(stat("/").pzxid, Zxid{11});
}

TEST_F(DataTreeTest, ParentCversionStaysAtItsMaximum) {
  create("/a", 1, "", 0, INT32_MAX);
  create("/b", 2, "", 0, INT32_MIN);
  EXPECT_EQ(tree_.find("/").stat_persisted().cversion, INT32_MAX);
  EXPECT_EQ(stat("/").pzxid, Zxid{1});
  EXPECT_EQ(stat("/").cversion, -2 - 3);
}

TEST_F(DataTreeTest, CreatingWhatExistsRaisesTheParentAndReplacesTheAcl) {
  create("/a", 5, "first");
  const auto again = tree_.create_node({.path = "/a",
                                        .data = "second",
                                        .acl = kReadList.view(),
                                        .parent_cversion = 4,
                                        .zxid = Zxid{9},
                                        .time_ms = 2'000});
  EXPECT_EQ(again.error, ErrorCode::kNodeExists);
  EXPECT_FALSE(again.node);
  EXPECT_EQ(tree_.find("/a").data(), "first");
  EXPECT_EQ(stat("/a").czxid, Zxid{5});
  EXPECT_EQ(copy(tree_.acls().list(tree_.find("/a").acl())), copy(kReadList.view()));
  EXPECT_EQ(tree_.find("/").stat_persisted().cversion, 4);
  EXPECT_EQ(stat("/").pzxid, Zxid{9});
  EXPECT_EQ(create("/", 10), ErrorCode::kNodeExists);
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
}

// -----------------------------------------------------------------------------------------------------
// delete

TEST_F(DataTreeTest, DeleteTakesTheNodeAndRaisesTheParentsPzxid) {
  create("/a", 1);
  create("/a/b", 2);
  create("/a/c", 3);
  EXPECT_EQ(remove("/a/b", 4), ErrorCode::kOk);
  EXPECT_FALSE(tree_.find("/a/b"));
  EXPECT_THAT(child_names(tree_.find("/a")), ElementsAre("c"));
  EXPECT_EQ(stat("/a").pzxid, Zxid{4});
  EXPECT_EQ(stat("/a").cversion, 2 * 2 - 1);
  EXPECT_EQ(tree_.node_count(), 7U);
  EXPECT_EQ(remove("/a/c", 3), ErrorCode::kOk);
  EXPECT_EQ(stat("/a").pzxid, Zxid{4}) << "pzxid never goes back";
  EXPECT_EQ(remove("/a", 5), ErrorCode::kOk);
  EXPECT_EQ(tree_.node_count(), 5U);
  EXPECT_EQ(tree_.approximate_data_size(), 44);
}

TEST_F(DataTreeTest, DeletingWhatIsGoneStillRaisesTheParentsPzxid) {
  create("/a", 1);
  EXPECT_EQ(remove("/a/b", 4), ErrorCode::kNoNode);
  EXPECT_EQ(stat("/a").pzxid, Zxid{4});
  EXPECT_EQ(remove("/x/y", 5), ErrorCode::kNoNode);
  for (const char* path : {"", "/", "b", "/b/"}) EXPECT_EQ(remove(path, 6), ErrorCode::kNoNode) << path;
  EXPECT_EQ(stat("/").pzxid, Zxid{1});
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
}

TEST_F(DataTreeTest, DeletingANodeWithChildrenTakesThemAlong) {
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e", "/f"}) create(path, 1, "x", 0);
  create("/a/b/c/g", 1, "x", kSession);
  EXPECT_EQ(remove("/a", 2), ErrorCode::kOk);
  EXPECT_THAT(child_names(tree_.find("/")), ElementsAre("zookeeper", "f"));
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e", "/a/b/c/g"})
    EXPECT_FALSE(tree_.find(path)) << path;
  EXPECT_EQ(tree_.node_count(), 6U);
  EXPECT_EQ(tree_.ephemeral_count(), 0U);
  EXPECT_EQ(tree_.approximate_data_size(), 44 + 3);
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
}

TEST_F(DataTreeTest, ChildrenKeepTheOrderOfCreation) {
  create("/a", 1);
  for (const char* name : {"e", "b", "d", "a", "c"}) create(std::string("/a/") + name, 2);
  remove("/a/e", 3);
  remove("/a/d", 3);
  remove("/a/c", 3);
  EXPECT_THAT(child_names(tree_.find("/a")), ElementsAre("b", "a"));
  create("/a/d", 4);
  EXPECT_THAT(child_names(tree_.find("/a")), ElementsAre("b", "a", "d"));
  EXPECT_EQ(tree_.find("/a").num_children(), 3U);
}

TEST_F(DataTreeTest, DescendantsAreCountedAtEveryDepth) {
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/d"}) create(path, 1);
  EXPECT_EQ(tree_.find("/").num_descendants(), 7U);
  EXPECT_EQ(tree_.find("/a").num_descendants(), 3U);
  EXPECT_EQ(tree_.find("/a/b").num_descendants(), 1U);
  EXPECT_EQ(tree_.find("/a/d").num_descendants(), 0U);
  remove("/a/b/c", 2);
  EXPECT_EQ(tree_.find("/").num_descendants(), 6U);
  EXPECT_EQ(tree_.find("/a").num_descendants(), 2U);
  EXPECT_EQ(tree_.find("/a/b").num_descendants(), 0U);
}

// -------------------------------------------------------------------------------------------- setData,
// setACL

TEST_F(DataTreeTest, SetDataChangesDataAndTheNumbersOfModification) {
  create("/a", 1, "one");
  const auto outcome = tree_.set_data("/a", "longer than before", 1, Zxid{7}, 5'000);
  EXPECT_EQ(outcome.error, ErrorCode::kOk);
  EXPECT_EQ(outcome.node.stat(), (jute::Stat{.czxid = {1},
                                             .mzxid = {7},
                                             .ctime_ms = 1'001,
                                             .mtime_ms = 5'000,
                                             .version = 1,
                                             .data_length_bytes = 18,
                                             .pzxid = {1}}));
  EXPECT_EQ(tree_.find("/a").data(), "longer than before");
  EXPECT_EQ(tree_.approximate_data_size(), 44 + 2 + 18);
  EXPECT_EQ(tree_.set_data("/b", "", 1, Zxid{8}, 1).error, ErrorCode::kNoNode);
  EXPECT_EQ(stat("/").pzxid, Zxid{1});
}

TEST_F(DataTreeTest, NullAndEmptyDataStayDistinct) {
  create("/a", 1, "x");
  tree_.set_data("/a", std::nullopt, 1, Zxid{2}, 1);
  EXPECT_EQ(tree_.find("/a").data(), std::nullopt);
  tree_.set_data("/a", "", 2, Zxid{3}, 1);
  EXPECT_EQ(tree_.find("/a").data(), "");
  tree_.set_data("/a", "y", 3, Zxid{4}, 1);
  EXPECT_EQ(tree_.find("/a").data(), "y");
  EXPECT_EQ(tree_.approximate_data_size(), 44 + 3);
}

TEST_F(DataTreeTest, SetDataOfTheRootAndOfAnEphemeral) {
  tree_.set_data("/", "root", 1, Zxid{2}, 9);
  EXPECT_EQ(tree_.find("").data(), "root");
  EXPECT_EQ(stat("/").version, 1);
  create("/e", 3, "a", kSession);
  tree_.set_data("/e", std::string(100, 'x'), -1, Zxid{4}, 10);
  EXPECT_EQ(tree_.find("/e").data(), std::string(100, 'x'));
  EXPECT_EQ(tree_.find("/e").owner(), kSession);
  EXPECT_EQ(stat("/e").version, -1);
  EXPECT_EQ(tree_.find("/e").name(), "e");
  EXPECT_THAT(ephemerals(kSession), ElementsAre("/e"));
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
}

TEST_F(DataTreeTest, DataOfTheTreeItselfMayBeSet) {
  create("/a", 1, std::string(50, 'a'));
  const std::string_view own = *tree_.find("/a").data();
  tree_.set_data("/a", own.substr(10, 30), 1, Zxid{2}, 1);
  EXPECT_EQ(tree_.find("/a").data(), std::string(30, 'a'));
}

TEST_F(DataTreeTest, SetAclChangesListAndAversionAlone) {
  create("/a", 1, "x");
  const auto outcome = tree_.set_acl("/a", kReadList.view(), 1);
  EXPECT_EQ(outcome.error, ErrorCode::kOk);
  EXPECT_EQ(outcome.node.stat().aversion, 1);
  EXPECT_EQ(outcome.node.stat().mzxid, Zxid{1});
  EXPECT_EQ(copy(tree_.acls().list(tree_.find("/a").acl())), copy(kReadList.view()));
  EXPECT_EQ(tree_.set_acl("/b", kReadList.view(), 1).error, ErrorCode::kNoNode);
  tree_.set_acl("/a", std::nullopt, 2);
  EXPECT_EQ(tree_.find("/a").acl(), kOpenAcl);
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
}

TEST_F(DataTreeTest, AclListsLiveAsLongAsTheirNodes) {
  const AclBytes mine{{1, {"digest", "a:b"}}};
  tree_.create_node({.path = "/a", .acl = mine.view(), .zxid = Zxid{1}});
  tree_.create_node({.path = "/b", .acl = mine.view(), .zxid = Zxid{2}});
  EXPECT_EQ(tree_.acls().size(), 2U);
  remove("/a", 3);
  EXPECT_EQ(tree_.acls().size(), 2U);
  tree_.set_acl("/b", mine.view(), 1);
  EXPECT_EQ(copy(tree_.acls().list(tree_.find("/b").acl())), copy(mine.view()));
  tree_.set_acl("/b", kOpenList.view(), 2);
  EXPECT_EQ(tree_.acls().size(), 2U);
  remove("/b", 4);
  EXPECT_EQ(tree_.acls().size(), 1U) << "only /zookeeper/config's is left";
}

// -------------------------------------------------------------------------------- ephemerals, containers,
// TTL

TEST_F(DataTreeTest, EphemeralsAreListedBySessionInOrderOfCreation) {
  create("/p", 1);
  create("/p/b", 2, "", kSession);
  create("/a", 3, "", kOtherSession);
  create("/c", 4, "", kSession);
  create("/p/a", 5, "", kSession);
  EXPECT_EQ(tree_.ephemeral_count(), 4U);
  EXPECT_THAT(ephemerals(kSession), ElementsAre("/p/b", "/c", "/p/a"));
  EXPECT_THAT(ephemerals(kOtherSession), ElementsAre("/a"));
  EXPECT_THAT(ephemerals(77), IsEmpty());
  EXPECT_EQ(stat("/c").ephemeral_owner, SessionId{kSession});
  EXPECT_EQ(tree_.find("/c").owner_kind(), OwnerKind::kSession);
  remove("/c", 6);
  EXPECT_THAT(ephemerals(kSession), ElementsAre("/p/b", "/p/a"));
  remove("/p/b", 7);
  remove("/a", 8);
  EXPECT_THAT(ephemerals(kSession), ElementsAre("/p/a"));
  EXPECT_THAT(tree_.ephemeral_sessions(), ElementsAre(std::pair(SessionId{kSession}, std::size_t{1}),
                                                      std::pair(SessionId{kOtherSession}, std::size_t{0})));
  EXPECT_EQ(tree_.ephemerals_of(SessionId{kSession}), 1U);
  EXPECT_EQ(tree_.ephemerals_of(SessionId{77}), 0U);
  EXPECT_EQ(tree_.ephemeral_count(), 1U);
  create("/a", 9, "", kOtherSession);
  EXPECT_THAT(ephemerals(kOtherSession), ElementsAre("/a"));
  remove("/a", 10);
  tree_.forget_session(SessionId{kOtherSession});
  EXPECT_THAT(tree_.ephemeral_sessions(), ElementsAre(std::pair(SessionId{kSession}, std::size_t{1})));
}

TEST_F(DataTreeTest, ContainersAndTtlNodesShowNoOwner) {
  create("/c", 1, "", kContainerOwner);
  create("/t", 2, "", *ttl_owner(500));
  EXPECT_EQ(tree_.container_count(), 1U);
  EXPECT_EQ(tree_.ttl_count(), 1U);
  EXPECT_EQ(tree_.ephemeral_count(), 0U);
  EXPECT_EQ(stat("/c").ephemeral_owner, SessionId{0});
  EXPECT_EQ(stat("/t").ephemeral_owner, SessionId{0});
  EXPECT_EQ(tree_.find("/c").stat_persisted().ephemeral_owner, kContainerOwner);
  EXPECT_EQ(tree_.find("/t").owner_kind(), OwnerKind::kTtl);
  remove("/c", 3);
  remove("/t", 4);
  EXPECT_EQ(tree_.container_count() + tree_.ttl_count(), 0U);
}

TEST(DataTreeOwnerRules, TtlMarksAreEphemeralsWithoutExtendedTypesAndAreCounted) {
  DataTree tree({});
  tree.create_node({.path = "/t", .owner = *ttl_owner(500), .zxid = Zxid{1}});
  EXPECT_EQ(tree.unread_ttl_count(), 1U);
  EXPECT_EQ(tree.ttl_count(), 0U);
  EXPECT_EQ(tree.ephemeral_count(), 1U);
  EXPECT_EQ(tree.find("/t").stat().ephemeral_owner, SessionId{*ttl_owner(500)});
  tree.delete_node("/t", Zxid{2});
  EXPECT_EQ(tree.unread_ttl_count(), 0U);
}

class CollectDue : public DataTreeTest {
 protected:
  std::vector<std::string> due(std::int64_t now_ms, std::int64_t never_used_max_ms = 0) {
    std::vector<std::string> paths;
    EXPECT_TRUE(tree_.collect_due(now_ms, never_used_max_ms, 1'000, paths));
    return paths;
  }
};

// In a constant expression an overflow is an error.
constexpr std::int64_t kLeastTime = std::numeric_limits<std::int64_t>::min();
static_assert(idle_ms({.mtime_ms = 5}, 7) == 2);
static_assert(idle_ms({.mtime_ms = 7}, 5) == -2);
static_assert(idle_ms({.mtime_ms = kLeastTime}, 1) == kLeastTime + 1);
static_assert(idle_ms({.mtime_ms = -1}, std::numeric_limits<std::int64_t>::max()) == kLeastTime);

TEST_F(CollectDue, ContainersThatHaveLostTheirChildren) {
  create("/c", 1, "", kContainerOwner);
  EXPECT_THAT(due(1'000'000), IsEmpty()) << "never used";
  create("/c/x", 2);
  EXPECT_THAT(due(1'000'000), IsEmpty()) << "has a child";
  remove("/c/x", 3);
  EXPECT_THAT(due(0), ElementsAre("/c"));
}

TEST_F(CollectDue, NeverUsedContainersWhenAskedFor) {
  create("/c", 1, "", kContainerOwner);  // mtime 1001
  EXPECT_THAT(due(1'101, 100), IsEmpty());
  EXPECT_THAT(due(1'102, 100), ElementsAre("/c"));
  EXPECT_THAT(due(1'102, 0), IsEmpty());
}

TEST_F(CollectDue, TtlNodesThatWereNotWrittenForTheirTime) {
  create("/t", 1, "", *ttl_owner(100));
  EXPECT_THAT(due(1'101), IsEmpty());
  EXPECT_THAT(due(1'102), ElementsAre("/t"));
  tree_.set_data("/t", "x", 1, Zxid{2}, 5'000);
  EXPECT_THAT(due(5'100), IsEmpty());
  EXPECT_THAT(due(5'101), ElementsAre("/t"));
  create("/t/x", 3);
  EXPECT_THAT(due(9'000), IsEmpty());
}

TEST_F(CollectDue, GoesOnWhereItStoppedWhileNodesComeAndGo) {
  for (int i = 0; i < 4; ++i) create("/t" + std::to_string(i), 1, "", *ttl_owner(1));
  create("/c", 2, "", kContainerOwner);
  create("/c/x", 3);
  remove("/c/x", 4);
  std::vector<std::string> paths;
  EXPECT_FALSE(tree_.collect_due(9'000, 0, 1, paths));
  EXPECT_THAT(paths, ElementsAre("/c"));
  EXPECT_FALSE(tree_.collect_due(9'000, 0, 1, paths));
  EXPECT_THAT(paths, ElementsAre("/c", "/t0"));
  remove("/t1", 5);  // where the scan stands
  create("/t4", 6, "", *ttl_owner(1));
  paths.clear();
  EXPECT_FALSE(tree_.collect_due(9'000, 0, 2, paths));
  EXPECT_THAT(paths, ElementsAre("/t2", "/t3"));
  EXPECT_TRUE(tree_.collect_due(9'000, 0, 2, paths));
  EXPECT_THAT(paths, ElementsAre("/t2", "/t3", "/t4"));
  EXPECT_FALSE(tree_.collect_due(9'000, 0, 2, paths)) << "a new round";
}

// ----------------------------------------------------------------------------------------------------
// loading

class Restore : public testing::Test {
 protected:
  Restore() { tree_.begin_restore(); }
  Result<void> restore(std::string_view path, std::optional<std::string_view> data = "",
                       std::int64_t acl = -1, StatPersisted stat = {}) {
    return tree_.restore_node({path, data, acl, stat});
  }
  std::string refusal(std::string_view path, StatPersisted stat = {}) {
    const auto result = restore(path, "", -1, stat);
    return result ? "accepted" : result.error().message;
  }
  DataTree tree_{{.owners = {.extended_types = true}}};
};

TEST_F(Restore, KeepsEveryNumber) {
  const StatPersisted stat{.czxid = {1},
                           .mzxid = {2},
                           .ctime_ms = 3,
                           .mtime_ms = 4,
                           .version = 5,
                           .cversion = 6,
                           .aversion = 7,
                           .ephemeral_owner = kSession,
                           .pzxid = {8}};
  tree_.restore_acl(4, kReadList.view());
  ASSERT_TRUE(restore(""));
  ASSERT_TRUE(restore("/a", "data", 4, stat));
  ASSERT_TRUE(restore("/b", std::nullopt, -1, {}));
  const auto report = tree_.finish_restore();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->unknown_acls, 0U);
  EXPECT_EQ(report->created_reserved, 3U);
  EXPECT_EQ(tree_.find("/a").stat_persisted(), stat);
  EXPECT_EQ(tree_.find("/a").data(), "data");
  EXPECT_EQ(tree_.acls().number(tree_.find("/a").acl()), 4);
  EXPECT_EQ(tree_.find("/b").data(), std::nullopt);
  EXPECT_EQ(tree_.first_ephemeral({kSession}), tree_.find("/a"));
  EXPECT_EQ(tree_.node_count(), 7U);
  EXPECT_EQ(tree_.approximate_data_size(), 44 + 2 + 4 + 2);
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
}

TEST_F(Restore, AddsReservedNodesThatAreMissing) {
  ASSERT_TRUE(restore(""));
  ASSERT_TRUE(restore("/zookeeper"));
  ASSERT_TRUE(restore("/zookeeper/quota"));
  EXPECT_EQ(tree_.finish_restore().value().created_reserved, 1U);
  EXPECT_EQ(tree_.digest(), 0x51C6D660U);
  EXPECT_EQ(tree_.find("/zookeeper/config").stat().aversion, -1);
  tree_.begin_restore();
  EXPECT_FALSE(tree_.find("/"));
  EXPECT_EQ(tree_.finish_restore().value().created_reserved, 4U);
  EXPECT_EQ(tree_.node_count(), 5U);
}

TEST_F(Restore, RefusesWhatNoServerWrites) {
  EXPECT_EQ(refusal("/a"), "znode '/a' of the snapshot: its parent does not stand before it");
  ASSERT_TRUE(restore(""));
  EXPECT_EQ(refusal(""), "znode '' of the snapshot: the root is there twice");
  ASSERT_TRUE(restore("/a"));
  EXPECT_EQ(refusal("/b/c"), "znode '/b/c' of the snapshot: its parent does not stand before it");
  for (const char* path : {"a", "/", "/a/", "//"})
    EXPECT_EQ(refusal(path), "znode '" + std::string(path) + "' of the snapshot: not a path");
  EXPECT_EQ(refusal("/x", {.ephemeral_owner = static_cast<std::int64_t>(0xff00010000000000U)}),
            "znode '/x' of the snapshot: its ephemeralOwner is an extended type that does not exist");
  std::string longest(DataTree::kMaxNameBytes + 2, 'x');
  longest.front() = '/';
  EXPECT_EQ(restore(longest).error().code, Errc::kTooLarge);
}

// The order of a snapshot gives most parents away; a fuzzy one has znodes out of order, too.
TEST_F(Restore, FindsParentsInAnyOrder) {
  const std::vector<std::string> paths{"",       "/a",       "/a/b",   "/a/b/c", "/a/b/d", "/a/e",
                                       "/ab",    "/ab/b",    "/a/b/f", "/a/g",   "/h",     "/h/a",
                                       "/h/a/b", "/h/a/b/c", "/i",     "/a/e/j", "/ab/b/k"};
  for (const std::string& path : paths) ASSERT_TRUE(restore(path)) << path;
  ASSERT_TRUE(tree_.finish_restore());
  EXPECT_EQ(tree_.node_count(), paths.size() + 3 + 1) << "with the reserved ones and the root's second name";
  for (const std::string& path : paths) {
    ASSERT_TRUE(tree_.find(path)) << path;
    EXPECT_EQ(tree_.find(path).path(), path.empty() ? "/" : path);
  }
  EXPECT_EQ(tree_.find("/a/b").num_children(), 3U);
  EXPECT_EQ(tree_.digest(), digest_of(contents_of(tree_)));
  EXPECT_EQ(tree_.create_node({.path = "/a/b/c", .acl = kOpenList.view(), .zxid = Zxid{5}}).error,
            jute::ErrorCode::kNodeExists);
}

TEST_F(Restore, RefusesAZnodeThatIsThereTwice) {
  for (const std::string last : {"/a", "/a/b", "/c"}) {
    tree_.begin_restore();
    for (const char* path : {"", "/a", "/a/b", "/c", "/a/d"}) ASSERT_TRUE(restore(path));
    ASSERT_TRUE(restore(last));
    const auto refused = tree_.finish_restore();
    ASSERT_FALSE(refused) << last;
    EXPECT_EQ(refused.error().message, "znode '" + last + "' of the snapshot: it is there twice");
  }
  // A parent that is looked up later tells it at once.
  tree_.begin_restore();
  for (const char* path : {"", "/a", "/a/b", "/c", "/c"}) ASSERT_TRUE(restore(path));
  EXPECT_EQ(refusal("/a/b/x"), "znode '/c' of the snapshot: it is there twice");
}

TEST_F(Restore, AnUnknownAclGrantsNothingUntilItIsReplaced) {
  ASSERT_TRUE(restore(""));
  ASSERT_TRUE(restore("/a", "", 12));
  ASSERT_TRUE(restore("/b", "", 13));
  EXPECT_EQ(tree_.finish_restore().value().unknown_acls, 2U);
  const AclId acl = tree_.find("/a").acl();
  const std::vector<jute::Id> somebody{{"ip", "10.0.0.1"}, {"digest", "a:b"}};
  EXPECT_FALSE(tree_.acls().permits(acl, jute::kPermAll, somebody, {}));
  EXPECT_TRUE(tree_.acls().permits(acl, jute::kPermAll, std::vector<jute::Id>{{"super", ""}}, {}));
  tree_.create_node({.path = "/a", .acl = kOpenList.view(), .zxid = Zxid{5}});
  EXPECT_TRUE(tree_.acls().permits(tree_.find("/a").acl(), jute::kPermAdmin, somebody, {}));
}

TEST_F(Restore, StartsFromNothingEveryTime) {
  ASSERT_TRUE(restore(""));
  ASSERT_TRUE(restore("/a", "x", -1, {.ephemeral_owner = kSession}));
  ASSERT_TRUE(restore("/t", "x", -1, {.ephemeral_owner = *ttl_owner(5)}));
  tree_.restore_acl(9, kReadList.view());
  tree_.begin_restore();
  ASSERT_TRUE(tree_.finish_restore());
  EXPECT_EQ(tree_.node_count(), 5U);
  EXPECT_EQ(tree_.digest(), 0x51C6D660U);
  EXPECT_EQ(tree_.approximate_data_size(), 44);
  EXPECT_EQ(tree_.ephemeral_count() + tree_.ttl_count() + tree_.ephemeral_sessions().size(), 0U);
  EXPECT_EQ(tree_.acls().size(), 1U);
}

}  // namespace
}  // namespace wk::tree
