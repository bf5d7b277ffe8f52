// Sessions opened and closed by transactions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "member.h"

namespace wk::txn {
namespace {

using jute::CreateMode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> paths_of(const Member::Waiting& waiting) {
  const auto txn = jute::decode_txn(waiting.payload);
  EXPECT_TRUE(txn);
  const auto& paths = std::get<jute::CloseSessionTxn>(txn->body).paths_to_delete;
  EXPECT_TRUE(paths);
  return {paths->begin(), paths->end()};
}

class Sessions : public ::testing::Test {
 protected:
  Sessions() { other = member.connect(); }

  ErrorCode close(Client& of) { return member.submit_bytes(of, OpCode::kCloseSession, {}); }

  Member member;
  Client client = member.connect();
  Client other;
};

TEST_F(Sessions, CreationIsCommittedWithItsTimeout) {
  EXPECT_EQ(member.sessions.committed_timeout_ms(client.session), 30000);
  Client stranger{SessionId{9}, ConnectionId{9}, {}, 0};
  EXPECT_EQ(member.call_bytes(stranger, OpCode::kCreateSession, {}).error, ErrorCode::kMarshallingError);
  EXPECT_EQ(member.sessions.committed_timeout_ms(stranger.session), std::nullopt);
}

TEST_F(Sessions, ClosingDeletesTheEphemeralsOfThatSession) {
  member.make(client, creating("/p"));
  member.make(client, creating("/p/a", CreateMode::kEphemeral));
  member.make(other, creating("/p/b", CreateMode::kEphemeral));
  member.make(client, creating("/p/c", CreateMode::kEphemeral));
  member.session_check = ErrorCode::kSessionExpired;  // Nobody asks.
  EXPECT_EQ(close(client), ErrorCode::kOk);
  EXPECT_THAT(paths_of(member.waiting.front()), ElementsAre("/p/a", "/p/c"));
  const Reply reply = member.apply_all();
  EXPECT_EQ(reply.error, ErrorCode::kOk);
  EXPECT_TRUE(reply.body.empty());
  EXPECT_FALSE(member.tree.find("/p/a"));
  EXPECT_TRUE(member.tree.find("/p/b"));
  EXPECT_EQ(member.sessions.committed_timeout_ms(client.session), std::nullopt);
  EXPECT_EQ(member.tree.find("/p").stat_persisted().cversion, 3);
  EXPECT_EQ(member.tree.find("/p").stat().pzxid, Zxid{member.zxid});
}

TEST_F(Sessions, ClosingCountsWhatIsNotAppliedYet) {
  member.make(client, creating("/gone", CreateMode::kEphemeral));
  member.make(client, creating("/again", CreateMode::kEphemeral));
  member.make(client, creating("/taken", CreateMode::kEphemeral));
  for (const char* path : {"/gone", "/again", "/taken"})
    EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{path, -1}), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/again", CreateMode::kEphemeral)),
            ErrorCode::kOk);
  EXPECT_EQ(member.submit(other, OpCode::kCreate, creating("/taken", CreateMode::kEphemeral)),
            ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/fresh", CreateMode::kEphemeral)),
            ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/brief", CreateMode::kEphemeral)),
            ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/brief", -1}), ErrorCode::kOk);
  EXPECT_EQ(close(client), ErrorCode::kOk);
  EXPECT_THAT(paths_of(member.waiting.back()), UnorderedElementsAre("/again", "/fresh"));
  // What closes is gone for everyone who comes later.
  EXPECT_EQ(member.submit(other, OpCode::kSetData, jute::SetDataRequest{"/fresh", "", -1}),
            ErrorCode::kNoNode);
  EXPECT_EQ(member.submit(other, OpCode::kCreate, creating("/again", CreateMode::kEphemeral)),
            ErrorCode::kOk);
  member.apply_all();
  EXPECT_EQ(member.tree.find("/again").owner(), other.session.value);
  EXPECT_EQ(member.tree.find("/taken").owner(), other.session.value);
  EXPECT_FALSE(member.tree.find("/fresh"));
  EXPECT_FALSE(member.tree.find("/gone"));
}

TEST_F(Sessions, NodeNotAppliedYetIsNamedOnce) {
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/a", CreateMode::kEphemeral)), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/a", -1}), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/a", CreateMode::kEphemeral)), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/a", "", -1}), ErrorCode::kOk);
  close(client);
  EXPECT_THAT(paths_of(member.waiting.back()), ElementsAre("/a"));
  member.apply_all();
  EXPECT_FALSE(member.tree.find("/a"));
}

TEST_F(Sessions, ClosingTellsTheWatchersInOrder) {
  member.make(client, creating("/a", CreateMode::kEphemeral));
  member.make(client, creating("/b", CreateMode::kEphemeral));
  member.watches.add("/b", other.connection, tree::WatchKind::kData);
  member.watches.add("/", other.connection, tree::WatchKind::kChild);
  member.watches.add("/a", other.connection, tree::WatchKind::kData);
  close(client);
  member.apply_all();
  const Zxid zxid{member.zxid};
  EXPECT_THAT(member.take_events(),
              ElementsAre(FiredEvent{other.connection, EventType::kNodeDeleted, "/a", zxid},
                          FiredEvent{other.connection, EventType::kNodeChildrenChanged, "/", zxid},
                          FiredEvent{other.connection, EventType::kNodeDeleted, "/b", zxid}));
}

TEST_F(Sessions, ListsLongerThanALogRecordAreCutAndStillDeleteEverything) {
  Settings settings;
  settings.max_string_bytes = 400;
  Member small(settings);
  Client owner = small.connect();
  for (char name = 'a'; name < 'u'; ++name)
    small.make(owner, creating("/ephemeral-" + std::string(1, name), CreateMode::kEphemeral));
  small.submit_bytes(owner, OpCode::kCloseSession, {});
  EXPECT_LE(small.waiting.back().payload.size(), 400U);
  EXPECT_EQ(paths_of(small.waiting.back()).size(), 12U);
  small.apply_all();
  EXPECT_EQ(small.tree.ephemeral_count(), 0U);
}

TEST_F(Sessions, ListsThatAreSwitchedOffAreLeftOut) {
  Settings settings;
  settings.close_session_paths = false;
  Member older(settings);
  Client owner = older.connect();
  older.make(owner, creating("/a", CreateMode::kEphemeral));
  older.submit_bytes(owner, OpCode::kCloseSession, {});
  EXPECT_EQ(older.waiting.back().payload.size(), 44U);  // header and digest
  older.apply_all();
  EXPECT_FALSE(older.tree.find("/a"));
}

TEST_F(Sessions, ParentsOfClosedEphemeralsCanBeDeletedAtOnce) {
  member.make(other, creating("/p"));
  member.make(client, creating("/p/a", CreateMode::kEphemeral));
  close(client);
  EXPECT_EQ(member.submit(other, OpCode::kDelete, jute::DeleteRequest{"/p", -1}), ErrorCode::kOk);
  member.apply_all();
  EXPECT_FALSE(member.tree.find("/p"));
  EXPECT_THAT(member.take_events(), IsEmpty());
}

}  // namespace
}  // namespace wk::txn
