#include "client/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "dial/resolver.h"
#include "fake_server.h"

namespace wk::client {
namespace {

using namespace std::chrono_literals;
using jute::ErrorCode;
using jute::OpCode;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kId = 0x1000013dc750000;

class SessionTest : public testing::Test {
 protected:
  /// The events of the test in the order they happened: states, watch events, replies.
  std::vector<std::string> log_;

  void start(SessionOptions options = {}) {
    if (options.servers.empty()) options.servers = {server_.address()};
    options.backoff = {.first = 1ms, .longest = 4ms};
    session_ = std::make_unique<Session>(
        io_, options, [] { return 0.0; },
        [this](const SessionChange& change) {
          log_.push_back(name(change.state));
          last_change_ = change;
        });
    session_->open();
  }

  void start_connected(std::int32_t timeout_ms = 30'000, SessionOptions options = {}) {
    start(std::move(options));
    await_frame();
    server_.take();
    server_.grant(kId, timeout_ms);
    await_state(SessionState::kConnected);
    log_.clear();
  }

  template <typename Condition>
  void run_until(Condition condition, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    io_.restart();
    while (!condition())
      if (io_.run_one_until(deadline) == 0 && !condition()) {
        ADD_FAILURE() << "never happened: " << what;
        throw std::runtime_error(what);  // ends this test; the others go on
      }
  }
  void await_frame() {
    run_until([&] { return !server_.frames.empty(); }, "a frame from the client");
  }
  void await_state(SessionState state) {
    run_until([&] { return !log_.empty() && log_.back() == name(state); }, name(state));
  }
  void await_log(std::size_t size) {
    run_until([&] { return log_.size() >= size; }, "more events");
  }

  template <typename T>
  Callback<T> logged(std::string label) {
    return [this, label](const Outcome<T>& outcome) {
      log_.push_back(label + ": " + (outcome ? jute::name(outcome->error) : name(outcome.error().kind)));
    };
  }
  WatchHandler logged_watch() {
    return [this](const jute::WatcherEvent& event) {
      log_.push_back(std::string(jute::name(event.type)) + " " + jute::name(event.state) + " " + event.path);
    };
  }

  boost::asio::io_context io_;
  FakeServer server_{io_};
  std::unique_ptr<Session> session_;
  SessionChange last_change_;
};

TEST_F(SessionTest, NewSessionSendsZeroIdAndReportsStates) {
  start({.session_timeout = 7s});
  await_frame();
  EXPECT_EQ(server_.take(),
            encode(jute::ConnectRequest{0, Zxid{0}, 7000, SessionId{0}, std::string(16, '\0'), false}));
  server_.grant(kId, 4000);
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("connecting", "connected"));
  EXPECT_EQ(session_->id(), SessionId{kId});
  EXPECT_EQ(session_->negotiated_timeout(), 4s);
  EXPECT_EQ(session_->counters().sessions_created, 1U);
}

TEST_F(SessionTest, DestructionWhileAPingIsDueIsSafe) {
  start_connected(90);
  // Both waits end in one wake-up, and this one comes first.
  boost::asio::steady_timer first(io_, std::chrono::steady_clock::now());
  first.async_wait([this](const boost::system::error_code&) { session_.reset(); });
  const auto ping_due = std::chrono::steady_clock::now() + 31ms;
  while (std::chrono::steady_clock::now() < ping_due) {
  }
  run_until([this] { return session_ == nullptr; }, "the destruction");
  io_.poll();
}

TEST_F(SessionTest, HandshakeWithoutReadOnlyByteIsAccepted) {
  start();
  await_frame();
  server_.send(encode(jute::ConnectResponse{0, 4000, SessionId{kId}, std::string(16, 'p'), std::nullopt}));
  await_state(SessionState::kConnected);
}

TEST_F(SessionTest, RequestsTravelWithRisingXidsAndExactBytes) {
  start_connected();
  session_->get_data("/a", {}, logged<NodeData>("get"));
  session_->remove("/b", 3, 5s, logged<Nothing>("remove"));
  run_until([&] { return server_.frames.size() == 2; }, "two frames");
  EXPECT_EQ(server_.take(), encode(jute::RequestHeader{1, OpCode::kGetData}, jute::ReadRequest{"/a", false}));
  EXPECT_EQ(server_.take(), encode(jute::RequestHeader{2, OpCode::kDelete}, jute::DeleteRequest{"/b", 3}));
  server_.reply(1, 10, ErrorCode::kOk, jute::GetDataResponse{"x", {}});
  server_.reply(2, 11, ErrorCode::kBadVersion);
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("get: OK", "remove: BADVERSION"));
  EXPECT_EQ(session_->last_zxid_seen(), Zxid{11});
  EXPECT_EQ(session_->outstanding(), 0U);
}

TEST_F(SessionTest, SlowHandshakeEndsAtTheAttemptDeadline) {
  start({.attempt_timeout = 5ms});
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("connecting", "disconnected"));
  EXPECT_EQ(last_change_.reason->code, Errc::kTimedOut);
  EXPECT_THAT(last_change_.reason->message, HasSubstr("no session after 5 ms, while "));
  EXPECT_EQ(session_->counters().attempts_failed, 1U);
}

TEST_F(SessionTest, EarlyCloseIsReportedAndRetried) {
  server_.close_on_accept = true;
  start();
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("connecting", "disconnected"));
  EXPECT_EQ(last_change_.reason->code, Errc::kClosed);
  server_.close_on_accept = false;
  await_frame();
  EXPECT_GE(server_.accepted, 2);
}

TEST_F(SessionTest, RefusedServerIsNamedAndTheNextOneTried) {
  FakeServer gone(io_);
  const ServerAddress refused = gone.address();
  gone.stop();
  start({.servers = {refused, server_.address()}});
  await_frame();
  ASSERT_THAT(log_, ElementsAre("connecting", "disconnected", "connecting"));
  server_.grant(kId);
  await_state(SessionState::kConnected);
  EXPECT_EQ(last_change_.server, server_.address());
}

TEST_F(SessionTest, RefusedConnectionSaysSo) {
  server_.stop();
  start();
  await_log(2);
  EXPECT_EQ(last_change_.reason->code, Errc::kRefused);
  EXPECT_THAT(last_change_.reason->message, HasSubstr(server_.address().host + ":"));
  EXPECT_THAT(last_change_.reason->message, HasSubstr("check that the server runs"));
}

TEST_F(SessionTest, ExpiredAnswerEndsTheSessionUntilAskedAgain) {
  start_connected();
  session_->get_data("/a", {.watch = logged_watch()}, logged<NodeData>("get"));
  await_frame();
  server_.take();
  server_.reply(1, 77, ErrorCode::kOk, jute::GetDataResponse{"x", {}});
  await_log(1);
  log_.clear();
  server_.drop();
  await_frame();
  server_.take();
  server_.send(encode(jute::ConnectResponse{0, 0, SessionId{0}, std::string(16, '\0'), false}));
  await_log(4);
  EXPECT_THAT(log_, ElementsAre("disconnected", "connecting", "expired", "None Expired "));
  EXPECT_EQ(session_->state(), SessionState::kExpired);
  EXPECT_EQ(session_->id(), SessionId{0});
  EXPECT_EQ(session_->watches(), 0U);
  EXPECT_EQ(server_.accepted, 2);

  log_.clear();
  session_->get_data("/a", {}, logged<NodeData>("get"));
  await_log(1);
  EXPECT_THAT(log_, ElementsAre("get: session_expired"));

  session_->open();
  await_frame();
  EXPECT_EQ(server_.take(),
            encode(jute::ConnectRequest{0, Zxid{0}, 10000, SessionId{0}, std::string(16, '\0'), false}));
}

TEST_F(SessionTest, ReconnectResumesWithIdPasswordZxidCredentialsAndWatches) {
  start_connected();
  ASSERT_TRUE(session_->add_auth("digest", "u:p"));
  await_frame();
  EXPECT_EQ(server_.take(),
            encode(jute::RequestHeader{jute::kXidAuth, OpCode::kAuth}, jute::AuthPacket{0, "digest", "u:p"}));
  server_.reply(jute::kXidAuth, 0, ErrorCode::kOk);
  session_->get_data("/d", {.watch = logged_watch()}, logged<NodeData>("get"));
  session_->exists("/e", {.watch = logged_watch()}, logged<jute::Stat>("exists"));
  session_->get_children("/c", {.watch = logged_watch()}, logged<NodeChildren>("children"));
  session_->get_data("/none", {.watch = logged_watch()}, logged<NodeData>("none"));
  run_until([&] { return server_.frames.size() == 4; }, "four frames");
  server_.frames.clear();
  server_.reply(1, 100, ErrorCode::kOk, jute::GetDataResponse{"", {}});
  server_.reply(2, 100, ErrorCode::kNoNode);
  server_.reply(3, 0x500000001, ErrorCode::kOk, jute::GetChildren2Response{{"x"}, {}});
  server_.reply(4, 0x500000001, ErrorCode::kNoNode);
  await_log(4);
  EXPECT_EQ(session_->watches(), 3U);

  server_.drop();
  await_frame();
  EXPECT_EQ(server_.take(), encode(jute::ConnectRequest{0, Zxid{0x500000001}, 10000, SessionId{kId},
                                                        "password of 16 b", false}));
  server_.grant(kId);
  run_until([&] { return server_.frames.size() == 2; }, "credentials and watches");
  EXPECT_EQ(server_.take(),
            encode(jute::RequestHeader{jute::kXidAuth, OpCode::kAuth}, jute::AuthPacket{0, "digest", "u:p"}));
  EXPECT_EQ(server_.take(), encode(jute::RequestHeader{jute::kXidSetWatches, OpCode::kSetWatches},
                                   jute::SetWatches{Zxid{0x500000001}, {"/d"}, {"/e"}, {"/c"}}));
  EXPECT_EQ(session_->counters().sessions_resumed, 1U);
  EXPECT_EQ(session_->counters().connections_lost, 1U);

  log_.clear();
  server_.reply(jute::kXidAuth, 0, ErrorCode::kOk);
  server_.reply(jute::kXidNotification, ~std::uint64_t{0}, ErrorCode::kOk,
                jute::WatcherEvent{jute::EventType::kNodeCreated, jute::KeeperState::kSyncConnected, "/e"});
  server_.reply(jute::kXidSetWatches, 0x500000009, ErrorCode::kOk);
  await_log(1);
  EXPECT_THAT(log_, ElementsAre("NodeCreated SyncConnected /e"));
  EXPECT_EQ(session_->watches(), 2U);
  EXPECT_EQ(session_->last_zxid_seen(), Zxid{0x500000001});
}

TEST_F(SessionTest, WatchEventIsDeliveredBeforeTheReplyItPrecedes) {
  start_connected();
  session_->exists("/a", {.watch = logged_watch()}, logged<jute::Stat>("exists"));
  session_->create("/a", "", {}, logged<std::string>("create"));
  run_until([&] { return server_.frames.size() == 2; }, "two frames");
  server_.reply(1, 5, ErrorCode::kNoNode);
  server_.reply(jute::kXidNotification, 6, ErrorCode::kOk,
                jute::WatcherEvent{jute::EventType::kNodeCreated, jute::KeeperState::kSyncConnected, "/a"});
  server_.reply(2, 6, ErrorCode::kOk, jute::CreateResponse{"/a"});
  await_log(3);
  EXPECT_THAT(log_, ElementsAre("exists: NONODE", "NodeCreated SyncConnected /a", "create: OK"));
}

TEST_F(SessionTest, WrongXidDropsTheConnection) {
  start_connected();
  session_->get_data("/a", {}, logged<NodeData>("get"));
  await_frame();
  server_.reply(2, 5, ErrorCode::kOk, jute::GetDataResponse{"x", {}});
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("disconnected", "get: connection_loss"));
  EXPECT_THAT(last_change_.reason->message, HasSubstr("a reply with xid 2 where 1 is next"));
  EXPECT_EQ(session_->counters().protocol_faults, 1U);
}

TEST_F(SessionTest, UnaskedRepliesDropTheConnection) {
  for (const std::int32_t xid : {1, 0, -3, jute::kXidAuth, jute::kXidSetWatches}) {
    start_connected();
    server_.reply(xid, 5, ErrorCode::kOk);
    await_state(SessionState::kDisconnected);
    EXPECT_EQ(session_->counters().protocol_faults, 1U) << xid;
    session_.reset();
    server_.frames.clear();
    log_.clear();
  }
}

TEST_F(SessionTest, MalformedReplyFailsTheRequestAndDropsTheConnection) {
  start_connected();
  session_->get_data("/a", {.watch = logged_watch()}, logged<NodeData>("get"));
  session_->sync("/", 5s, logged<Nothing>("sync"));
  await_frame();
  server_.reply(1, 5, ErrorCode::kOk, std::int32_t{1'000});
  await_log(3);
  EXPECT_THAT(log_, ElementsAre("get: malformed_reply", "disconnected", "sync: connection_loss"));
  EXPECT_EQ(session_->watches(), 0U);
}

TEST_F(SessionTest, ShortFramesDropTheConnection) {
  start_connected();
  server_.send({});
  await_state(SessionState::kDisconnected);
  EXPECT_EQ(session_->counters().protocol_faults, 1U);
}

TEST_F(SessionTest, OversizedFrameDropsTheConnectionAtItsAnnouncement) {
  start_connected(30'000, {.connection = {.frame_max_bytes = 1000}});
  server_.send_raw(encode(std::int32_t{1001}));
  await_state(SessionState::kDisconnected);
  EXPECT_EQ(last_change_.reason->code, Errc::kTooLarge);
  EXPECT_THAT(last_change_.reason->message, HasSubstr("a frame of 1001 bytes, limit 1000"));
}

TEST_F(SessionTest, NegativeFrameLengthIsOversized) {
  start();
  await_frame();
  server_.send_raw(encode(std::int32_t{-1}));
  await_state(SessionState::kDisconnected);
  EXPECT_EQ(last_change_.reason->code, Errc::kTooLarge);
}

TEST_F(SessionTest, FramesSplitAndJoinedAnywhereAreTheSame) {
  start_connected();
  session_->get_data("/a", {}, logged<NodeData>("first"));
  std::optional<NodeData> second;
  session_->get_data("/b", {}, [&](const Outcome<NodeData>& outcome) { second = outcome->value; });
  await_frame();
  const std::string large(100'000, 'L');
  const auto one = encode(jute::ReplyHeader{1, Zxid{1}, ErrorCode::kOk}, jute::GetDataResponse{"x", {}});
  const auto two = encode(jute::ReplyHeader{2, Zxid{2}, ErrorCode::kOk}, jute::GetDataResponse{large, {}});
  auto stream = encode(static_cast<std::int32_t>(one.size()));
  stream.insert(stream.end(), one.begin(), one.end());
  const auto length = encode(static_cast<std::int32_t>(two.size()));
  stream.insert(stream.end(), length.begin(), length.end());
  stream.insert(stream.end(), two.begin(), two.end());
  server_.send_raw({stream.begin(), stream.begin() + 2});
  io_.poll();
  EXPECT_THAT(log_, IsEmpty());
  server_.send_raw({stream.begin() + 2, stream.begin() + static_cast<std::ptrdiff_t>(one.size()) + 6});
  await_log(1);
  EXPECT_THAT(log_, ElementsAre("first: OK"));
  EXPECT_FALSE(second);
  server_.send_raw({stream.begin() + static_cast<std::ptrdiff_t>(one.size()) + 6, stream.end()});
  run_until([&] { return second.has_value(); }, "the large reply");
  EXPECT_EQ(second->data, large);
}

TEST_F(SessionTest, DisconnectFailsEverythingOutstanding) {
  start_connected();
  session_->get_data("/a", {.watch = logged_watch()}, logged<NodeData>("get"));
  session_->create("/b", "", {}, logged<std::string>("create"));
  await_frame();
  server_.drop();
  await_log(3);
  EXPECT_THAT(log_, ElementsAre("disconnected", "get: connection_loss", "create: connection_loss"));
  EXPECT_EQ(session_->outstanding(), 0U);
  EXPECT_EQ(session_->watches(), 0U);
}

TEST_F(SessionTest, RequestWithoutConnectionFailsAtOnceButNeverInsideTheCall) {
  start();
  session_->get_data("/a", {}, logged<NodeData>("get"));
  EXPECT_THAT(log_, IsEmpty());
  run_until([&] { return !log_.empty(); }, "the failure");
  EXPECT_EQ(log_.front(), "get: connection_loss");
}

TEST_F(SessionTest, TimedOutRequestLeavesTheConnectionAndNoWatch) {
  start_connected();
  session_->get_data("/a", {.timeout = 1ms, .watch = logged_watch()}, logged<NodeData>("slow"));
  session_->get_data("/b", {.timeout = 1h}, logged<NodeData>("patient"));
  await_log(1);
  EXPECT_THAT(log_, ElementsAre("slow: timed_out"));
  EXPECT_EQ(session_->outstanding(), 2U);
  EXPECT_EQ(session_->counters().requests_timed_out, 1U);
  server_.reply(1, 5, ErrorCode::kOk, jute::GetDataResponse{"late", {}});
  server_.reply(2, 5, ErrorCode::kOk, jute::GetDataResponse{"x", {}});
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("slow: timed_out", "patient: OK"));
  EXPECT_EQ(session_->watches(), 0U);
  EXPECT_EQ(session_->state(), SessionState::kConnected);
}

TEST_F(SessionTest, OutstandingRequestsAreBounded) {
  start_connected(30'000, {.max_outstanding = 2});
  for (const auto* label : {"1", "2", "3"}) session_->sync("/", 5s, logged<Nothing>(label));
  await_log(1);
  EXPECT_THAT(log_, ElementsAre("3: limit"));
  EXPECT_EQ(session_->counters().requests_refused_by_limit, 1U);
  server_.reply(1, 5, ErrorCode::kOk);
  server_.reply(2, 5, ErrorCode::kOk);
  await_log(3);
  EXPECT_THAT(log_, ElementsAre("3: limit", "1: OK", "2: OK"));
}

TEST_F(SessionTest, FrameAndWriteQueueAreBounded) {
  start_connected(30'000, {.connection = {.frame_max_bytes = 1000, .write_queue_max_bytes = 1500}});
  session_->set_data("/a", std::string(1000, 'x'), -1, 5s, logged<jute::Stat>("frame"));
  session_->set_data("/a", std::string(900, 'x'), -1, 5s, logged<jute::Stat>("fits"));
  session_->set_data("/a", std::string(900, 'x'), -1, 5s, logged<jute::Stat>("queue"));
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("frame: limit", "queue: limit"));
  await_frame();
  EXPECT_EQ(server_.take(), encode(jute::RequestHeader{1, OpCode::kSetData},
                                   jute::SetDataRequest{"/a", std::string(900, 'x'), -1}));
  server_.reply(1, 5, ErrorCode::kOk, jute::StatResponse{});
  await_log(3);
  EXPECT_EQ(log_.back(), "fits: OK");
}

TEST_F(SessionTest, WatchesAreBounded) {
  start_connected(30'000, {.max_watches = 1});
  session_->get_data("/a", {.watch = logged_watch()}, logged<NodeData>("1"));
  await_frame();
  server_.reply(1, 5, ErrorCode::kOk, jute::GetDataResponse{"x", {}});
  await_log(1);
  session_->get_data("/b", {.watch = logged_watch()}, logged<NodeData>("2"));
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("1: OK", "2: limit"));
}

TEST_F(SessionTest, IdleSessionPingsAndSilenceEndsTheConnection) {
  start_connected(300);
  await_frame();
  EXPECT_EQ(server_.take(), encode(jute::RequestHeader{jute::kXidPing, OpCode::kPing}));
  await_log(1);
  EXPECT_THAT(log_, ElementsAre("disconnected"));
  EXPECT_EQ(last_change_.reason->code, Errc::kTimedOut);
  EXPECT_THAT(last_change_.reason->message, HasSubstr("nothing received for 200 ms"));
  EXPECT_EQ(session_->counters().connections_lost, 1U);
}

TEST_F(SessionTest, ReadOnlySessionIsNotResumed) {
  start({.allow_read_only = true});
  await_frame();
  EXPECT_EQ(*jute::decode<jute::ConnectRequest>(server_.take())->read_only, true);
  server_.grant(kId, 30'000, true);
  await_state(SessionState::kConnectedReadOnly);
  server_.drop();
  await_frame();
  EXPECT_EQ(jute::decode<jute::ConnectRequest>(server_.take())->session_id, SessionId{0});
  server_.grant(kId + 1);
  await_state(SessionState::kConnected);
  server_.drop();
  await_frame();
  EXPECT_EQ(jute::decode<jute::ConnectRequest>(server_.take())->session_id, SessionId{kId + 1});
}

TEST_F(SessionTest, RefusedCredentialsEndTheSession) {
  start_connected();
  ASSERT_TRUE(session_->add_auth("digest", "u:wrong"));
  session_->sync("/", 5s, logged<Nothing>("sync"));
  await_frame();
  server_.reply(jute::kXidAuth, 0, ErrorCode::kAuthFailed);
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("auth_failed", "sync: auth_failed"));
  EXPECT_EQ(last_change_.reason->code, Errc::kNotAllowed);
}

TEST_F(SessionTest, CredentialsAreBounded) {
  start({.max_credentials = 1});
  EXPECT_TRUE(session_->add_auth("digest", "a:b"));
  EXPECT_EQ(session_->add_auth("digest", "c:d").error().code, Errc::kTooLarge);
}

TEST_F(SessionTest, MultiReportsTheErrorOfThePartThatFailed) {
  start_connected();
  std::optional<Reply<std::vector<jute::MultiResult>>> reply;
  session_->multi({{OpCode::kCheck, jute::CheckVersionRequest{"/a", 1}},
                   {OpCode::kDelete, jute::DeleteRequest{"/b", -1}}},
                  5s, [&](const auto& outcome) { reply = *outcome; });
  await_frame();
  server_.reply(1, 5, ErrorCode::kOk,
                jute::MultiResponse{{{OpCode::kError, ErrorCode::kOk, "", {}},
                                     {OpCode::kError, ErrorCode::kNoNode, "", {}}}});
  run_until([&] { return reply.has_value(); }, "the reply");
  EXPECT_EQ(reply->error, ErrorCode::kNoNode);
  EXPECT_EQ(reply->value.size(), 2U);
}

TEST_F(SessionTest, CloseAnswersWhatWasAskedAndSaysGoodbye) {
  start_connected();
  session_->sync("/", 5s, logged<Nothing>("before"));
  session_->close(5s, [&] { log_.push_back("done"); });
  session_->sync("/", 5s, logged<Nothing>("after"));
  run_until([&] { return server_.frames.size() == 2; }, "two frames");
  EXPECT_EQ(server_.frames.back(), encode(jute::RequestHeader{2, OpCode::kCloseSession}));
  server_.reply(1, 5, ErrorCode::kOk);
  server_.reply(2, 6, ErrorCode::kOk);
  await_log(4);
  EXPECT_THAT(log_, ElementsAre("after: closed", "before: OK", "closed", "done"));
  run_until([&] { return server_.ended; }, "the client's close");
  session_->open();
  io_.poll();
  EXPECT_EQ(server_.accepted, 1);
}

TEST_F(SessionTest, CloseDoesNotWaitBeyondItsTimeout) {
  start_connected();
  session_->sync("/", 5s, logged<Nothing>("before"));
  session_->close(1ms, [&] { log_.push_back("done"); });
  await_log(3);
  EXPECT_THAT(log_, ElementsAre("before: closed", "closed", "done"));
}

TEST_F(SessionTest, CloseEndsWhenTheServerJustCloses) {
  start_connected();
  session_->close(1h, [&] { log_.push_back("done"); });
  await_frame();
  server_.drop();
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("closed", "done"));
}

TEST_F(SessionTest, CloseWithoutConnectionIsImmediate) {
  start();
  session_->close(1h, [&] { log_.push_back("done"); });
  EXPECT_THAT(log_, IsEmpty());
  await_log(2);
  EXPECT_THAT(log_, ElementsAre("closed", "done"));
  run_until([&] { return io_.stopped() || io_.poll() == 0; }, "nothing left to do");
}

TEST_F(SessionTest, NothingIsCalledAfterDestruction) {
  start_connected();
  session_->get_data("/a", {.timeout = 1ms, .watch = logged_watch()}, logged<NodeData>("get"));
  session_->close(1ms, [&] { log_.push_back("done"); });
  session_.reset();
  run_until([&] { return server_.ended; }, "the end of the connection");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SessionTest, DestructionIsSafeAtEveryStepOfAnAttempt) {
  for (int steps = 0; steps < 12; ++steps) {
    start();
    io_.restart();
    for (int i = 0; i < steps; ++i) io_.poll_one();
    session_.reset();
    io_.poll();
    EXPECT_NE(log_.empty() ? "" : log_.back(), "connected");
  }
}

TEST_F(SessionTest, ACallbackMayDestroyTheSession) {
  start_connected();
  session_->sync("/", 5s, [this](const Outcome<Nothing>&) {
    session_.reset();
    log_.push_back("destroyed");
  });
  session_->sync("/", 5s, logged<Nothing>("second"));
  await_frame();
  server_.drop();
  run_until([&] { return !session_; }, "the destruction");
  io_.poll();
  EXPECT_THAT(log_, ElementsAre("disconnected", "destroyed"));
}

TEST_F(SessionTest, AStateChangeMayDestroyTheSession) {
  session_ = std::make_unique<Session>(
      io_, SessionOptions{.servers = {server_.address()}}, [] { return 0.0; },
      [this](const SessionChange&) { session_.reset(); });
  session_->open();
  run_until([&] { return !session_; }, "the destruction");
  io_.poll();
}

TEST(Session, ContextMayEndWhileALookupHangs) {
  std::promise<void> asked, end;
  {
    boost::asio::io_context io;
    dial::Resolver::of(io).set_lookup([&asked, ended = end.get_future().share()](const std::string& host) {
      asked.set_value();
      ended.wait();
      return Result<dial::Resolver::Addresses>(Error{Errc::kUnresolved, host});
    });
    Session session(
        io, {.servers = {{"hung.example", 2181}}}, [] { return 0.0; }, nullptr);
    session.open();
    while (session.counters().attempts == 0) io.run_one();
    io.poll();
    ASSERT_EQ(asked.get_future().wait_for(20s), std::future_status::ready);
  }
  end.set_value();
}

TEST_F(SessionTest, UnresolvableNameIsReported) {
  start({.servers = {{"no..such..host", 2181}}});
  await_log(2);
  EXPECT_THAT(log_, Contains("disconnected"));
  EXPECT_EQ(last_change_.reason->code, Errc::kUnresolved);
  EXPECT_THAT(last_change_.reason->message,
              HasSubstr("while resolving the name; check the name and the resolver"));
}

}  // namespace
}  // namespace wk::client
