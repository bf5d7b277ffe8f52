// Which events a change fires, in which order, and for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "member.h"
#include "tests/unit/jute/bytes.h"

namespace wk::txn {
namespace {

using jute::CreateMode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Watching : public ::testing::Test {
 protected:
  FiredEvent event(EventType type, std::string path) const {
    return {client.connection, type, std::move(path), Zxid{member.zxid}};
  }
  FiredEvent catch_up(EventType type, std::string path) const {
    return {client.connection, type, std::move(path), kNoZxid};
  }
  void exists(std::string path) {
    member.read(client, OpCode::kExists, jute::ReadRequest{std::move(path), true});
  }
  void data(std::string path) {
    member.read(client, OpCode::kGetData, jute::ReadRequest{std::move(path), true});
  }
  void children(std::string path) {
    member.read(client, OpCode::kGetChildren, jute::ReadRequest{std::move(path), true});
  }
  ErrorCode watch(std::optional<std::string> path, jute::AddWatchMode mode) {
    const Reply reply = member.read(client, OpCode::kAddWatch, jute::AddWatchRequest{std::move(path), mode});
    if (reply.error == ErrorCode::kOk) {
      EXPECT_EQ(reply.body, std::vector<std::byte>(4));
    }
    return reply.error;
  }
  ErrorCode about(OpCode op, std::optional<std::string> path, jute::WatcherType type) {
    std::vector<std::byte> body = encoded(path);
    const auto number = encoded(static_cast<std::int32_t>(type));
    body.insert(body.end(), number.begin(), number.end());
    return member.read_bytes(client, op, body).error;
  }
  void remove(std::string path) {
    member.call(writer, OpCode::kDelete, jute::DeleteRequest{std::move(path), -1});
  }
  void set(std::string path) {
    member.call(writer, OpCode::kSetData, jute::SetDataRequest{std::move(path), "x", -1});
  }

  Member member;
  Client client = member.connect();
  Client writer = member.connect();
};

TEST_F(Watching, CreationTellsTheNodeThenTheParent) {
  exists("/a");
  children("/");
  member.make(writer, creating("/a"));
  EXPECT_THAT(member.take_events(),
              ElementsAre(event(EventType::kNodeCreated, "/a"), event(EventType::kNodeChildrenChanged, "/")));
  member.make(writer, creating("/b"));
  remove("/a");
  EXPECT_THAT(member.take_events(), IsEmpty());
}

TEST_F(Watching, DeletionTellsAWatcherOfDataAndChildrenOnce) {
  member.make(writer, creating("/p"));
  member.make(writer, creating("/p/a"));
  data("/p/a");
  children("/p/a");
  children("/p");
  remove("/p/a");
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeDeleted, "/p/a"),
                                                event(EventType::kNodeChildrenChanged, "/p")));
}

TEST_F(Watching, DeletionTellsAWatcherOfChildrenAlone) {
  member.make(writer, creating("/a"));
  children("/a");
  remove("/a");
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeDeleted, "/a")));
}

TEST_F(Watching, SetDataTellsWatchersOfDataAlone) {
  member.make(writer, creating("/a"));
  data("/a");
  children("/a");
  children("/");
  set("/a");
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeDataChanged, "/a")));
  set("/a");
  EXPECT_THAT(member.take_events(), IsEmpty());
}

TEST_F(Watching, SetAclAndFailedWritesTellNobody) {
  member.make(writer, creating("/a"));
  data("/a");
  children("/");
  member.call(writer, OpCode::kSetAcl, jute::SetAclRequest{"/a", kOpen, -1});
  member.call(writer, OpCode::kSetData, jute::SetDataRequest{"/a", "x", 7});
  EXPECT_THAT(member.take_events(), IsEmpty());
}

TEST_F(Watching, RecursiveAndStandardChildWatchesGiveBothEvents) {
  EXPECT_EQ(watch("/", jute::AddWatchMode::kPersistentRecursive), ErrorCode::kOk);
  children("/");
  member.make(writer, creating("/a"));
  EXPECT_THAT(member.take_events(),
              ElementsAre(event(EventType::kNodeCreated, "/a"), event(EventType::kNodeChildrenChanged, "/")));
  member.make(writer, creating("/a/b"));
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeCreated, "/a/b")));
  remove("/a/b");
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeDeleted, "/a/b")));
}

TEST_F(Watching, PersistentWatchesStayAfterTheNode) {
  EXPECT_EQ(watch("/a", jute::AddWatchMode::kPersistent), ErrorCode::kOk);
  member.make(writer, creating("/a"));
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeCreated, "/a")));
  member.make(writer, creating("/a/b"));
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeChildrenChanged, "/a")));
  remove("/a/b");
  member.take_events();
  remove("/a");
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeDeleted, "/a")));
  member.make(writer, creating("/a"));
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeCreated, "/a")));
}

TEST_F(Watching, AddWatchTakesAnyPathButKnownModesOnly) {
  EXPECT_EQ(watch(std::nullopt, jute::AddWatchMode::kPersistent), ErrorCode::kOk);
  EXPECT_EQ(watch("no path at all", jute::AddWatchMode::kPersistent), ErrorCode::kOk);
  EXPECT_EQ(watch("/a", jute::AddWatchMode{2}), ErrorCode::kMarshallingError);
  EXPECT_EQ(watch("/a", jute::AddWatchMode{-1}), ErrorCode::kMarshallingError);
}

// ------------------------------------------------------------------------------------------------ ACL filter

TEST_F(Watching, EventsNeedReadOnTheNodeTheySpeakOf) {
  const std::vector<jute::Acl> for_alice{{jute::kPermAll, kAlice}};
  member.authenticate(writer, kAlice);
  watch("/", jute::AddWatchMode::kPersistentRecursive);
  exists("/secret");
  member.make(writer, creating("/secret", CreateMode::kPersistent, for_alice));
  set("/secret");
  remove("/secret");
  EXPECT_THAT(member.take_events(), IsEmpty());
  member.authenticate(client, kAlice);
  member.make(writer, creating("/secret", CreateMode::kPersistent, for_alice));
  set("/secret");
  EXPECT_EQ(member.take_events().size(), 2U);
  remove("/secret");
  EXPECT_THAT(member.take_events(), ElementsAre(event(EventType::kNodeDeleted, "/secret")));
}

TEST_F(Watching, FilteredEventsStillUseOneShotWatchesUp) {
  exists("/secret");
  member.authenticate(writer, kAlice);
  member.make(writer, creating("/secret", CreateMode::kPersistent, {{jute::kPermAll, kAlice}}));
  EXPECT_EQ(member.watches.size(), 0U);
  member.authenticate(client, kAlice);
  set("/secret");
  EXPECT_THAT(member.take_events(), IsEmpty());
}

TEST_F(Watching, ChildEventsNeedReadOnTheParent) {
  member.make(writer, creating("/p"));
  children("/p");
  const std::vector<jute::Acl> blind{{jute::kPermAll & ~jute::kPermRead, {"world", "anyone"}}};
  member.call(writer, OpCode::kSetAcl, jute::SetAclRequest{"/p", blind, -1});
  member.make(writer, creating("/p/a"));
  EXPECT_THAT(member.take_events(), IsEmpty());
}

TEST_F(Watching, OnlyThoseWhoMayReadAreTold) {
  Client alice = member.connect();
  member.authenticate(alice, kAlice);
  member.make(alice, creating("/secret", CreateMode::kPersistent, {{jute::kPermAll, kAlice}}));
  member.watches.add("/secret", client.connection, tree::WatchKind::kData);
  member.watches.add("/secret", alice.connection, tree::WatchKind::kData);
  member.call(alice, OpCode::kSetData, jute::SetDataRequest{"/secret", "x", -1});
  EXPECT_THAT(member.take_events(), ElementsAre(FiredEvent{alice.connection, EventType::kNodeDataChanged,
                                                           "/secret", Zxid{member.zxid}}));
}

// ----------------------------------------------------------------------------------------------- setWatches

TEST_F(Watching, SetWatchesCatchesUpListByList) {
  member.make(writer, creating("/old"));
  member.make(writer, creating("/changed"));
  const Zxid seen{member.zxid};
  set("/changed");
  member.make(writer, creating("/changed/child"));
  const jute::SetWatches request{
      seen, {"/gone", "/changed", "/old"}, {"/old", "/missing"}, {"/gone", "/changed", "/old"}};
  EXPECT_EQ(member.read(client, OpCode::kSetWatches, request).error, ErrorCode::kOk);
  EXPECT_THAT(member.take_events(), ElementsAre(catch_up(EventType::kNodeDeleted, "/gone"),
                                                catch_up(EventType::kNodeDataChanged, "/changed"),
                                                catch_up(EventType::kNodeCreated, "/old"),
                                                catch_up(EventType::kNodeDeleted, "/gone"),
                                                catch_up(EventType::kNodeChildrenChanged, "/changed")));
  EXPECT_EQ(member.watches.size(), 3U);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/old", jute::WatcherType::kData), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/old", jute::WatcherType::kChildren), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/missing", jute::WatcherType::kData), ErrorCode::kOk);
}

TEST_F(Watching, SetWatchesComparesZxidsAsSignedNumbers) {
  member.make(writer, creating("/a"));
  const jute::SetWatches request{Zxid{~std::uint64_t{0}}, {"/a"}, {}, {"/a"}};
  member.read(client, OpCode::kSetWatches, request);
  EXPECT_THAT(member.take_events(), ElementsAre(catch_up(EventType::kNodeDataChanged, "/a"),
                                                catch_up(EventType::kNodeChildrenChanged, "/a")));
}

TEST_F(Watching, SetWatchesAsksNobodyForPermission) {
  member.make(writer, creating("/a", CreateMode::kPersistent, {{jute::kPermAdmin, {"world", "anyone"}}}));
  member.read(client, OpCode::kSetWatches, jute::SetWatches{Zxid{0}, {"/a"}, {}, {}});
  EXPECT_THAT(member.take_events(), ElementsAre(catch_up(EventType::kNodeDataChanged, "/a")));
}

TEST_F(Watching, SetWatches2SetsPersistentOnesWithoutCatchUp) {
  member.make(writer, creating("/a"));
  const jute::SetWatches2 request{{Zxid{0}, {}, {}, {}}, {"/a"}, {"/r"}};
  EXPECT_EQ(member.read(client, OpCode::kSetWatches2, request).error, ErrorCode::kOk);
  EXPECT_THAT(member.take_events(), IsEmpty());
  set("/a");
  member.make(writer, creating("/r"));
  member.make(writer, creating("/r/x"));
  EXPECT_EQ(member.take_events().size(), 3U);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/a", jute::WatcherType::kPersistent), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/r", jute::WatcherType::kPersistentRecursive), ErrorCode::kOk);
}

// ---------------------------------------------------------------------------------- checkWatches,
// removeWatches

TEST_F(Watching, RemovalNeedsAMatchingWatchAndKnownTypes) {
  data("/");
  EXPECT_EQ(about(OpCode::kCheckWatches, "/", jute::WatcherType::kChildren), ErrorCode::kNoWatcher);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/", jute::WatcherType::kAny), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kRemoveWatches, "/", jute::WatcherType::kPersistent), ErrorCode::kNoWatcher);
  EXPECT_EQ(about(OpCode::kRemoveWatches, "/zookeeper", jute::WatcherType::kAny), ErrorCode::kNoWatcher);
  EXPECT_EQ(about(OpCode::kRemoveWatches, "/", jute::WatcherType::kData), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kRemoveWatches, "/", jute::WatcherType::kData), ErrorCode::kNoWatcher);
  for (const std::int32_t unknown : {0, 6, -1}) {
    EXPECT_EQ(about(OpCode::kCheckWatches, "/", jute::WatcherType{unknown}), ErrorCode::kMarshallingError);
    EXPECT_EQ(about(OpCode::kRemoveWatches, "/", jute::WatcherType{unknown}), ErrorCode::kMarshallingError);
  }
  EXPECT_THAT(member.take_events(), IsEmpty());
}

TEST_F(Watching, NullListsFailInTheirTurn) {
  const std::vector<std::byte> data_then_null = jute::bytes(
      "0000000000000000"
      "00000001 00000002 2f78"
      "ffffffff 00000000");
  EXPECT_EQ(member.read_bytes(client, OpCode::kSetWatches, data_then_null).error,
            ErrorCode::kMarshallingError);
  EXPECT_THAT(member.take_events(), ElementsAre(catch_up(EventType::kNodeDeleted, "/x")));
  const std::vector<std::byte> persistent_then_null = jute::bytes(
      "0000000000000000"
      "00000000 00000000 00000000"
      "00000001 00000002 2f79"
      "ffffffff");
  EXPECT_EQ(member.read_bytes(client, OpCode::kSetWatches2, persistent_then_null).error,
            ErrorCode::kMarshallingError);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/y", jute::WatcherType::kPersistent), ErrorCode::kOk);
}

TEST_F(Watching, ANullPathAmongOthersFailsInItsTurn) {
  const std::vector<std::byte> data_null_data = jute::bytes(
      "0000000000000000"
      "00000003 00000002 2f78 ffffffff 00000002 2f79"
      "00000000 00000000");
  EXPECT_EQ(member.read_bytes(client, OpCode::kSetWatches, data_null_data).error,
            ErrorCode::kMarshallingError);
  EXPECT_THAT(member.take_events(), ElementsAre(catch_up(EventType::kNodeDeleted, "/x")));
  const std::vector<std::byte> exist_then_child_null = jute::bytes(
      "0000000000000000"
      "00000000"
      "00000001 00000002 2f65"
      "00000002 ffffffff 00000002 2f7a");
  EXPECT_EQ(member.read_bytes(client, OpCode::kSetWatches, exist_then_child_null).error,
            ErrorCode::kMarshallingError);
  EXPECT_THAT(member.take_events(), IsEmpty());
  EXPECT_EQ(about(OpCode::kCheckWatches, "/e", jute::WatcherType::kData), ErrorCode::kOk);
  EXPECT_EQ(member.watches.size(), 1U);
}

TEST_F(Watching, ANullPathIsWatchedAndNothingHappensToIt) {
  EXPECT_EQ(about(OpCode::kCheckWatches, std::nullopt, jute::WatcherType::kAny), ErrorCode::kNoWatcher);
  EXPECT_EQ(about(OpCode::kRemoveWatches, std::nullopt, jute::WatcherType::kAny), ErrorCode::kNoWatcher);
  EXPECT_EQ(watch(std::nullopt, jute::AddWatchMode::kPersistent), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kCheckWatches, std::nullopt, jute::WatcherType::kPersistent), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kCheckWatches, "", jute::WatcherType::kPersistent), ErrorCode::kNoWatcher);
  EXPECT_EQ(about(OpCode::kCheckWatches, "\xff", jute::WatcherType::kPersistent), ErrorCode::kNoWatcher);
  member.make(writer, creating("/a"));
  EXPECT_THAT(member.take_events(), IsEmpty());
  EXPECT_EQ(about(OpCode::kRemoveWatches, std::nullopt, jute::WatcherType::kPersistent), ErrorCode::kOk);
  const std::vector<std::byte> null_persistent_and_recursive = jute::bytes(
      "0000000000000000"
      "00000000 00000000 00000000"
      "00000001 ffffffff"
      "00000002 ffffffff 00000002 2f72");
  EXPECT_EQ(member.read_bytes(client, OpCode::kSetWatches2, null_persistent_and_recursive).error,
            ErrorCode::kOk);
  for (const auto type : {jute::WatcherType::kPersistent, jute::WatcherType::kPersistentRecursive})
    EXPECT_EQ(about(OpCode::kRemoveWatches, std::nullopt, type), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kCheckWatches, "/r", jute::WatcherType::kPersistentRecursive), ErrorCode::kOk);
}

TEST_F(Watching, MalformedPathsAreOneAsJavaReadsThem) {
  const std::string replaced = "/\xef\xbf\xbd";
  exists("/\xff");
  EXPECT_EQ(about(OpCode::kCheckWatches, replaced, jute::WatcherType::kData), ErrorCode::kOk);
  EXPECT_EQ(watch("/\xfe", jute::AddWatchMode::kPersistent), ErrorCode::kOk);
  EXPECT_EQ(about(OpCode::kRemoveWatches, "/\xff", jute::WatcherType::kPersistent), ErrorCode::kOk);
  member.read(client, OpCode::kSetWatches, jute::SetWatches{Zxid{}, {"/\xff"}, {}, {}});
  EXPECT_THAT(member.take_events(), ElementsAre(catch_up(EventType::kNodeDeleted, replaced)));
}

}  // namespace
}  // namespace wk::txn
