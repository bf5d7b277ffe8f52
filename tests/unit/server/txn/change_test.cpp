#include <gtest/gtest.h>

#include <limits>

#include "member.h"
#include "server/tree/owner.h"
#include "tests/unit/jute/bytes.h"

namespace wk::txn {
namespace {

using jute::CreateMode;

class Changing : public ::testing::Test {
 protected:
  ErrorCode remove(std::string path, std::int32_t version = -1) {
    return member.call(client, OpCode::kDelete, jute::DeleteRequest{std::move(path), version}).error;
  }
  ErrorCode set(std::string path, std::int32_t version = -1, std::optional<std::string> data = "new") {
    return member
        .call(client, OpCode::kSetData, jute::SetDataRequest{std::move(path), std::move(data), version})
        .error;
  }
  ErrorCode set_acl(std::string path, std::optional<std::vector<jute::Acl>> acl, std::int32_t version = -1) {
    return member.call(client, OpCode::kSetAcl, jute::SetAclRequest{std::move(path), std::move(acl), version})
        .error;
  }
  ErrorCode clean_up(std::string path) {
    Client server;
    return member.call(server, OpCode::kDeleteContainer, path).error;
  }

  Member member;
  Client client = member.connect();
};

// ---------------------------------------------------------------------------------------------------- delete

TEST_F(Changing, DeleteTakesTheNodeAndMarksTheParent) {
  member.make(client, creating("/p"));
  member.make(client, creating("/p/a"));
  const Reply reply = member.call(client, OpCode::kDelete, jute::DeleteRequest{"/p/a", 0});
  EXPECT_EQ(reply.error, ErrorCode::kOk);
  EXPECT_TRUE(reply.body.empty());
  EXPECT_FALSE(member.tree.find("/p/a"));
  EXPECT_EQ(member.tree.find("/p").stat().pzxid, Zxid{4});
  EXPECT_EQ(member.tree.find("/p").stat().cversion, 2);
}

TEST_F(Changing, DeleteChecksInOrder) {
  member.make(client, creating("/locked", CreateMode::kPersistent,
                               {{jute::kPermRead | jute::kPermCreate, {"world", "anyone"}}}));
  member.make(client, creating("/locked/a"));
  member.make(client, creating("/p"));
  member.make(client, creating("/p/c"));
  member.session_check = ErrorCode::kSessionExpired;
  EXPECT_EQ(remove("x"), ErrorCode::kSessionExpired);
  member.session_check = ErrorCode::kOk;
  EXPECT_EQ(remove("x"), ErrorCode::kBadArguments);
  EXPECT_EQ(remove(""), ErrorCode::kBadArguments);
  EXPECT_EQ(remove(std::string("/missing/\0", 10)), ErrorCode::kBadArguments);
  for (const char* reserved : {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"})
    EXPECT_EQ(remove(reserved), ErrorCode::kBadArguments) << reserved;
  EXPECT_EQ(remove("/missing/a"), ErrorCode::kNoNode);
  EXPECT_EQ(remove("/p/"), ErrorCode::kNoNode);
  EXPECT_EQ(remove("/p/\x01"), ErrorCode::kNoNode);
  EXPECT_EQ(remove("/locked/missing"), ErrorCode::kNoAuth);
  EXPECT_EQ(remove("/locked/a", 7), ErrorCode::kNoAuth);
  EXPECT_EQ(remove("/missing", 7), ErrorCode::kNoNode);
  EXPECT_EQ(remove("/p", 7), ErrorCode::kBadVersion);
  EXPECT_EQ(remove("/p", -2), ErrorCode::kBadVersion);
  EXPECT_EQ(remove("/p", 0), ErrorCode::kNotEmpty);
}

TEST_F(Changing, DeleteSeesWhatIsNotAppliedYet) {
  member.make(client, creating("/p"));
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/p/a")), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/p", -1}), ErrorCode::kNotEmpty);
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/p/a", 0}), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/p/a", 0}), ErrorCode::kNoNode);
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/p", -1}), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/p/b")), ErrorCode::kNoNode);
  member.apply_all();
  EXPECT_FALSE(member.tree.find("/p"));
  EXPECT_EQ(member.outstanding.size(), 0U);
}

// --------------------------------------------------------------------------------------------------- setData

TEST_F(Changing, SetDataAnswersTheNewStat) {
  member.make(client, creating("/a"));
  const auto stat = member.call(client, OpCode::kSetData, jute::SetDataRequest{"/a", "four", 0})
                        .as<jute::StatResponse>()
                        .stat;
  EXPECT_EQ(stat.version, 1);
  EXPECT_EQ(stat.mzxid, Zxid{3});
  EXPECT_EQ(stat.mtime_ms, 1'000'003);
  EXPECT_EQ(stat.czxid, Zxid{2});
  EXPECT_EQ(stat.data_length_bytes, 4);
  EXPECT_EQ(set("/a", 1, std::nullopt), ErrorCode::kOk);
  EXPECT_EQ(member.tree.find("/a").data(), std::nullopt);
  EXPECT_EQ(set("/"), ErrorCode::kOk);
  EXPECT_EQ(member.tree.find("").data(), "new");
}

TEST_F(Changing, SetDataChecksInOrder) {
  member.make(client, creating("/locked", CreateMode::kPersistent, kReadOnly));
  member.make(client, creating("/a"));
  member.session_check = ErrorCode::kSessionExpired;
  EXPECT_EQ(set("x"), ErrorCode::kSessionExpired);
  member.session_check = ErrorCode::kOk;
  EXPECT_EQ(set("/a/"), ErrorCode::kBadArguments);
  EXPECT_EQ(set(""), ErrorCode::kBadArguments);
  EXPECT_EQ(set("/missing", 7), ErrorCode::kNoNode);
  EXPECT_EQ(set("/locked", 7), ErrorCode::kNoAuth);
  EXPECT_EQ(set("/a", 1), ErrorCode::kBadVersion);
  EXPECT_EQ(set("/a", 0), ErrorCode::kOk);
  EXPECT_EQ(set("/zookeeper/config"), ErrorCode::kNoAuth);
  member.authenticate(client, {"super", ""});
  EXPECT_EQ(set("/zookeeper/config"), ErrorCode::kOk);
}

TEST_F(Changing, VersionsOfPipelinedWritesBuildOnEachOther) {
  member.make(client, creating("/a"));
  for (int version = 0; version < 3; ++version)
    EXPECT_EQ(member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/a", "x", version}),
              ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/a", "x", 0}),
            ErrorCode::kBadVersion);
  for (int version = 1; version <= 3; ++version)
    EXPECT_EQ(member.apply_next().as<jute::StatResponse>().stat.version, version);
  EXPECT_EQ(member.apply_next().error, ErrorCode::kBadVersion);
}

TEST_F(Changing, VersionsWrapAround) {
  member.make(client, creating("/a"));
  std::vector<std::byte> payload;
  jute::Writer out(payload);
  jute::write_txn(out, {client.session, 1, Zxid{++member.zxid}, 5, OpCode::kSetData},
                  jute::SetDataTxn{"/a", "", 2147483647}, std::nullopt);
  member.waiting.push_back({OpCode::kSetData, payload});
  member.apply_all();
  EXPECT_EQ(set("/a", 2147483647), ErrorCode::kOk);
  EXPECT_EQ(member.tree.find("/a").stat().version, -2147483647 - 1);
}

// ---------------------------------------------------------------------------------------------------- setACL

TEST_F(Changing, SetAclChangesTheListAndItsVersionAlone) {
  member.make(client, creating("/a"));
  const auto reply = member.call(client, OpCode::kSetAcl, jute::SetAclRequest{"/a", kReadOnly, 0});
  const auto stat = reply.as<jute::StatResponse>().stat;
  EXPECT_EQ(stat.aversion, 1);
  EXPECT_EQ(stat.version, 0);
  EXPECT_EQ(stat.mzxid, Zxid{2});
  EXPECT_EQ(set("/a"), ErrorCode::kNoAuth);
}

TEST_F(Changing, SetAclChecksInOrder) {
  member.make(client, creating("/locked", CreateMode::kPersistent, kReadOnly));
  member.make(client, creating("/a"));
  member.session_check = ErrorCode::kSessionExpired;
  EXPECT_EQ(set_acl("x", std::nullopt), ErrorCode::kSessionExpired);
  member.session_check = ErrorCode::kOk;
  EXPECT_EQ(set_acl("/missing/", std::nullopt), ErrorCode::kBadArguments);
  EXPECT_EQ(set_acl("/missing", std::nullopt), ErrorCode::kInvalidAcl);
  EXPECT_EQ(set_acl("/missing", std::vector<jute::Acl>{}), ErrorCode::kInvalidAcl);
  EXPECT_EQ(set_acl("/missing", std::vector<jute::Acl>{{31, {"super", ""}}}), ErrorCode::kInvalidAcl);
  EXPECT_EQ(set_acl("/missing", std::vector<jute::Acl>{{31, {"world", std::nullopt}}}),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(set_acl("/missing", kOpen, 7), ErrorCode::kNoNode);
  EXPECT_EQ(set_acl("/locked", kOpen, 7), ErrorCode::kNoAuth);
  EXPECT_EQ(set_acl("/a", kOpen, 7), ErrorCode::kBadVersion);
  EXPECT_EQ(set_acl("/a", kOpen, 0), ErrorCode::kOk);
}

TEST_F(Changing, ListsSetByTransactionsNotAppliedYetHold) {
  member.make(client, creating("/a"));
  member.make(client, creating("/a/b"));
  member.submit(client, OpCode::kSetAcl, jute::SetAclRequest{"/a", kReadOnly, -1});
  // The list stays when something else changes the node on top of it.
  EXPECT_EQ(member.submit(client, OpCode::kDelete, jute::DeleteRequest{"/a/b", -1}), ErrorCode::kNoAuth);
  Client admin = client;
  member.authenticate(admin, {"super", ""});
  EXPECT_EQ(member.submit(admin, OpCode::kDelete, jute::DeleteRequest{"/a/b", -1}), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/a/c")), ErrorCode::kNoAuth);
  EXPECT_EQ(member.submit(admin, OpCode::kSetAcl, jute::SetAclRequest{"/a", kOpen, 1}), ErrorCode::kOk);
  EXPECT_EQ(member.submit(client, OpCode::kCreate, creating("/a/c")), ErrorCode::kOk);
  member.apply_all();
  EXPECT_TRUE(member.tree.find("/a/c"));
}

TEST(ChangingWithoutAcls, EverythingIsPermitted) {
  Settings settings;
  settings.acl.skip_acl = true;
  Member member(settings);
  Client client = member.connect();
  member.make(client, creating("/locked", CreateMode::kPersistent, kReadOnly));
  EXPECT_EQ(member.call(client, OpCode::kSetData, jute::SetDataRequest{"/locked", "x", -1}).error,
            ErrorCode::kOk);
  EXPECT_EQ(member.call(client, OpCode::kSetAcl, jute::SetAclRequest{"/locked", std::vector<jute::Acl>{}, -1})
                .error,
            ErrorCode::kInvalidAcl);
}

// ------------------------------------------------------------------------------------------- deleteContainer

TEST_F(Changing, CleanUpTakesEmptyContainersOnly) {
  member.make(client, creating("/c", CreateMode::kContainer));
  member.make(client, creating("/c/x"));
  member.make(client, creating("/plain"));
  member.make(client, creating("/e", CreateMode::kEphemeral));
  EXPECT_EQ(clean_up("x"), ErrorCode::kBadArguments);
  EXPECT_EQ(clean_up("/zookeeper/quota"), ErrorCode::kBadArguments);
  EXPECT_EQ(clean_up("/missing"), ErrorCode::kNoNode);
  EXPECT_EQ(clean_up("/c"), ErrorCode::kNotEmpty);
  EXPECT_EQ(clean_up("/e"), ErrorCode::kBadVersion);
  // Differs from 3.9.5, which deletes it: it took the container's place in the meantime.
  EXPECT_EQ(clean_up("/plain"), ErrorCode::kBadVersion);
  EXPECT_EQ(remove("/c/x"), ErrorCode::kOk);
  EXPECT_EQ(clean_up("/c"), ErrorCode::kOk);
  EXPECT_FALSE(member.tree.find("/c"));
}

TEST_F(Changing, WhatIsTooLongForATransactionIsRefusedBeforeItIsCopied) {
  member.make(client, creating("/a"));
  member.settings.max_string_bytes = 50'000;
  for (int i = 0; i < 20; ++i)
    client.identities.push_back({"digest", std::to_string(i) + std::string(4'000, 'u') + ":p"});
  const std::vector<jute::Acl> all_mine{{jute::kPermAll, {"auth", ""}}};  // about 80 kB
  const std::uint64_t changes = member.outstanding.queued_total();
  EXPECT_EQ(set_acl("/a", all_mine), ErrorCode::kMarshallingError);
  EXPECT_EQ(set("/a", -1, std::string(49'990, 'x')), ErrorCode::kMarshallingError);
  EXPECT_EQ(member.call(client, OpCode::kCreate, creating("/b", CreateMode::kPersistent, all_mine)).error,
            ErrorCode::kMarshallingError);
  EXPECT_EQ(member.outstanding.queued_total(), changes);
  EXPECT_EQ(set_acl("/a", all_mine, 7), ErrorCode::kBadVersion) << "what else is wrong is told first";
  EXPECT_EQ(set("/a", -1, std::string(49'900, 'x')), ErrorCode::kOk);
}

// Found by the sanitizer alone.
TEST_F(Changing, CleanUpOfATtlNodeWithAnAbsurdTimeOverflowsNothing) {
  const jute::CreateTtlRequest request{creating("/t", CreateMode::kPersistentWithTtl), 50};
  EXPECT_EQ(member.call(client, OpCode::kCreateTtl, request).error, ErrorCode::kOk);
  member.tree.set_data("/t", "", 1, Zxid{member.zxid}, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(clean_up("/t"), ErrorCode::kBadVersion);
}

TEST_F(Changing, CleanUpLeavesTtlNodesThatWereWrittenTo) {
  member.call(client, OpCode::kCreateTtl,
              jute::CreateTtlRequest{creating("/t", CreateMode::kPersistentWithTtl), 1000});
  member.wall_ms += 999;
  EXPECT_EQ(clean_up("/t"), ErrorCode::kBadVersion);
  member.wall_ms += 10;
  EXPECT_EQ(member.submit(client, OpCode::kSetData, jute::SetDataRequest{"/t", "again", -1}), ErrorCode::kOk);
  EXPECT_EQ(clean_up("/t"), ErrorCode::kBadVersion);
  member.wall_ms += 1000;
  EXPECT_EQ(clean_up("/t"), ErrorCode::kOk);
  EXPECT_FALSE(member.tree.find("/t"));
}

// -------------------------------------------------------------------------------------------------- reconfig

TEST(Reconfiguring, IsDisabledFirstAndUnimplementedLast) {
  struct {
    std::optional<std::string> joining{}, leaving{}, members{};
    std::int64_t config = -1;
  } request;
  std::vector<std::byte> body = encoded(request.joining);
  for (const auto& part : {encoded(request.leaving), encoded(request.members), encoded(request.config)})
    body.insert(body.end(), part.begin(), part.end());
  Member standard;
  Client client = standard.connect();
  standard.session_check = ErrorCode::kSessionExpired;
  EXPECT_EQ(standard.call_bytes(client, OpCode::kReconfig, body).error, ErrorCode::kReconfigDisabled);
  EXPECT_EQ(standard.call_bytes(client, OpCode::kReconfig, std::span(body).first(5)).error,
            ErrorCode::kMarshallingError);
  Settings settings;
  settings.reconfig = true;
  Member enabled(settings);
  enabled.session_check = ErrorCode::kSessionExpired;
  EXPECT_EQ(enabled.call_bytes(client, OpCode::kReconfig, body).error, ErrorCode::kSessionExpired);
  enabled.session_check = ErrorCode::kOk;
  EXPECT_EQ(enabled.call_bytes(client, OpCode::kReconfig, body).error, ErrorCode::kUnimplemented);
}

TEST_F(Changing, MalformedRequestsAreMarshallingErrors) {
  member.make(client, creating("/a"));
  const std::uint64_t before = member.zxid;
  const auto expect_cuts_fail = [&](OpCode op, const std::vector<std::byte>& whole) {
    for (std::size_t length = 0; length < whole.size(); ++length)
      EXPECT_EQ(member.call_bytes(client, op, std::span(whole).first(length)).error,
                ErrorCode::kMarshallingError)
          << jute::name(op) << " cut to " << length;
  };
  expect_cuts_fail(OpCode::kDelete, encoded(jute::DeleteRequest{"/a", 0}));
  expect_cuts_fail(OpCode::kSetData, encoded(jute::SetDataRequest{"/a", "x", 0}));
  expect_cuts_fail(OpCode::kSetAcl, encoded(jute::SetAclRequest{"/a", kOpen, 0}));
  expect_cuts_fail(OpCode::kDeleteContainer, encoded(std::string("/a")));
  EXPECT_EQ(member.tree.find("/a").stat().version, 0);
  EXPECT_EQ(member.zxid, before) << "what cannot be decoded is no transaction";
}

TEST_F(Changing, NullPathsAreRefusedByTheChecks) {
  const auto error = [&](OpCode op, const char* rest) {
    return member.call_bytes(client, op, jute::bytes(std::string("ffffffff ") + rest)).error;
  };
  const std::uint64_t before = member.zxid;
  EXPECT_EQ(error(OpCode::kDelete, "ffffffff"), ErrorCode::kMarshallingError);
  EXPECT_EQ(error(OpCode::kSetData, "00000000 ffffffff"), ErrorCode::kBadArguments);
  EXPECT_EQ(error(OpCode::kSetAcl, "ffffffff ffffffff"), ErrorCode::kBadArguments);
  EXPECT_EQ(error(OpCode::kCreate, "00000000 ffffffff 00000000"), ErrorCode::kMarshallingError);
  EXPECT_EQ(error(OpCode::kCreate, "00000000 ffffffff 00000063"), ErrorCode::kBadArguments);
  EXPECT_EQ(member.zxid, before + 5) << "these are transactions";
}

}  // namespace
}  // namespace wk::txn
