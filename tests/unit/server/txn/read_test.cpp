#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "member.h"

namespace wk::txn {
namespace {

using jute::CreateMode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const std::vector<jute::Acl> kNoRead{{jute::kPermAll & ~jute::kPermRead, {"world", "anyone"}}};

class Reading : public ::testing::Test {
 protected:
  ErrorCode outcome(OpCode op, std::string path, bool watch = false) {
    return member.read(client, op, jute::ReadRequest{std::move(path), watch}).error;
  }
  template <typename Response>
  Response get(OpCode op, std::string path) {
    const Reply reply = member.read(client, op, jute::ReadRequest{std::move(path), false});
    EXPECT_EQ(reply.error, ErrorCode::kOk);
    return reply.as<Response>();
  }
  std::size_t watches(tree::WatchKind kind) const { return member.watches.counts(kind).watches; }

  Member member;
  Client client = member.connect();
};

TEST_F(Reading, GetDataAnswersDataAndStat) {
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, "hello"));
  const auto response = get<jute::GetDataResponse>(OpCode::kGetData, "/a");
  EXPECT_EQ(response.data, "hello");
  EXPECT_EQ(response.stat, member.tree.find("/a").stat());
  member.make(client, creating("/null", CreateMode::kPersistent, kOpen, std::nullopt));
  EXPECT_EQ(get<jute::GetDataResponse>(OpCode::kGetData, "/null").data, std::nullopt);
}

TEST_F(Reading, AllReadsOfAnEmptyPathAnswerForTheRoot) {
  EXPECT_EQ(get<jute::GetDataResponse>(OpCode::kGetData, "").stat,
            get<jute::GetDataResponse>(OpCode::kGetData, "/").stat);
  EXPECT_EQ(get<jute::StatResponse>(OpCode::kExists, "").stat.cversion, -1);
  EXPECT_THAT(get<jute::GetChildrenResponse>(OpCode::kGetChildren, "").children, ElementsAre("zookeeper"));
}

TEST_F(Reading, ExistsChecksInOrder) {
  member.make(client, creating("/secret", CreateMode::kPersistent, kNoRead));
  EXPECT_EQ(outcome(OpCode::kExists, std::string("/secret\0", 8), true), ErrorCode::kBadArguments);
  EXPECT_EQ(outcome(OpCode::kExists, "/secret", true), ErrorCode::kNoAuth);
  EXPECT_EQ(watches(tree::WatchKind::kData), 0U);
  EXPECT_EQ(outcome(OpCode::kExists, "/missing", true), ErrorCode::kNoNode);
  EXPECT_EQ(watches(tree::WatchKind::kData), 1U);
  EXPECT_EQ(outcome(OpCode::kExists, "/", true), ErrorCode::kOk);
  EXPECT_EQ(watches(tree::WatchKind::kData), 2U);
  EXPECT_EQ(outcome(OpCode::kExists, "/zookeeper", false), ErrorCode::kOk);
  EXPECT_EQ(watches(tree::WatchKind::kData), 2U);
}

TEST_F(Reading, OtherReadsLeaveNoWatchWhenTheyFail) {
  member.make(client, creating("/secret", CreateMode::kPersistent, kNoRead));
  for (const OpCode op : {OpCode::kGetData, OpCode::kGetChildren, OpCode::kGetChildren2}) {
    EXPECT_EQ(outcome(op, "/missing", true), ErrorCode::kNoNode);
    EXPECT_EQ(outcome(op, "/secret", true), ErrorCode::kNoAuth);
  }
  EXPECT_EQ(member.watches.size(), 0U);
  EXPECT_EQ(outcome(OpCode::kGetData, "/", true), ErrorCode::kOk);
  EXPECT_EQ(watches(tree::WatchKind::kData), 1U);
  EXPECT_EQ(outcome(OpCode::kGetChildren, "/", true), ErrorCode::kOk);
  EXPECT_EQ(outcome(OpCode::kGetChildren2, "/zookeeper", true), ErrorCode::kOk);
  EXPECT_EQ(watches(tree::WatchKind::kChild), 2U);
  EXPECT_EQ(watches(tree::WatchKind::kData), 1U);
}

TEST_F(Reading, SessionsThatAreOverReadNothing) {
  member.session_check = ErrorCode::kSessionExpired;
  EXPECT_EQ(outcome(OpCode::kGetData, "/", true), ErrorCode::kSessionExpired);
  EXPECT_EQ(member.read_bytes(client, OpCode::kPing, {}).error, ErrorCode::kSessionExpired);
  EXPECT_EQ(member.watches.size(), 0U);
}

TEST_F(Reading, ChildrenWithAndWithoutStat) {
  member.make(client, creating("/p"));
  member.make(client, creating("/p/b"));
  member.make(client, creating("/p/a"));
  EXPECT_THAT(get<jute::GetChildrenResponse>(OpCode::kGetChildren, "/p").children,
              UnorderedElementsAre("a", "b"));
  const auto response = get<jute::GetChildren2Response>(OpCode::kGetChildren2, "/p");
  EXPECT_THAT(response.children, UnorderedElementsAre("a", "b"));
  EXPECT_EQ(response.stat.num_children, 2);
  EXPECT_THAT(get<jute::GetChildrenResponse>(OpCode::kGetChildren, "/p/a").children, IsEmpty());
}

TEST_F(Reading, GetAclHidesHashesFromThoseWhoMayNotAdminister) {
  const std::vector<jute::Acl> acl{{jute::kPermAll, kAlice},
                                   {jute::kPermRead, {"ip", "127.0.0.0/8"}},
                                   {jute::kPermRead, {"digest", ":b"}}};
  member.authenticate(client, kAlice);
  member.make(client, creating("/a", CreateMode::kPersistent, acl));
  Client stranger = member.connect();
  const auto read_acl = [&](const Client& who) {
    return member.read(who, OpCode::kGetAcl, std::string("/a"));
  };
  EXPECT_EQ(read_acl(client).as<jute::GetAclResponse>().acl, acl);
  EXPECT_THAT(read_acl(stranger).as<jute::GetAclResponse>().acl,
              ElementsAre(jute::Acl{jute::kPermAll, {"digest", "alice:x"}},
                          jute::Acl{jute::kPermRead, {"ip", "127.0.0.0/8"}},
                          jute::Acl{jute::kPermRead, {"digest", ":x"}}));
  stranger.identities = {{"ip", "10.0.0.1"}};
  EXPECT_EQ(read_acl(stranger).error, ErrorCode::kNoAuth);
  EXPECT_EQ(member.read(client, OpCode::kGetAcl, std::string("/missing")).error, ErrorCode::kNoNode);
}

TEST_F(Reading, GetAclIsForAdministratorsWithoutReadToo) {
  member.make(client, creating("/a", CreateMode::kPersistent, {{jute::kPermAdmin, {"world", "anyone"}}}));
  EXPECT_EQ(member.read(client, OpCode::kGetAcl, std::string("/a")).error, ErrorCode::kOk);
  EXPECT_EQ(outcome(OpCode::kGetData, "/a"), ErrorCode::kNoAuth);
  const auto open = member.read(client, OpCode::kGetAcl, std::string("/")).as<jute::GetAclResponse>();
  EXPECT_EQ(open.acl, kOpen);
}

TEST_F(Reading, NumberOfDescendants) {
  const auto number = [&](std::string path) {
    return member.read(client, OpCode::kGetAllChildrenNumber, path).as<jute::ErrorResponse>().error;
  };
  EXPECT_EQ(number("/"), ErrorCode{3});
  EXPECT_EQ(number(""), ErrorCode{4});
  member.make(client, creating("/a"));
  member.make(client, creating("/a/b"));
  member.make(client, creating("/a/b/c"));
  member.make(client, creating("/ab"));
  EXPECT_EQ(number("/a"), ErrorCode{2});
  EXPECT_EQ(number("/"), ErrorCode{7});
  member.make(client, creating("/secret", CreateMode::kPersistent, kNoRead));
  EXPECT_EQ(member.read(client, OpCode::kGetAllChildrenNumber, std::string("/secret")).error,
            ErrorCode::kNoAuth);
  EXPECT_EQ(member.read(client, OpCode::kGetAllChildrenNumber, std::string("/missing")).error,
            ErrorCode::kNoNode);
}

TEST_F(Reading, EphemeralsOfTheOwnSessionByPrefix) {
  Client other = member.connect();
  member.make(client, creating("/ep1", CreateMode::kEphemeral));
  member.make(client, creating("/ep2", CreateMode::kEphemeral));
  member.make(client, creating("/x", CreateMode::kEphemeral));
  member.make(other, creating("/ep3", CreateMode::kEphemeral));
  const auto ephemerals = [&](std::optional<std::string> prefix) {
    return member.read(client, OpCode::kGetEphemerals, prefix).as<jute::GetChildrenResponse>().children;
  };
  EXPECT_THAT(ephemerals("/ep"), UnorderedElementsAre("/ep1", "/ep2"));
  EXPECT_THAT(ephemerals(" "), UnorderedElementsAre("/ep1", "/ep2", "/x"));
  EXPECT_THAT(ephemerals(std::nullopt), UnorderedElementsAre("/ep1", "/ep2", "/x"));
  EXPECT_THAT(ephemerals(" / "), UnorderedElementsAre("/ep1", "/ep2", "/x"));
  EXPECT_THAT(ephemerals(" /ep"), IsEmpty());
  EXPECT_THAT(ephemerals("/ep1/"), IsEmpty());
  member.make(client, creating("/epic"));
  member.make(client, creating("/epic/tale", CreateMode::kEphemeral));
  EXPECT_THAT(ephemerals("/ep"), UnorderedElementsAre("/ep1", "/ep2", "/epic/tale"));
  EXPECT_THAT(ephemerals("/epic/ta"), UnorderedElementsAre("/epic/tale"));
  EXPECT_THAT(ephemerals("/epic/tales"), IsEmpty());
}

TEST_F(Reading, SyncEchoesAnyPath) {
  EXPECT_EQ(member.read(client, OpCode::kSync, jute::SyncRecord{"/missing"}).as<jute::SyncRecord>().path,
            "/missing");
  EXPECT_EQ(member.read(client, OpCode::kSync, jute::SyncRecord{"/\xff"}).as<jute::SyncRecord>().path,
            "/\xef\xbf\xbd");
  EXPECT_EQ(member.read(client, OpCode::kSync, jute::SyncRecord{std::nullopt}).as<jute::SyncRecord>().path,
            std::nullopt);
}

TEST_F(Reading, WhoAmIShowsUsersAndNoSecrets) {
  member.authenticate(client, kAlice);
  member.authenticate(client, {"super", ""});
  const Reply reply = member.read_bytes(client, OpCode::kWhoAmI, {});
  jute::Reader in(reply.body);
  std::vector<jute::Id> shown;
  read(in, shown);
  EXPECT_THAT(shown,
              ElementsAre(jute::Id{"ip", "127.0.0.1"}, jute::Id{"digest", "alice"}, jute::Id{"super", ""}));
}

TEST_F(Reading, PingIsEmpty) {
  const Reply reply = member.read_bytes(client, OpCode::kPing, {});
  EXPECT_EQ(reply.error, ErrorCode::kOk);
  EXPECT_TRUE(reply.body.empty());
}

// ------------------------------------------------------------------------------------------------- multiRead

std::vector<std::byte> multi_read(const std::vector<std::pair<OpCode, std::string>>& parts,
                                  bool closed = true) {
  std::vector<std::byte> bytes;
  jute::Writer out(bytes);
  for (const auto& [op, path] : parts) {
    write(out, jute::MultiHeader{op, false, ErrorCode::kSystemError});
    write(out, jute::ReadRequest{path, true});
  }
  if (closed) write(out, jute::MultiHeader{OpCode::kError, true, ErrorCode::kSystemError});
  return bytes;
}

TEST_F(Reading, MultiReadGoesOnBehindFailures) {
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, "x"));
  member.make(client, creating("/secret", CreateMode::kPersistent, kNoRead));
  const Reply reply = member.read_bytes(client, OpCode::kMultiRead,
                                        multi_read({{OpCode::kGetData, "/a"},
                                                    {OpCode::kGetData, "/missing"},
                                                    {OpCode::kGetChildren, "/secret"},
                                                    {OpCode::kGetChildren, "/zookeeper"}}));
  ASSERT_EQ(reply.error, ErrorCode::kOk);
  jute::Reader in(reply.body);
  jute::MultiHeader header;
  read(in, header);
  EXPECT_EQ(header, (jute::MultiHeader{OpCode::kGetData, false, ErrorCode::kOk}));
  jute::GetDataResponse data;
  read(in, data);
  EXPECT_EQ(data.data, "x");
  EXPECT_EQ(data.stat, member.tree.find("/a").stat());
  for (const ErrorCode expected : {ErrorCode::kNoNode, ErrorCode::kNoAuth}) {
    jute::ErrorResponse error;
    read(in, header);
    read(in, error);
    EXPECT_EQ(header, (jute::MultiHeader{OpCode::kError, false, expected}));
    EXPECT_EQ(error.error, expected);
  }
  jute::GetChildrenResponse children;
  read(in, header);
  read(in, children);
  EXPECT_EQ(header, (jute::MultiHeader{OpCode::kGetChildren, false, ErrorCode::kOk}));
  EXPECT_THAT(children.children, UnorderedElementsAre("config", "quota"));
  read(in, header);
  EXPECT_EQ(header, (jute::MultiHeader{OpCode::kError, true, ErrorCode::kSystemError}));
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(member.watches.size(), 0U);
}

TEST_F(Reading, MultiReadTakesReadsAloneAndWhole) {
  EXPECT_EQ(member.read_bytes(client, OpCode::kMultiRead, multi_read({})).body.size(), 9U);
  const auto error = [&](const std::vector<std::byte>& body) {
    return member.read_bytes(client, OpCode::kMultiRead, body).error;
  };
  EXPECT_EQ(error(multi_read({{OpCode::kGetData, "/"}, {OpCode::kExists, "/"}})),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(error(multi_read({{OpCode::kGetData, "/"}}, false)), ErrorCode::kMarshallingError);
  EXPECT_EQ(error(encoded(jute::MultiRequest{{{OpCode::kDelete, jute::DeleteRequest{"/", -1}}}})),
            ErrorCode::kMarshallingError);
}

TEST_F(Reading, MultiReadOfMoreThanItsLimitIsRefused) {
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, std::string(1'000'000, 'x')));
  const auto error = [&](std::size_t parts) {
    const std::vector<std::pair<OpCode, std::string>> all(parts, {OpCode::kGetData, "/a"});
    return member.read_bytes(client, OpCode::kMultiRead, multi_read(all)).error;
  };
  EXPECT_EQ(error(33), ErrorCode::kOk);
  EXPECT_EQ(error(34), ErrorCode::kMarshallingError);
  // The last byte that fits, and the first that does not.
  const std::size_t header_bytes = 9;
  const std::size_t part_bytes = header_bytes + 4 + 1'000'000 + 68;
  const std::size_t rest = (32U << 20) - 33 * part_bytes - header_bytes - 4 - 68;
  const auto with_last = [&](std::size_t bytes) {
    EXPECT_EQ(
        member.call(client, OpCode::kSetData, jute::SetDataRequest{"/b", std::string(bytes, 'y'), -1}).error,
        ErrorCode::kOk);
    std::vector<std::pair<OpCode, std::string>> all(33, {OpCode::kGetData, "/a"});
    all.emplace_back(OpCode::kGetData, "/b");
    return member.read_bytes(client, OpCode::kMultiRead, multi_read(all)).error;
  };
  member.make(client, creating("/b"));
  EXPECT_EQ(with_last(rest), ErrorCode::kOk);
  EXPECT_EQ(with_last(rest + 1), ErrorCode::kMarshallingError);
}

TEST_F(Reading, MultiReadThatWillGetTooLongIsRefusedBeforeItIsCopied) {
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, std::string(1'000'000, 'x')));
  std::vector<std::byte> body;
  const auto request_body =
      multi_read(std::vector<std::pair<OpCode, std::string>>(34, {OpCode::kGetData, "/a"}));
  const Request request{.op = OpCode::kMultiRead,
                        .session = client.session,
                        .cxid = 1,
                        .connection = client.connection,
                        .identities = client.identities,
                        .body = request_body};
  EXPECT_EQ(wk::txn::read(*find_operation(OpCode::kMultiRead), request,
                          {member.tree, member.watches, member, member.settings}, body),
            ErrorCode::kMarshallingError);
  EXPECT_LE(body.capacity(), 8U << 20);
}

TEST_F(Reading, MultiReadLooksAheadOnlyAtWhatWillBeThere) {
  // What may not be read, is not there, or is listed takes the little that it takes.
  member.make(client, creating("/a", CreateMode::kPersistent, kOpen, std::string(1'000'000, 'x')));
  member.make(client, creating("/locked", CreateMode::kPersistent, {{jute::kPermCreate, {"world", "anyone"}}},
                               std::string(1'000'000, 'x')));
  std::vector<std::pair<OpCode, std::string>> all(2, {OpCode::kGetData, "/a"});
  for (int i = 0; i < 40; ++i) {
    all.emplace_back(OpCode::kGetData, "/locked");
    all.emplace_back(OpCode::kGetData, "/missing");
    all.emplace_back(OpCode::kGetChildren, "/a");
  }
  EXPECT_EQ(member.read_bytes(client, OpCode::kMultiRead, multi_read(all)).error, ErrorCode::kOk);
}

TEST_F(Reading, MalformedRequestsAreMarshallingErrors) {
  const std::vector<std::byte> null = encoded(std::optional<std::string>());
  for (const Operation& operation : operations()) {
    if (operation.read == nullptr) continue;
    if (operation.code == OpCode::kPing || operation.code == OpCode::kWhoAmI) continue;
    EXPECT_EQ(member.read_bytes(client, operation.code, {}).error, ErrorCode::kMarshallingError)
        << operation.name();
    if (operation.code == OpCode::kSync || operation.code == OpCode::kGetEphemerals) continue;
    EXPECT_EQ(member.read_bytes(client, operation.code, null).error, ErrorCode::kMarshallingError)
        << operation.name();
  }
}

}  // namespace
}  // namespace wk::txn
