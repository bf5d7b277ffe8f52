#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "member.h"
#include "server/tree/owner.h"

namespace wk::txn {
namespace {

using jute::CreateMode;
using ::testing::ElementsAre;

jute::MultiOperation create(std::string path, OpCode op = OpCode::kCreate,
                            CreateMode mode = CreateMode::kPersistent, std::vector<jute::Acl> acl = kOpen) {
  return {op, creating(std::move(path), mode, std::move(acl))};
}
jute::MultiOperation create_ttl(std::string path, CreateMode mode, std::int64_t ttl_ms) {
  return {OpCode::kCreateTtl, jute::CreateTtlRequest{creating(std::move(path), mode), ttl_ms}};
}
jute::MultiOperation remove(std::string path, std::int32_t version = -1) {
  return {OpCode::kDelete, jute::DeleteRequest{std::move(path), version}};
}
jute::MultiOperation set(std::string path, std::int32_t version = -1) {
  return {OpCode::kSetData, jute::SetDataRequest{std::move(path), "new", version}};
}
jute::MultiOperation check(std::string path, std::int32_t version = -1) {
  return {OpCode::kCheck, jute::CheckVersionRequest{std::move(path), version}};
}

class Multi : public ::testing::Test {
 protected:
  Reply call(std::vector<jute::MultiOperation> operations) {
    return member.call(client, OpCode::kMulti, jute::MultiRequest{std::move(operations)});
  }
  std::vector<ErrorCode> errors(std::vector<jute::MultiOperation> operations) {
    const Reply reply = call(std::move(operations));
    EXPECT_EQ(reply.error, ErrorCode::kOk);
    EXPECT_TRUE(reply.rolled_back);
    std::vector<ErrorCode> out;
    for (const jute::MultiResult& result : reply.as<jute::MultiResponse>().results) {
      EXPECT_EQ(result.op, OpCode::kError);
      out.push_back(result.error);
    }
    return out;
  }
  ErrorCode whole(std::vector<jute::MultiOperation> operations) { return call(std::move(operations)).error; }

  Member member;
  Client client = member.connect();
};

TEST_F(Multi, LaterPartsSeeEarlierOnesAndShareOneZxid) {
  const Reply reply = call({create("/a"), create("/a/s", OpCode::kCreate2, CreateMode::kPersistentSequential),
                            create("/a/s", OpCode::kCreate2, CreateMode::kPersistentSequential), set("/a", 0),
                            check("/a", 1), remove("/a/s0000000000")});
  EXPECT_EQ(reply.error, ErrorCode::kOk);
  EXPECT_FALSE(reply.rolled_back);
  const auto results = reply.as<jute::MultiResponse>().results;
  ASSERT_EQ(results.size(), 6U);
  EXPECT_EQ(results[0].op, OpCode::kCreate);
  EXPECT_EQ(results[0].path, "/a");
  EXPECT_EQ(results[1].op, OpCode::kCreate2);
  EXPECT_EQ(results[1].path, "/a/s0000000000");
  EXPECT_EQ(results[2].path, "/a/s0000000001");
  EXPECT_EQ(results[2].stat.czxid, Zxid{2});
  EXPECT_EQ(results[3].op, OpCode::kSetData);
  EXPECT_EQ(results[3].stat.version, 1);
  EXPECT_EQ(results[3].stat.mzxid, Zxid{2});
  EXPECT_EQ(results[3].stat.num_children, 2);
  EXPECT_EQ(results[4].op, OpCode::kCheck);
  EXPECT_EQ(results[5].op, OpCode::kDelete);
  EXPECT_FALSE(member.tree.find("/a/s0000000000"));
}

TEST_F(Multi, EmptyIsLegalAndUsesAZxid) {
  const Reply reply = call({});
  EXPECT_EQ(reply.error, ErrorCode::kOk);
  EXPECT_TRUE(reply.as<jute::MultiResponse>().results.empty());
  EXPECT_EQ(reply.body.size(), 9U);
  member.make(client, creating("/a"));
  EXPECT_EQ(member.tree.find("/a").stat().czxid, Zxid{3});
}

TEST_F(Multi, FailureRollsEverythingBack) {
  member.make(client, creating("/p"));
  EXPECT_THAT(errors({create("/p/a"), set("/p"), check("/missing"), create("/p/b"), remove("/p")}),
              ElementsAre(ErrorCode::kOk, ErrorCode::kOk, ErrorCode::kNoNode,
                          ErrorCode::kRuntimeInconsistency, ErrorCode::kRuntimeInconsistency));
  EXPECT_FALSE(member.tree.find("/p/a"));
  EXPECT_EQ(member.tree.find("/p").stat().version, 0);
  EXPECT_EQ(member.tree.find("/p").stat().cversion, 0);
}

TEST_F(Multi, RollbackRestoresWhatOtherTransactionsWillHaveMade) {
  member.make(client, creating("/p"));
  const auto sequential = CreateMode::kPersistentSequential;
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/p/s", sequential)), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/p", "1", 0}), ErrorCode::kOk);
  const jute::MultiRequest failing{{create("/p/s", OpCode::kCreate, sequential), set("/p", 1), set("/p", 2),
                                    remove("/p/s0000000000"), create("/q"), set("/p", 0)}};
  EXPECT_EQ(member.submit(client, OpCode::kMulti, failing), ErrorCode::kBadVersion);
  EXPECT_EQ(member.outstanding.size(), 3U);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/p/s", sequential)), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/p", "2", 1}), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/q", "2", -1}), ErrorCode::kNoNode);
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/p/s0000000000", -1}),
            ErrorCode::kOk);
  member.apply_all();
  EXPECT_TRUE(member.tree.find("/p/s0000000001"));
  EXPECT_EQ(member.tree.find("/p").stat().version, 2);
}

TEST_F(Multi, PartsHaveTheErrorsOfTheirOperations) {
  member.make(client, creating("/there"));
  member.make(client,
              creating("/locked", CreateMode::kPersistent, {{jute::kPermWrite, {"world", "anyone"}}}));
  EXPECT_THAT(errors({create("/there")}), ElementsAre(ErrorCode::kNodeExists));
  EXPECT_THAT(errors({create("/x", OpCode::kCreate2, CreateMode::kPersistent, {})}),
              ElementsAre(ErrorCode::kInvalidAcl));
  EXPECT_THAT(errors({create("/a\x01")}), ElementsAre(ErrorCode::kBadArguments));
  EXPECT_THAT(errors({remove("/zookeeper")}), ElementsAre(ErrorCode::kBadArguments));
  EXPECT_THAT(errors({set("/there", 9)}), ElementsAre(ErrorCode::kBadVersion));
  EXPECT_THAT(errors({check("/there/")}), ElementsAre(ErrorCode::kBadArguments));
  EXPECT_THAT(errors({check("/missing")}), ElementsAre(ErrorCode::kNoNode));
  EXPECT_THAT(errors({check("/locked", 9)}), ElementsAre(ErrorCode::kNoAuth));
  EXPECT_THAT(errors({check("/there", 9)}), ElementsAre(ErrorCode::kBadVersion));
  EXPECT_THAT(errors({create("/c", OpCode::kCreateContainer, CreateMode::kEphemeral)}),
              ElementsAre(ErrorCode::kBadArguments));
  EXPECT_THAT(errors({create_ttl("/t", CreateMode::kPersistentWithTtl, 0)}),
              ElementsAre(ErrorCode::kBadArguments));
  member.session_check = ErrorCode::kSessionExpired;
  EXPECT_THAT(errors({check("/there/"), check("/there")}),
              ElementsAre(ErrorCode::kSessionExpired, ErrorCode::kRuntimeInconsistency));
}

TEST_F(Multi, MovedSessionsCloseTheConnection) {
  member.session_check = ErrorCode::kSessionMoved;
  EXPECT_EQ(whole({create("/a")}), ErrorCode::kSessionMoved);
}

TEST_F(Multi, ContainersAndTimesToLive) {
  const Reply reply = call({create("/c", OpCode::kCreate, CreateMode::kContainer),
                            create("/d", OpCode::kCreateContainer, CreateMode::kPersistent),
                            create_ttl("/t", CreateMode::kPersistentWithTtl, 60000),
                            // Without the mode this is a plain create, as Apache's Op makes it.
                            create_ttl("/e", CreateMode::kEphemeral, 60000)});
  const auto results = reply.as<jute::MultiResponse>().results;
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].op, OpCode::kCreate2);
  EXPECT_EQ(results[1].op, OpCode::kCreate2);
  EXPECT_EQ(results[2].op, OpCode::kCreate2);
  EXPECT_EQ(results[3].op, OpCode::kCreate);
  EXPECT_EQ(member.tree.find("/c").owner(), tree::kContainerOwner);
  EXPECT_EQ(member.tree.find("/d").owner(), tree::kContainerOwner);
  EXPECT_EQ(member.tree.find("/t").owner(), *tree::ttl_owner(60000));
  EXPECT_EQ(member.tree.find("/e").owner(), client.session.value);
}

TEST_F(Multi, MalformedAsAWhole) {
  EXPECT_EQ(whole({create("/a"), create("/b", OpCode::kCreate, CreateMode{7})}),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(whole({create("/a"), create("/b", OpCode::kCreate2, CreateMode::kPersistentWithTtl)}),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(whole({create("/a", OpCode::kCreate, CreateMode::kPersistent, {{31, {"world", std::nullopt}}})}),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(whole({create("/a"), {OpCode::kSetAcl, jute::SetDataRequest{"/a", "", -1}}}),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(whole({create("/a"), {OpCode::kGetData, jute::DeleteRequest{"/a", 0}}}),
            ErrorCode::kMarshallingError);
  jute::CreateRequest without_acl = creating("/a");
  without_acl.acl.reset();
  EXPECT_EQ(whole({{OpCode::kCreate, without_acl}}), ErrorCode::kMarshallingError);
  EXPECT_EQ(member.outstanding.size(), 0U);
  const auto request = encoded(jute::MultiRequest{{create("/a"), set("/a")}});
  const std::uint64_t before = member.zxid;
  for (std::size_t length = 0; length < request.size() - 4; ++length)
    EXPECT_EQ(member.call_bytes(client, OpCode::kMulti, std::span(request).first(length)).error,
              ErrorCode::kMarshallingError)
        << length;
  EXPECT_EQ(member.zxid, before + request.size() - 4) << "a malformed multi is a transaction";
  EXPECT_FALSE(member.tree.find("/a"));
}

// Ten bytes of an ACL can stand for a MB of it.
TEST_F(Multi, NothingIsAddedToAPayloadThatIsTooLong) {
  member.settings.max_string_bytes = 200'000;
  for (int i = 0; i < 20; ++i)
    client.identities.push_back({"digest", std::to_string(i) + std::string(4'000, 'u') + ":p"});
  const std::vector<jute::Acl> all_mine{{jute::kPermAll, {"auth", ""}}};  // about 80 kB
  const auto creates = [&](std::size_t parts) {
    jute::MultiRequest request;
    for (std::size_t i = 0; i < parts; ++i)
      request.operations.push_back(
          create("/" + std::to_string(i), OpCode::kCreate, CreateMode::kPersistent, all_mine));
    return request;
  };
  const std::vector<std::byte> body = encoded(creates(600));
  const std::uint64_t changes = member.outstanding.queued_total();
  const std::uint64_t digest = member.outstanding.digest(member.tree);
  std::vector<std::byte> log;
  const Request request{.op = OpCode::kMulti,
                        .session = client.session,
                        .cxid = 1,
                        .connection = client.connection,
                        .identities = client.identities,
                        .body = body};
  const Prepared prepared =
      prepare(request, Zxid{++member.zxid}, 1, member.settings, member.tree, member.outstanding, log);
  EXPECT_EQ(prepared.error, ErrorCode::kMarshallingError);
  EXPECT_EQ(log.size(), jute::kTxnHeaderBytes + 4) << "an error transaction";
  EXPECT_LE(log.capacity(), 2 * member.settings.max_string_bytes);
  EXPECT_EQ(member.outstanding.queued_total() - changes, 2 * 2U) << "two parts: the nodes and their parent";
  EXPECT_EQ(member.outstanding.size(), 0U);
  EXPECT_EQ(member.outstanding.digest(member.tree), digest);
  EXPECT_FALSE(member.outstanding.find("/0", member.tree));

  EXPECT_EQ(member.call(client, OpCode::kMulti, creates(3)).error, ErrorCode::kMarshallingError);
  EXPECT_FALSE(member.tree.find("/0"));
  EXPECT_EQ(member.call(client, OpCode::kMulti, creates(2)).error, ErrorCode::kOk);
  EXPECT_TRUE(member.tree.find("/1"));
}

TEST_F(Multi, WhatJustFitsIsATransaction) {
  member.settings.max_string_bytes = 10'000;
  const auto request = [](std::size_t data, bool failing) {
    jute::CreateRequest last = creating("/b");
    last.data = std::string(data, 'x');
    jute::MultiRequest multi{{create("/a"), {OpCode::kCreate, last}}};
    if (failing) multi.operations.push_back(check("/missing"));
    return multi;
  };
  for (const bool failing : {false, true}) {
    const ErrorCode fits = failing ? ErrorCode::kNoNode : ErrorCode::kOk;
    ASSERT_EQ(member.submit(client, OpCode::kMulti, request(0, failing)), fits);
    const std::size_t rest = 10'000 - member.waiting.back().payload.size();
    member.waiting.clear();
    member.outstanding.clear();
    EXPECT_EQ(member.submit(client, OpCode::kMulti, request(rest + 1, failing)),
              ErrorCode::kMarshallingError);
    EXPECT_EQ(member.outstanding.size(), 0U);
    EXPECT_EQ(member.submit(client, OpCode::kMulti, request(rest, failing)), fits);
    EXPECT_EQ(member.waiting.back().payload.size(), 10'000U);
    EXPECT_EQ(member.outstanding.size(), failing ? 0U : 4U);
    member.waiting.clear();
    member.outstanding.clear();
  }
}

TEST_F(Multi, TheTailOfOneThatFailsCountsToo) {
  member.settings.max_string_bytes = 10'000;
  const auto request = [](std::size_t tail) {
    jute::MultiRequest multi{{check("/missing")}};
    for (std::size_t i = 0; i < tail; ++i) multi.operations.push_back(check("/"));
    return multi;
  };
  EXPECT_EQ(member.submit(client, OpCode::kMulti, request(800)), ErrorCode::kNoNode);
  EXPECT_EQ(member.submit(client, OpCode::kMulti, request(900)), ErrorCode::kMarshallingError);
  EXPECT_EQ(member.submit(client, OpCode::kMulti, request(5'000)), ErrorCode::kMarshallingError);
  EXPECT_EQ(member.waiting.back().payload.size(), jute::kTxnHeaderBytes + 4);
  EXPECT_LE(member.waiting.back().payload.capacity(), 2 * 10'000U) << "the vector that it was made in";
}

TEST_F(Multi, NullListOfACreateTtlIsThePartsOwnError) {
  jute::CreateTtlRequest request{creating("/t", CreateMode::kPersistentWithTtl), 5};
  request.create.acl.reset();
  EXPECT_THAT(errors({{OpCode::kCreateTtl, request}}), ElementsAre(ErrorCode::kInvalidAcl));
}

TEST_F(Multi, HeaderErrorsAndTheClosingTypeAreNotLookedAt) {
  std::vector<std::byte> body = encoded(jute::MultiHeader{OpCode::kDelete, false, ErrorCode::kNoNode});
  const auto append = [&body](const std::vector<std::byte>& part) {
    body.insert(body.end(), part.begin(), part.end());
  };
  member.make(client, creating("/a"));
  append(encoded(jute::DeleteRequest{"/a", -1}));
  append(encoded(jute::MultiHeader{OpCode::kSetAcl, true, ErrorCode::kOk}));
  EXPECT_EQ(member.call_bytes(client, OpCode::kMulti, body).error, ErrorCode::kOk);
  EXPECT_FALSE(member.tree.find("/a"));
}

TEST_F(Multi, EventsFollowThePartsAndAreHeldBackByARollback) {
  member.make(client, creating("/p"));
  member.watches.add("/p", client.connection, jute::AddWatchMode::kPersistentRecursive);
  errors({create("/p/a"), check("/missing")});
  EXPECT_TRUE(member.take_events().empty());
  call({create("/p/a"), set("/p"), remove("/p/a")});
  const Zxid zxid{member.zxid};
  EXPECT_THAT(member.take_events(),
              ElementsAre(FiredEvent{client.connection, EventType::kNodeCreated, "/p/a", zxid},
                          FiredEvent{client.connection, EventType::kNodeDataChanged, "/p", zxid},
                          FiredEvent{client.connection, EventType::kNodeDeleted, "/p/a", zxid}));
}

}  // namespace
}  // namespace wk::txn
