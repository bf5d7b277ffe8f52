// Exercises every call of client::Session against a running ensemble, Apache ZooKeeper or Watchkeeper.
//
// Usage: client_live_test [gtest flags] HOST:PORT[,HOST:PORT…]   or the same list in WK_ZOOKEEPER.
// Works below one znode of its own, /wk-live-PID, and removes it. Not part of the unit group: a lab starts
// servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>

#include "client/session.h"

namespace wk::client {
namespace {

using namespace std::chrono_literals;
using jute::ErrorCode;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::vector<ServerAddress> servers;
constexpr auto kPatience = 20s;

class LiveSession : public testing::Test {
 protected:
  LiveSession() : root_("/wk-live-" + std::to_string(getpid())) {}

  void SetUp() override {
    first_ = connect();
    ASSERT_EQ(create(*first_, root_, "root"), ErrorCode::kOk);
  }

  void TearDown() override {
    if (!first_ || first_->state() != SessionState::kConnected) return;
    const auto children = call<NodeChildren>([&](auto done) { first_->get_children(root_, {}, done); });
    for (const std::string& name : children.value.names)
      call<Nothing>([&](auto done) { first_->remove(root_ + "/" + name, -1, 5s, done); });
    EXPECT_EQ(call<Nothing>([&](auto done) { first_->remove(root_, -1, 5s, done); }).error, ErrorCode::kOk);
    close(*first_);
  }

  std::unique_ptr<Session> connect(SessionOptions options = {}) {
    options.servers = servers;
    auto session = std::make_unique<Session>(
        io_, options, [this] { return std::uniform_real_distribution<double>()(random_); },
        [this](const SessionChange& change) {
          states_.push_back(change.state);
          if (change.reason) std::cout << name(change.state) << ": " << change.reason->message << '\n';
        });
    session->open();
    EXPECT_TRUE(run_until([&] { return session->state() == SessionState::kConnected; }));
    return session;
  }

  template <typename Condition>
  bool run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    io_.restart();
    while (!condition())
      if (io_.run_one_until(deadline) == 0) return condition();
    return true;
  }

  /// Makes one call and waits for its reply; a fault fails the test.
  template <typename T, typename Call>
  Reply<T> call(Call make) {
    std::optional<Outcome<T>> outcome;
    make([&](Outcome<T> answer) { outcome.emplace(std::move(answer)); });
    EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
    if (!outcome) return {ErrorCode::kConnectionLoss, {}, {}};
    EXPECT_TRUE(outcome->has_value()) << (outcome->has_error() ? outcome->error().message : "");
    if (!outcome->has_value()) return {ErrorCode::kConnectionLoss, {}, {}};
    return **outcome;
  }

  ErrorCode create(Session& session, const std::string& path, const std::string& data,
                   CreateOptions options = {}) {
    const auto reply = call<std::string>([&](auto done) { session.create(path, data, options, done); });
    created_ = reply.value;
    return reply.error;
  }

  void close(Session& session) {
    bool closed = false;
    session.close(5s, [&] { closed = true; });
    EXPECT_TRUE(run_until([&] { return closed; }));
    EXPECT_EQ(session.state(), SessionState::kClosed);
  }

  boost::asio::io_context io_;
  std::mt19937_64 random_{std::random_device{}()};
  std::vector<SessionState> states_;
  const std::string root_;
  std::string created_;
  std::unique_ptr<Session> first_;
};

TEST_F(LiveSession, HandshakeReportsStatesInOrder) {
  EXPECT_THAT(states_, ElementsAre(SessionState::kConnecting, SessionState::kConnected));
  EXPECT_NE(first_->id().value, 0);
  EXPECT_GT(first_->negotiated_timeout().count(), 0);
  EXPECT_EQ(first_->counters().sessions_created, 1U);
  EXPECT_GT(first_->last_zxid_seen().value, 0U);
}

TEST_F(LiveSession, DataRoundTripKeepsBytesVersionAndZxid) {
  const std::string bytes("\0\xff\x80 data", 8);
  ASSERT_EQ(create(*first_, root_ + "/a", bytes), ErrorCode::kOk);
  EXPECT_EQ(created_, root_ + "/a");
  auto read = call<NodeData>([&](auto done) { first_->get_data(root_ + "/a", {}, done); });
  EXPECT_EQ(read.value.data, bytes);
  EXPECT_EQ(read.value.stat.version, 0);
  EXPECT_EQ(read.value.stat.data_length_bytes, 8);
  const auto written =
      call<jute::Stat>([&](auto done) { first_->set_data(root_ + "/a", "new", 0, 5s, done); });
  EXPECT_EQ(written.error, ErrorCode::kOk);
  EXPECT_EQ(written.value.version, 1);
  EXPECT_EQ(written.zxid, written.value.mzxid);
  EXPECT_EQ(call<jute::Stat>([&](auto done) { first_->set_data(root_ + "/a", "x", 0, 5s, done); }).error,
            ErrorCode::kBadVersion);
  EXPECT_EQ(call<Nothing>([&](auto done) { first_->sync(root_, 5s, done); }).error, ErrorCode::kOk);
  read = call<NodeData>([&](auto done) { first_->get_data(root_ + "/a", {}, done); });
  EXPECT_EQ(read.value.data, "new");
  EXPECT_EQ(read.value.stat, written.value);
}

TEST_F(LiveSession, CreateModes) {
  ASSERT_EQ(create(*first_, root_ + "/e", "", {.mode = jute::CreateMode::kEphemeral}), ErrorCode::kOk);
  EXPECT_EQ(
      call<jute::Stat>([&](auto done) { first_->exists(root_ + "/e", {}, done); }).value.ephemeral_owner,
      first_->id());
  EXPECT_EQ(create(*first_, root_ + "/e/x", ""), ErrorCode::kNoChildrenForEphemerals);
  ASSERT_EQ(create(*first_, root_ + "/s-", "", {.mode = jute::CreateMode::kPersistentSequential}),
            ErrorCode::kOk);
  EXPECT_EQ(created_, root_ + "/s-0000000001");
  ASSERT_EQ(create(*first_, root_ + "/es-", "", {.mode = jute::CreateMode::kEphemeralSequential}),
            ErrorCode::kOk);
  EXPECT_EQ(created_, root_ + "/es-0000000002");
  ASSERT_EQ(create(*first_, root_ + "/c", "", {.mode = jute::CreateMode::kContainer}), ErrorCode::kOk);
  EXPECT_EQ(created_, root_ + "/c");
  // Servers without extended types answer kUnimplemented, the only other right answer.
  EXPECT_THAT(create(*first_, root_ + "/t", "", {.mode = jute::CreateMode::kPersistentWithTtl, .ttl = 1h}),
              testing::AnyOf(ErrorCode::kOk, ErrorCode::kUnimplemented));
  EXPECT_EQ(create(*first_, root_ + "/e", ""), ErrorCode::kNodeExists);
  EXPECT_EQ(create(*first_, root_ + "/no/parent", ""), ErrorCode::kNoNode);
  EXPECT_EQ(create(*first_, root_ + "/acl", "", {.acl = {}}), ErrorCode::kInvalidAcl);
}

TEST_F(LiveSession, ChildrenAndRemove) {
  ASSERT_EQ(create(*first_, root_ + "/b", ""), ErrorCode::kOk);
  ASSERT_EQ(create(*first_, root_ + "/c", ""), ErrorCode::kOk);
  const auto children = call<NodeChildren>([&](auto done) { first_->get_children(root_, {}, done); });
  EXPECT_THAT(children.value.names, UnorderedElementsAre("b", "c"));
  EXPECT_EQ(children.value.stat.num_children, 2);
  EXPECT_EQ(call<Nothing>([&](auto done) { first_->remove(root_, -1, 5s, done); }).error,
            ErrorCode::kNotEmpty);
  EXPECT_EQ(call<Nothing>([&](auto done) { first_->remove(root_ + "/b", 7, 5s, done); }).error,
            ErrorCode::kBadVersion);
  EXPECT_EQ(call<Nothing>([&](auto done) { first_->remove(root_ + "/b", 0, 5s, done); }).error,
            ErrorCode::kOk);
  EXPECT_EQ(call<jute::Stat>([&](auto done) { first_->exists(root_ + "/b", {}, done); }).error,
            ErrorCode::kNoNode);
}

TEST_F(LiveSession, OwnWriteFiresTheWatchBeforeItsReply) {
  std::vector<std::string> order;
  const auto watch = [&](const jute::WatcherEvent& event) {
    order.push_back(std::string(jute::name(event.type)) + " " + event.path);
  };
  call<jute::Stat>([&](auto done) { first_->exists(root_ + "/w", {.watch = watch}, done); });
  call<NodeChildren>([&](auto done) { first_->get_children(root_, {.watch = watch}, done); });
  EXPECT_EQ(first_->watches(), 2U);
  call<std::string>([&](auto done) {
    first_->create(root_ + "/w", "", {}, [&order, done](Outcome<std::string> outcome) {
      order.push_back("reply");
      done(std::move(outcome));
    });
  });
  EXPECT_THAT(order, ElementsAre("NodeCreated " + root_ + "/w", "NodeChildrenChanged " + root_, "reply"));
  EXPECT_EQ(first_->watches(), 0U);
}

TEST_F(LiveSession, WatchOfOneSessionFiresThroughAnother) {
  const auto second = connect();
  std::optional<jute::WatcherEvent> event;
  call<NodeData>([&](auto done) {
    second->get_data(root_, {.watch = [&](const jute::WatcherEvent& fired) { event = fired; }}, done);
  });
  call<jute::Stat>([&](auto done) { first_->set_data(root_, "changed", -1, 5s, done); });
  EXPECT_TRUE(run_until([&] { return event.has_value(); }));
  EXPECT_EQ(event, (jute::WatcherEvent{jute::EventType::kNodeDataChanged, jute::KeeperState::kSyncConnected,
                                       root_}));
  close(*second);
}

TEST_F(LiveSession, CloseRemovesEphemerals) {
  const auto second = connect();
  ASSERT_EQ(create(*second, root_ + "/e", "", {.mode = jute::CreateMode::kEphemeral}), ErrorCode::kOk);
  call<Nothing>([&](auto done) { first_->sync(root_, 5s, done); });
  EXPECT_EQ(call<jute::Stat>([&](auto done) { first_->exists(root_ + "/e", {}, done); }).error,
            ErrorCode::kOk);
  close(*second);
  call<Nothing>([&](auto done) { first_->sync(root_, 5s, done); });
  EXPECT_EQ(call<jute::Stat>([&](auto done) { first_->exists(root_ + "/e", {}, done); }).error,
            ErrorCode::kNoNode);
}

TEST_F(LiveSession, MultiHappensWholeOrNotAtAll) {
  using Results = std::vector<jute::MultiResult>;
  const auto multi = [&](std::vector<jute::MultiOperation> operations) {
    return call<Results>([&](auto done) { first_->multi(operations, 5s, done); });
  };
  const jute::MultiOperation check{jute::OpCode::kCheck, jute::CheckVersionRequest{root_, 0}};
  const jute::MultiOperation make{jute::OpCode::kCreate,
                                  jute::CreateRequest{root_ + "/m", "1", open_acl(), {}}};
  const jute::MultiOperation make2{jute::OpCode::kCreate2,
                                   jute::CreateRequest{root_ + "/m2", "1", open_acl(), {}}};
  const jute::MultiOperation set{jute::OpCode::kSetData, jute::SetDataRequest{root_ + "/m", "22", 0}};
  const jute::MultiOperation erase{jute::OpCode::kDelete, jute::DeleteRequest{root_ + "/m2", -1}};

  const auto done = multi({check, make, make2, set, erase});
  EXPECT_EQ(done.error, ErrorCode::kOk);
  ASSERT_EQ(done.value.size(), 5U);
  EXPECT_EQ(done.value[1].path, root_ + "/m");
  EXPECT_EQ(done.value[2].path, root_ + "/m2");
  // Apache 3.8 answers create2 inside a multi as if it were create, without a Stat; 3.9 sends one.
  if (done.value[2].op == jute::OpCode::kCreate2) {
    EXPECT_EQ(done.value[2].stat.czxid, done.zxid);
  }
  EXPECT_EQ(done.value[3].stat.version, 1);
  EXPECT_EQ(done.value[3].stat.data_length_bytes, 2);

  const auto refused = multi({check, make2, make, set});
  EXPECT_EQ(refused.error, ErrorCode::kNodeExists);
  ASSERT_EQ(refused.value.size(), 4U);
  EXPECT_EQ(refused.value[1].error, ErrorCode::kOk);
  EXPECT_EQ(refused.value[2].error, ErrorCode::kNodeExists);
  EXPECT_EQ(refused.value[3].error, ErrorCode::kRuntimeInconsistency);
  EXPECT_EQ(call<jute::Stat>([&](auto d) { first_->exists(root_ + "/m2", {}, d); }).error,
            ErrorCode::kNoNode);
  EXPECT_EQ(multi({}).error, ErrorCode::kOk);
}

TEST_F(LiveSession, CredentialsOpenWhatAclsClose) {
  ASSERT_TRUE(first_->add_auth("digest", "user:secret"));
  ASSERT_EQ(create(*first_, root_ + "/p", "x", {.acl = {{jute::kPermAll, {"auth", ""}}}}), ErrorCode::kOk);
  const auto acl = call<jute::GetAclResponse>([&](auto done) { first_->get_acl(root_ + "/p", 5s, done); });
  ASSERT_EQ(acl.value.acl.size(), 1U);
  EXPECT_EQ(acl.value.acl[0].id.scheme, "digest");
  EXPECT_EQ(acl.value.acl[0].perms, jute::kPermAll);
  const auto second = connect();
  EXPECT_EQ(call<NodeData>([&](auto done) { second->get_data(root_ + "/p", {}, done); }).error,
            ErrorCode::kNoAuth);
  ASSERT_TRUE(second->add_auth("digest", "user:secret"));
  EXPECT_EQ(call<NodeData>([&](auto done) { second->get_data(root_ + "/p", {}, done); }).error,
            ErrorCode::kOk);
  const auto changed =
      call<jute::Stat>([&](auto done) { first_->set_acl(root_ + "/p", open_acl(), 0, 5s, done); });
  EXPECT_EQ(changed.error, ErrorCode::kOk);
  EXPECT_EQ(changed.value.aversion, 1);
  close(*second);
}

TEST_F(LiveSession, RefusedCredentialsEndTheSession) {
  const auto second = connect();
  ASSERT_TRUE(second->add_auth("no-such-scheme", "x"));
  std::optional<Outcome<NodeData>> outcome;
  second->get_data(root_, {}, [&](Outcome<NodeData> answer) { outcome.emplace(std::move(answer)); });
  EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(second->state(), SessionState::kAuthFailed);
  ASSERT_TRUE(outcome->has_error());
  EXPECT_EQ(outcome->error().kind, FaultKind::kAuthFailed);
}

TEST_F(LiveSession, PipelinedRequestsAnswerInOrder) {
  std::vector<int> order;
  for (int i = 0; i < 500; ++i)
    first_->set_data(root_, std::to_string(i), i, 10s, [&order, i](Outcome<jute::Stat> outcome) {
      if (outcome && outcome->error == ErrorCode::kOk && outcome->value.version == i + 1) order.push_back(i);
    });
  EXPECT_EQ(first_->outstanding(), 500U);
  EXPECT_TRUE(run_until([&] { return first_->outstanding() == 0 && order.size() == 500; }));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(LiveSession, PingsKeepAnIdleSessionAlive) {
  const auto second = connect({.session_timeout = 3s});
  const SessionId id = second->id();
  EXPECT_TRUE(run_until([&] { return second->counters().pings_sent >= 4; }));
  EXPECT_EQ(second->id(), id);
  EXPECT_EQ(second->counters().connections_lost, 0U);
  EXPECT_EQ(call<jute::Stat>([&](auto done) { second->exists(root_, {}, done); }).error, ErrorCode::kOk);
  close(*second);
}

}  // namespace
}  // namespace wk::client

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* text = argc > 1 ? argv[1] : std::getenv("WK_ZOOKEEPER");
  if (text == nullptr) {
    std::cerr << "usage: client_live_test HOST:PORT[,HOST:PORT…]  (or WK_ZOOKEEPER)\n";
    return 2;
  }
  auto parsed = wk::client::parse_servers(text);
  if (!parsed) {
    std::cerr << parsed.error().message << '\n';
    return 2;
  }
  wk::client::servers = *std::move(parsed);
  return RUN_ALL_TESTS();
}
