#include <gtest/gtest.h>

#include "member.h"
#include "server/tree/owner.h"

namespace wk::txn {
namespace {

using jute::CreateMode;

class Creating : public ::testing::Test {
 protected:
  ErrorCode outcome(const jute::CreateRequest& request, OpCode op = OpCode::kCreate) {
    return member.call(client, op, request).error;
  }
  ErrorCode ttl_outcome(const jute::CreateTtlRequest& request) {
    return member.call(client, OpCode::kCreateTtl, request).error;
  }

  Member member;
  Client client = member.connect();
};

TEST_F(Creating, AnswersPathAndKeepsData) {
  EXPECT_EQ(member.make(client, creating("/a", CreateMode::kPersistent, kOpen, "hello")), "/a");
  const tree::Znode node = member.tree.find("/a");
  ASSERT_TRUE(node);
  EXPECT_EQ(node.data(), "hello");
  EXPECT_EQ(node.stat().czxid, Zxid{2});
  EXPECT_EQ(node.stat().ctime_ms, 1'000'002);
  EXPECT_EQ(member.tree.find("/").stat().pzxid, Zxid{2});
}

TEST_F(Creating, NullDataStaysNull) {
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, std::nullopt));
  EXPECT_EQ(member.tree.find("/a").data(), std::nullopt);
  member.make(client, creating("/b"));
  EXPECT_EQ(member.tree.find("/b").data(), "");
}

TEST_F(Creating, Create2AnswersStatToo) {
  const auto reply =
      member.call(client, OpCode::kCreate2, creating("/a", CreateMode::kEphemeral, kOpen, "abc"))
          .as<jute::Create2Response>();
  EXPECT_EQ(reply.path, "/a");
  EXPECT_EQ(reply.stat.czxid, Zxid{2});
  EXPECT_EQ(reply.stat.data_length_bytes, 3);
  EXPECT_EQ(reply.stat.ephemeral_owner, client.session);
}

TEST_F(Creating, SequentialNamesCountEveryCreationUnderTheParent) {
  const auto sequential = CreateMode::kPersistentSequential;
  member.make(client, creating("/p"));
  EXPECT_EQ(member.make(client, creating("/p/x", sequential)), "/p/x0000000000");
  member.make(client, creating("/p/plain"));
  EXPECT_EQ(outcome(creating("/p/plain")), ErrorCode::kNodeExists);
  EXPECT_EQ(member.make(client, creating("/p/", sequential)), "/p/0000000002");
  member.call(client, OpCode::kDelete, jute::DeleteRequest{"/p/plain", -1});
  EXPECT_EQ(member.make(client, creating("/p/x", CreateMode::kEphemeralSequential)), "/p/x0000000003");
}

TEST_F(Creating, SequentialNamesSeeWhatIsNotAppliedYet) {
  const auto sequential = CreateMode::kPersistentSequential;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/s", sequential)), ErrorCode::kOk);
  EXPECT_EQ(member.apply_next().as<jute::CreateResponse>().path, "/s0000000000");
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/s", sequential)), ErrorCode::kOk);
  EXPECT_EQ(member.apply_next().as<jute::CreateResponse>().path, "/s0000000001");
  EXPECT_EQ(member.apply_next().as<jute::CreateResponse>().path, "/s0000000002");
  EXPECT_EQ(member.apply_next().as<jute::CreateResponse>().path, "/s0000000003");
}

TEST_F(Creating, ExhaustedCounterStaysAtItsEnd) {
  // A replayed transaction carries any counter.
  member.make(client, creating("/p"));
  std::vector<std::byte> payload;
  jute::Writer out(payload);
  jute::write_txn(out, {client.session, 1, Zxid{++member.zxid}, 5, OpCode::kCreate},
                  jute::CreateTxn{"/p/a", "", std::nullopt, false, 2147483647}, std::nullopt);
  member.waiting.push_back({OpCode::kCreate, payload});
  member.apply_all();
  EXPECT_EQ(member.make(client, creating("/p/s", CreateMode::kPersistentSequential)), "/p/s2147483647");
  EXPECT_EQ(member.tree.find("/p").stat_persisted().cversion, 2147483647);
  EXPECT_EQ(outcome(creating("/p/s", CreateMode::kPersistentSequential)), ErrorCode::kNodeExists);
  // Among changes under way it goes on behind the end, as on Apache, until they are applied.
  for (int i = 0; i < 3; ++i)
    member.submit(client, OpCode::kCreate, creating("/p/t", CreateMode::kPersistentSequential));
  EXPECT_EQ(member.apply_next().as<jute::CreateResponse>().path, "/p/t2147483647");
  EXPECT_EQ(member.apply_next().as<jute::CreateResponse>().path, "/p/t-2147483648");
  EXPECT_EQ(member.apply_next().as<jute::CreateResponse>().path, "/p/t-2147483647");
  EXPECT_EQ(member.tree.find("/p").stat_persisted().cversion, 2147483647);
  EXPECT_EQ(outcome(creating("/p/t", CreateMode::kPersistentSequential)), ErrorCode::kNodeExists);
}

TEST_F(Creating, ContainersByOperationAndByMode) {
  EXPECT_EQ(member.call(client, OpCode::kCreateContainer, creating("/c", CreateMode::kContainer))
                .as<jute::Create2Response>()
                .path,
            "/c");
  EXPECT_EQ(member.tree.find("/c").owner(), tree::kContainerOwner);
  EXPECT_EQ(member.tree.find("/c").stat().ephemeral_owner, SessionId{0});
  // Differs from 3.9.5, which makes a persistent node of it; the reply is create's.
  EXPECT_EQ(member.make(client, creating("/d", CreateMode::kContainer)), "/d");
  EXPECT_EQ(member.tree.find("/d").owner(), tree::kContainerOwner);
  EXPECT_EQ(outcome(creating("/e", CreateMode::kPersistent), OpCode::kCreateContainer), ErrorCode::kOk);
  EXPECT_EQ(member.tree.find("/e").owner(), tree::kContainerOwner);
  EXPECT_EQ(outcome(creating("/f", CreateMode::kEphemeral), OpCode::kCreateContainer),
            ErrorCode::kBadArguments);
  EXPECT_EQ(outcome(creating("/f", CreateMode::kEphemeralSequential), OpCode::kCreateContainer),
            ErrorCode::kBadArguments);
  EXPECT_EQ(outcome(creating("/f", CreateMode::kPersistentWithTtl), OpCode::kCreateContainer),
            ErrorCode::kBadArguments);
}

TEST_F(Creating, TimesToLiveHaveARange) {
  const auto with_ttl = [](std::string path, std::int64_t ttl_ms) {
    return jute::CreateTtlRequest{creating(std::move(path), CreateMode::kPersistentWithTtl), ttl_ms};
  };
  EXPECT_EQ(ttl_outcome(with_ttl("/t", 0)), ErrorCode::kBadArguments);
  EXPECT_EQ(ttl_outcome(with_ttl("/t", -1)), ErrorCode::kBadArguments);
  EXPECT_EQ(ttl_outcome(with_ttl("/t", tree::kMaxTtlMs + 1)), ErrorCode::kBadArguments);
  EXPECT_EQ(ttl_outcome(with_ttl("/t", tree::kMaxTtlMs)), ErrorCode::kOk);
  EXPECT_EQ(ttl_outcome(with_ttl("/u", 1)), ErrorCode::kOk);
  EXPECT_EQ(member.tree.find("/u").owner(), *tree::ttl_owner(1));
  EXPECT_EQ(member.tree.find("/u").stat().ephemeral_owner, SessionId{0});
  const jute::CreateTtlRequest sequential{creating("/s", CreateMode::kPersistentSequentialWithTtl), 7};
  EXPECT_EQ(member.call(client, OpCode::kCreateTtl, sequential).as<jute::Create2Response>().path,
            "/s0000000002");
}

TEST_F(Creating, TimesToLiveNeedTheirOperationAndMode) {
  EXPECT_EQ(outcome(creating("/t", CreateMode::kPersistentWithTtl)), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome(creating("/t", CreateMode::kPersistentWithTtl), OpCode::kCreate2),
            ErrorCode::kBadArguments);
  EXPECT_EQ(ttl_outcome(jute::CreateTtlRequest{creating("/t"), 5}), ErrorCode::kBadArguments);
  EXPECT_EQ(ttl_outcome(jute::CreateTtlRequest{creating("/t"), 0}), ErrorCode::kBadArguments);
  // Differs from 3.9.5, which accepts this one and then cannot apply it.
  EXPECT_EQ(ttl_outcome(jute::CreateTtlRequest{creating("/t"), -1}), ErrorCode::kBadArguments);
}

TEST(CreatingWithoutExtendedTypes, TimesToLiveAreUnimplemented) {
  Member member({}, {.extended_types = false});
  Client client = member.connect();
  const jute::CreateTtlRequest request{creating("no slash", CreateMode::kPersistentWithTtl), 0};
  EXPECT_EQ(member.call(client, OpCode::kCreateTtl, request).error, ErrorCode::kUnimplemented);
  EXPECT_EQ(
      member.call(client, OpCode::kCreate, creating("/t", CreateMode::kPersistentSequentialWithTtl)).error,
      ErrorCode::kUnimplemented);
  EXPECT_EQ(member.call(client, OpCode::kCreate, creating("/t", CreateMode{7})).error,
            ErrorCode::kBadArguments);
}

// Every row breaks the rule of its own line and of all lines below.
TEST_F(Creating, FirstFailingCheckWins) {
  member.make(client, creating("/locked", CreateMode::kPersistent, kReadOnly));
  member.make(client, creating("/ephemeral", CreateMode::kEphemeral));
  member.make(client, creating("/there"));
  const std::vector<jute::Acl> none{};

  EXPECT_EQ(outcome({"x", "", none, CreateMode{7}}), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome({"x", "", none, CreateMode{-1}}), ErrorCode::kBadArguments);
  member.session_check = ErrorCode::kSessionExpired;
  EXPECT_EQ(outcome({"x", "", none, CreateMode{7}}), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome({"x", "", none, CreateMode::kPersistent}), ErrorCode::kSessionExpired);
  member.session_check = ErrorCode::kSessionMoved;
  EXPECT_EQ(outcome({"x", "", none, CreateMode::kEphemeral}), ErrorCode::kSessionMoved);
  member.session_check = ErrorCode::kOk;
  EXPECT_EQ(outcome({"x", "", none, CreateMode::kPersistent}), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome({std::string("/missing/\0", 10), "", none, CreateMode::kPersistent}),
            ErrorCode::kBadArguments);
  EXPECT_EQ(outcome({"/missing/\x01", "", none, CreateMode::kPersistent}), ErrorCode::kInvalidAcl);
  EXPECT_EQ(outcome({"/missing/\x01", "", std::nullopt, CreateMode::kPersistent}), ErrorCode::kInvalidAcl);
  EXPECT_EQ(outcome({"/missing/\x01", "", kOpen, CreateMode::kPersistent}), ErrorCode::kNoNode);
  EXPECT_EQ(outcome({"/p//x", "", kOpen, CreateMode::kPersistent}), ErrorCode::kNoNode);
  EXPECT_EQ(outcome({"/locked/\x01", "", kOpen, CreateMode::kPersistent}), ErrorCode::kNoAuth);
  EXPECT_EQ(outcome({"/ephemeral/\x01", "", kOpen, CreateMode::kPersistent}), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome({"/there/", "", kOpen, CreateMode::kPersistent}), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome({"/there/..", "", kOpen, CreateMode::kPersistent}), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome({"/there/...", "", kOpen, CreateMode::kPersistent}), ErrorCode::kOk);
  EXPECT_EQ(outcome({"/there", "", kOpen, CreateMode::kPersistent}), ErrorCode::kNodeExists);
  EXPECT_EQ(outcome({"/", "", kOpen, CreateMode::kPersistent}), ErrorCode::kNodeExists);
  EXPECT_EQ(outcome({"/ephemeral/x", "", kOpen, CreateMode::kPersistent}),
            ErrorCode::kNoChildrenForEphemerals);
  EXPECT_EQ(outcome({"/ephemeral/x", "", kOpen, CreateMode::kEphemeral}),
            ErrorCode::kNoChildrenForEphemerals);
}

TEST_F(Creating, OneZxidForEachRequestEvenWhenItFails) {
  EXPECT_EQ(outcome(creating("/missing/x")), ErrorCode::kNoNode);
  member.submit(client, OpCode::kCreate, creating("/missing/x"));
  const auto txn = jute::decode_txn(member.waiting.front().payload);
  ASSERT_TRUE(txn);
  EXPECT_EQ(txn->header, (jute::TxnHeader{client.session, 3, Zxid{3}, 1'000'003, OpCode::kError}));
  EXPECT_EQ(std::get<jute::ErrorTxn>(txn->body).error, ErrorCode::kNoNode);
  EXPECT_FALSE(txn->digest);
  EXPECT_EQ(member.waiting.front().payload.size(), 36U);
}

TEST_F(Creating, MalformedRequestsAreMarshallingErrors) {
  const std::uint64_t before = member.zxid;
  const auto whole = encoded(creating("/a"));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(member.call_bytes(client, OpCode::kCreate, std::span(whole).first(length)).error,
              ErrorCode::kMarshallingError);
  EXPECT_EQ(member.call(client, OpCode::kCreate, std::optional<std::string>()).error,
            ErrorCode::kMarshallingError);
  EXPECT_EQ(member.call_bytes(client, OpCode::kCreateTtl, whole).error, ErrorCode::kMarshallingError);
  EXPECT_EQ(member.zxid, before) << "what cannot be decoded is no transaction";
  EXPECT_EQ(member.tree.find("/a"), tree::Znode());
}

TEST_F(Creating, AclListsAreStoredNormalised) {
  const std::vector<jute::Acl> acl{{jute::kPermRead, {"auth", ""}}, {jute::kPermRead, {"ip", "127.0.0.1"}}};
  EXPECT_EQ(outcome(creating("/a", CreateMode::kPersistent, acl)), ErrorCode::kInvalidAcl);
  member.authenticate(client, kAlice);
  EXPECT_EQ(outcome(creating("/a", CreateMode::kPersistent, acl)), ErrorCode::kOk);
  const auto stored = member.tree.acls().list(member.tree.find("/a").acl());
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(*stored.begin(), (jute::AclView{jute::kPermRead, {"digest", "alice:abc"}}));
}

TEST_F(Creating, ListsOfNodesNotAppliedYetCount) {
  member.submit(client, OpCode::kCreate, creating("/locked", CreateMode::kPersistent, kReadOnly));
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/locked/x")), ErrorCode::kNoAuth);
  member.authenticate(client, {"super", ""});
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/locked/x")), ErrorCode::kOk);
  EXPECT_EQ(member.apply_next().error, ErrorCode::kOk);
  EXPECT_EQ(member.apply_next().error, ErrorCode::kNoAuth);
  EXPECT_EQ(member.apply_next().error, ErrorCode::kOk);
}

TEST_F(Creating, AQuotaOnTheRootIsRefused) {
  EXPECT_EQ(outcome(creating("/zookeeper/quota/zookeeper_limits")), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome(creating("/zookeeper/quota/a")), ErrorCode::kOk);
  EXPECT_EQ(outcome(creating("/zookeeper/quota/a/zookeeper_limits")), ErrorCode::kOk);
}

TEST_F(Creating, ListsThatGrowBeyondAnyLogRecordAreRefused) {
  Settings settings;
  settings.max_string_bytes = 2000;
  Member small(settings);
  Client crowd = small.connect();
  for (int i = 0; i < 100; ++i) small.authenticate(crowd, {"digest", "user" + std::to_string(i) + ":hash"});
  const std::vector<jute::Acl> acl{{jute::kPermAll, {"auth", ""}}};
  EXPECT_EQ(small.call(crowd, OpCode::kCreate, creating("/a", CreateMode::kPersistent, acl)).error,
            ErrorCode::kMarshallingError);
  EXPECT_EQ(small.outstanding.size(), 0U);
  EXPECT_EQ(small.call(crowd, OpCode::kCreate, creating("/a")).error, ErrorCode::kOk);
}

}  // namespace
}  // namespace wk::txn
