// A crowd against a scripted server: plain sockets, which the test's own thread reads and writes between two
// turns.
#include "bench/load/crowd.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/frames.h"
#include "jute/records.h"

namespace wk::bench {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::int64_t kSession = 0x1234;
const std::string kPassword = "sixteen letters.";

/// Listens on a loopback port.
class Listener {
 public:
  Listener() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    void* const raw = &address;
    EXPECT_EQ(bind(descriptor_, static_cast<sockaddr*>(raw), sizeof address), 0);
    EXPECT_EQ(listen(descriptor_, 16), 0);
    socklen_t size = sizeof address;
    getsockname(descriptor_, static_cast<sockaddr*>(raw), &size);
    name_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~Listener() { close(descriptor_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int accept_one() const { return accept(descriptor_, nullptr, nullptr); }

 private:
  int descriptor_;
  std::string name_;
};

/// The server's end of one connection; every call waits until its bytes are there.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {}
  ~Peer() { hang_up(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// The payload of the next frame; empty at the end of the stream.
  std::vector<std::byte> frame() const {
    std::vector<std::byte> bytes(4);
    if (!fill(bytes)) return {};
    bytes.resize(big_endian<std::uint32_t>(bytes.data()));
    return fill(bytes) ? bytes : std::vector<std::byte>{};
  }
  template <typename... Records>
  void say(const Records&... records) const {
    std::vector<std::byte> output;
    append_frame(output, records...);
    EXPECT_EQ(send(descriptor_, output.data(), output.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(output.size()));
  }
  void grant(std::int64_t session) const {
    jute::ConnectResponse response;
    response.timeout_ms = session == 0 ? 0 : 7000;
    response.session_id.value = session;
    response.password = kPassword;
    response.read_only = false;
    say(response);
  }
  void reply(std::int32_t xid, jute::ErrorCode code) const { say(jute::ReplyHeader{xid, Zxid{1}, code}); }
  void hang_up() {
    if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
  }

 private:
  bool fill(std::vector<std::byte>& bytes) const {
    return recv(descriptor_, bytes.data(), bytes.size(), MSG_WAITALL) == static_cast<ssize_t>(bytes.size());
  }
  int descriptor_;
};

/// Writes down what it is told.
class Diary final : public CrowdOwner {
 public:
  std::vector<std::string> lines;

  Result<void> on_session(std::size_t member, Clock::time_point) override { return note("session", member); }
  Result<void> on_reply(std::size_t member, std::int32_t xid, jute::ErrorCode code,
                        Clock::time_point) override {
    return note(fmt::format("reply {} {}", xid, name(code)), member);
  }
  Result<void> on_event(std::size_t member, Clock::time_point) override { return note("event", member); }
  Result<void> on_expired(std::size_t member, Clock::time_point) override { return note("expired", member); }
  Result<void> on_closed(std::size_t member, Clock::time_point) override { return note("closed", member); }

 private:
  Result<void> note(const std::string& what, std::size_t member) {
    lines.push_back(fmt::format("{} of {}", what, member));
    return {};
  }
};

class CrowdTest : public testing::Test {
 protected:
  Crowd::Settings settings(std::size_t members) const {
    return {{*resolve(listener_.name())}, members, std::chrono::milliseconds{30'000}, 256};
  }
  /// Turns until the diary has so many lines.
  void turn_to(Crowd& crowd, std::size_t lines) {
    const auto turned =
        crowd.turn_until([&] { return diary_.lines.size() >= lines; }, kPatience, "the diary");
    ASSERT_TRUE(turned) << turned.error().message;
  }
  /// Lets a member (or several) connect and the handshake be sent; the server's end of the first.
  int connect(Crowd& crowd) const {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(crowd.turn(Clock::now()));
    return listener_.accept_one();
  }

  Listener listener_;
  Diary diary_;
};

TEST_F(CrowdTest, ASessionIsOpenedAndItsTimeoutLearnt) {
  Crowd crowd(settings(1), diary_);
  crowd.open(0);
  const Peer peer(connect(crowd));
  const auto request = jute::decode<jute::ConnectRequest>(peer.frame());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->session_id.value, 0);
  EXPECT_EQ(request->timeout_ms, 30'000);
  EXPECT_EQ(crowd.present(), 0U);
  peer.grant(kSession);
  turn_to(crowd, 1);
  EXPECT_THAT(diary_.lines, testing::ElementsAre("session of 0"));
  EXPECT_EQ(crowd.present(), 1U);
  EXPECT_EQ(crowd.granted_timeout(), std::chrono::milliseconds{7000});
}

TEST_F(CrowdTest, RepliesAndEventsAreToldApart) {
  Crowd crowd(settings(1), diary_);
  crowd.open(0);
  const Peer peer(connect(crowd));
  peer.grant(kSession);
  peer.say(jute::ReplyHeader{jute::kXidNotification, Zxid{1}, jute::ErrorCode::kOk},
           jute::WatcherEvent{jute::EventType::kNodeDeleted, jute::KeeperState::kSyncConnected, "/a"});
  peer.reply(jute::kXidPing, jute::ErrorCode::kOk);
  peer.reply(7, jute::ErrorCode::kNoNode);
  turn_to(crowd, 3);
  EXPECT_THAT(diary_.lines, testing::ElementsAre("session of 0", "event of 0", "reply 7 NONODE of 0"));
}

TEST_F(CrowdTest, WhoIsCutOffComesBackWithIdAndPassword) {
  Crowd crowd(settings(1), diary_);
  crowd.open(0);
  const Peer first(connect(crowd));
  first.frame();
  first.grant(kSession);
  turn_to(crowd, 1);
  crowd.cut(0);
  EXPECT_EQ(crowd.present(), 0U);
  EXPECT_TRUE(first.frame().empty()) << "the connection has ended without a word";
  crowd.resume(0);
  const Peer second(connect(crowd));
  const auto request = jute::decode<jute::ConnectRequest>(second.frame());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->session_id.value, kSession);
  EXPECT_EQ(request->password, kPassword);
  second.grant(kSession);
  turn_to(crowd, 2);
  EXPECT_THAT(diary_.lines, testing::ElementsAre("session of 0", "session of 0"));
}

TEST_F(CrowdTest, AForgottenSessionIsTold) {
  Crowd crowd(settings(1), diary_);
  crowd.open(0);
  const Peer peer(connect(crowd));
  peer.grant(0);
  turn_to(crowd, 1);
  EXPECT_THAT(diary_.lines, testing::ElementsAre("expired of 0"));
  EXPECT_EQ(crowd.present(), 0U);
}

TEST_F(CrowdTest, TheEndOfAConnectionIsTold) {
  Crowd crowd(settings(1), diary_);
  crowd.open(0);
  Peer peer(connect(crowd));
  peer.frame();
  peer.grant(kSession);
  turn_to(crowd, 1);
  peer.hang_up();
  turn_to(crowd, 2);
  EXPECT_EQ(diary_.lines.back(), "closed of 0");
  EXPECT_EQ(crowd.present(), 0U);
}

TEST_F(CrowdTest, AHandshakeThatTheServerGivesUpIsTriedAgain) {
  Crowd crowd(settings(1), diary_);
  crowd.open(0);
  {
    const Peer given_up(connect(crowd));
    given_up.frame();
  }
  const Peer peer(connect(crowd));
  peer.frame();
  peer.grant(kSession);
  turn_to(crowd, 1);
  EXPECT_THAT(diary_.lines, testing::ElementsAre("session of 0"));
}

TEST_F(CrowdTest, AServerThatAlwaysHangsUpIsTold) {
  Crowd crowd(settings(1), diary_);
  crowd.open(0);
  for (int attempt = 0; attempt < Crowd::kAttempts; ++attempt) {
    const Peer given_up(connect(crowd));
    given_up.frame();
  }
  turn_to(crowd, 1);
  EXPECT_THAT(diary_.lines, testing::ElementsAre("closed of 0"));
}

TEST_F(CrowdTest, NoMoreThanAtOnceWaitForTheirSessions) {
  Crowd::Settings two_at_once = settings(3);
  two_at_once.at_once = 2;
  Crowd crowd(two_at_once, diary_);
  for (std::size_t member = 0; member < 3; ++member) crowd.open(member);
  const Peer first(connect(crowd));
  const Peer second(listener_.accept_one());
  first.frame();
  second.frame();
  first.grant(kSession);
  turn_to(crowd, 1);
  const Peer third(connect(crowd));
  EXPECT_EQ(jute::decode<jute::ConnectRequest>(third.frame())->session_id.value, 0);
  second.grant(kSession + 1);
  third.grant(kSession + 2);
  turn_to(crowd, 3);
  EXPECT_EQ(crowd.present(), 3U);
}

TEST_F(CrowdTest, PingsGoOutInTurn) {
  Crowd::Settings quick = settings(1);
  quick.session_timeout = std::chrono::milliseconds{60};
  Crowd crowd(quick, diary_);
  crowd.open(0);
  const Peer peer(connect(crowd));
  peer.frame();
  peer.grant(kSession);
  turn_to(crowd, 1);
  ASSERT_TRUE(crowd.rest(std::chrono::milliseconds{50}));
  const auto ping = jute::decode<jute::RequestHeader>(peer.frame());
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->xid, jute::kXidPing);
  EXPECT_EQ(ping->op, jute::OpCode::kPing);
  peer.reply(jute::kXidPing, jute::ErrorCode::kOk);
  const auto heard =
      crowd.turn_until([&] { return crowd.ping_times().count() == 1; }, kPatience, "the answer");
  EXPECT_TRUE(heard);
  EXPECT_EQ(diary_.lines.size(), 1U) << "pings are the crowd's own business";
}

TEST_F(CrowdTest, NobodyListens) {
  Crowd::Settings nowhere = settings(1);
  {
    const Listener gone;
    nowhere.servers = {*resolve(gone.name())};
  }
  Crowd crowd(nowhere, diary_);
  crowd.open(0);
  const auto turned = crowd.turn_until([] { return false; }, kPatience, "nothing");
  ASSERT_FALSE(turned);
  EXPECT_THAT(turned.error().message, testing::HasSubstr("cannot connect: Connection refused"));
}

TEST_F(CrowdTest, WhatTakesTooLongIsNamed) {
  Crowd crowd(settings(2), diary_);
  const auto turned = crowd.turn_until([] { return false; }, std::chrono::milliseconds{1}, "better times");
  ASSERT_FALSE(turned);
  EXPECT_EQ(turned.error().code, Errc::kTimedOut);
  EXPECT_EQ(turned.error().message, "waited 0 s in vain for better times; 0 of 2 sessions are connected");
}

}  // namespace
}  // namespace wk::bench
