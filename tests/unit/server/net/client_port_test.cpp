// The client port on real loopback sockets. No test sleeps: the event loop runs until what the kernel owes
// has come, and time is an argument of tick().
#include "server/net/client_port.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/server/net/sockets.h"

namespace wk::net {
namespace {

using Strings = std::vector<std::string>;
using std::chrono::steady_clock;

std::string text_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte b : bytes) text.push_back(static_cast<char>(b));
  return text;
}

std::string prefix(std::int32_t length) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(static_cast<std::uint32_t>(length) >> shift & 0xff));
  return bytes;
}

std::string frame(const std::string& payload) {
  return prefix(static_cast<std::int32_t>(payload.size())) + payload;
}

struct Refused {
  Refusal refusal;
  std::string address;
  std::int64_t number;
  friend bool operator==(const Refused&, const Refused&) = default;
};

class Fixture : public ClientPortOwner {
 public:
  explicit Fixture(const ClientPortLimits& limits = {}) : port(io, limits, *this) {
    const auto bound = port.listen("127.0.0.1", 0);
    EXPECT_TRUE(bound) << bound.error().message;
    EXPECT_EQ(*bound, port.bound());
    port.start();
  }
  ~Fixture() override {
    port.stop();
    io.poll();
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void on_opened(ConnectionId connection, const std::string& address) override {
    opened.push_back(connection);
    addresses.push_back(address);
  }
  void on_frame(ConnectionId connection, std::span<const std::byte> payload) override {
    frames.push_back(text_of(payload));
    if (then) then(connection);
  }
  void on_word(ConnectionId connection, FourLetterWord word, std::span<const std::byte> rest) override {
    words.emplace_back(name(word));
    rests.push_back(text_of(rest));
    word_connection = connection;
    if (answer.empty()) return;
    port.queue(connection, std::as_bytes(std::span(answer)));
    port.flush();
    port.finish(connection);
  }
  void on_fetched(ConnectionId connection) override { fetched.push_back(connection); }
  void on_gone(ConnectionId connection, std::optional<Refusal> why) override {
    gone.push_back(connection);
    reasons.push_back(why);
  }
  void on_refused(Refusal refusal, const std::string& address, std::int64_t number) override {
    refused.push_back({refusal, address, number});
  }
  void on_wake_up() override {
    ++wake_ups;
    port.flush();
  }

  /// Lets the loop run until the condition holds.
  void until(const std::function<bool()>& condition) {
    while (!condition()) {
      if (io.run_one_for(std::chrono::milliseconds(kPatienceMs)) == 0) {
        FAIL() << "nothing happens any more";
        return;
      }
    }
  }
  void until_received(std::uint64_t bytes) {
    until([&] { return port.stats().bytes_received >= bytes; });
  }
  /// A connection that has sent one frame.
  Descriptor open(int receive_buffer = 0) {
    Descriptor client = connect_to(port.bound(), receive_buffer);
    const std::size_t before = frames.size();
    send_all(client, frame("hello"));
    until([&] { return frames.size() > before; });
    return client;
  }
  /// \param bytes  live until the flush
  void queue(ConnectionId connection, const std::string& bytes, Delivery delivery = Delivery::kAtOnce) {
    port.queue(connection, std::as_bytes(std::span(bytes)), delivery);
  }
  void queue(ConnectionId connection, std::string&& bytes) = delete;
  const Connection& connection(std::size_t number) {
    const Connection* const found = port.find(opened.at(number));
    EXPECT_NE(found, nullptr);
    return *found;
  }

  boost::asio::io_context io;
  ClientPort port;
  std::vector<ConnectionId> opened;
  std::vector<ConnectionId> fetched;
  std::vector<ConnectionId> gone;
  std::vector<std::optional<Refusal>> reasons;
  Strings addresses;
  Strings frames;
  Strings words;
  Strings rests;
  std::vector<Refused> refused;
  std::string answer;
  ConnectionId word_connection{};
  std::function<void(ConnectionId)> then;
  int wake_ups = 0;
};

TEST(ClientPort, FramesOfOneReadComeInOrderInOneWakeUp) {
  Fixture port;
  const Descriptor client = connect_to(port.port.bound());
  port.until([&] { return port.port.stats().accepted == 1; });
  const int before = port.wake_ups;
  send_all(client, frame("a") + frame("") + frame("bc"));
  port.until([&] { return port.frames.size() == 3; });
  EXPECT_EQ(port.frames, (Strings{"a", "", "bc"}));
  EXPECT_EQ(port.wake_ups, before + 1);
  EXPECT_EQ(port.port.stats().reads, 1U);
  EXPECT_EQ(port.opened.size(), 1U);
  EXPECT_EQ(port.addresses, Strings{"127.0.0.1"});
  EXPECT_EQ(port.port.connections(), 1U);
}

TEST(ClientPort, EverySplitOfTheBeginningOpensOnce) {
  const std::string stream = frame("hello") + frame("x");
  for (std::size_t at = 1; at < stream.size(); ++at) {
    Fixture port;
    const Descriptor client = connect_to(port.port.bound());
    send_all(client, stream.substr(0, at));
    port.until_received(at);
    ASSERT_EQ(port.opened.size(), at < 4 ? 0U : 1U) << at;
    send_all(client, stream.substr(at));
    port.until_received(stream.size());
    ASSERT_EQ(port.frames, (Strings{"hello", "x"})) << at;
    ASSERT_EQ(port.opened.size(), 1U);
  }
}

TEST(ClientPort, WordIsAnsweredAndTheConnectionEnds) {
  Fixture port;
  port.answer = "imok";
  const Descriptor client = connect_to(port.port.bound());
  send_all(client, "ruok\n");
  port.until([&] { return port.port.connections() == 0 && port.port.stats().accepted == 1; });
  const Received received = receive_to_end(client);
  EXPECT_EQ(received.bytes, "imok");
  EXPECT_TRUE(received.ended);
  EXPECT_EQ(port.words, Strings{"ruok"});
  EXPECT_EQ(port.rests, Strings{"\n"});
  EXPECT_EQ(port.port.stats().words, 1U);
  EXPECT_TRUE(port.opened.empty());
  EXPECT_TRUE(port.gone.empty());
}

TEST(ClientPort, WordInEverySplit) {
  const std::string word = "mntr";
  for (std::size_t at = 1; at < word.size(); ++at) {
    Fixture port;
    port.answer = "zk_version\tx\n";
    const Descriptor client = connect_to(port.port.bound());
    send_all(client, word.substr(0, at));
    port.until_received(at);
    ASSERT_TRUE(port.words.empty());
    send_all(client, word.substr(at));
    port.until([&] { return !port.words.empty(); });
    ASSERT_EQ(port.words, Strings{"mntr"});
    ASSERT_EQ(receive_to_end(client).bytes, port.answer);
  }
}

TEST(ClientPort, WordIsAnsweredAfterTheClientHasClosedItsHalf) {
  Fixture port;
  port.answer = "imok";
  const Descriptor client = connect_to(port.port.bound());
  send_all(client, "ruok");
  ::shutdown(client.get(), SHUT_WR);
  port.until([&] { return port.port.connections() == 0 && port.port.stats().accepted == 1; });
  EXPECT_EQ(receive_to_end(client).bytes, "imok");
}

TEST(ClientPort, BytesBehindAWordDoNotResetTheAnswer) {
  Fixture port;
  port.answer = std::string(100'000, 'z');
  const Descriptor client = connect_to(port.port.bound());
  send_all(client, "stat" + std::string(200'000, 'y'));
  port.until([&] { return port.port.stats().words == 1; });
  while (port.port.connections() > 0)
    port.until([&, before = port.wake_ups] { return port.wake_ups > before; });
  const Received received = receive_to_end(client);
  EXPECT_EQ(received.bytes.size(), port.answer.size());
}

TEST(ClientPort, AddressLimitIsInclusiveAndEndsFreeAPlace) {
  Fixture port({.connections_per_address = 2});
  Descriptor first = port.open();
  const Descriptor second = port.open();
  const Descriptor third = connect_to(port.port.bound());
  port.until([&] { return !port.refused.empty(); });
  EXPECT_EQ(port.refused[0], (Refused{Refusal::kAddressLimit, "127.0.0.1", 2}));
  EXPECT_EQ(port.port.stats().refused_by_address_limit, 1U);
  const Received closed = receive_to_end(third);
  EXPECT_TRUE(closed.ended || closed.error == ECONNRESET);
  EXPECT_EQ(closed.bytes, "");
  first.reset();
  port.until([&] { return port.gone.size() == 1; });
  const Descriptor fourth = port.open();
  EXPECT_EQ(port.port.connections(), 2U);
  EXPECT_EQ(port.refused.size(), 1U);
}

TEST(ClientPort, TotalLimit) {
  Fixture port({.connections_per_address = 0, .connections = 1});
  const Descriptor first = port.open();
  const Descriptor second = connect_to(port.port.bound());
  port.until([&] { return !port.refused.empty(); });
  EXPECT_EQ(port.refused[0], (Refused{Refusal::kTotalLimit, "127.0.0.1", 1}));
  EXPECT_EQ(port.port.stats().refused_by_total_limit, 1U);
  EXPECT_EQ(port.port.stats().accepted, 1U);
}

TEST(ClientPort, ZeroLimitsAreUnlimited) {
  Fixture port({.connections_per_address = 0, .connections = 0});
  std::vector<Descriptor> clients;
  for (int i = 0; i < 80; ++i) clients.push_back(connect_to(port.port.bound()));
  port.until([&] { return port.port.stats().accepted == 80; });
  EXPECT_TRUE(port.refused.empty());
}

TEST(ClientPort, LongFrameEndsTheConnectionWithItsLength) {
  Fixture port({.request_bytes = 100});
  const Descriptor client = port.open();
  send_all(client, frame(std::string(100, 'a')) + prefix(101));
  port.until([&] { return !port.refused.empty(); });
  EXPECT_EQ(port.refused, (std::vector<Refused>{{Refusal::kFrameTooLong, "127.0.0.1", 101}}));
  EXPECT_EQ(port.frames.back(), std::string(100, 'a'));
  EXPECT_EQ(port.gone, port.opened);
  EXPECT_EQ(port.port.stats().frames_too_long, 1U);
  EXPECT_EQ(port.port.connections(), 0U);
}

TEST(ClientPort, NegativeLengthAtTheBeginning) {
  Fixture port;
  const Descriptor client = connect_to(port.port.bound());
  send_all(client, "\xff\xff\xff\xff");
  port.until([&] { return !port.refused.empty(); });
  EXPECT_EQ(port.refused[0], (Refused{Refusal::kFrameTooLong, "127.0.0.1", -1}));
  EXPECT_EQ(port.gone, port.opened);
  EXPECT_TRUE(port.frames.empty());
}

TEST(ClientPort, HttpAndTlsAreToldFriendlyAndEnded) {
  Fixture port;
  const Descriptor browser = connect_to(port.port.bound());
  send_all(browser, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  port.until([&] { return port.refused.size() == 1; });
  EXPECT_EQ(port.refused[0].refusal, Refusal::kHttp);
  const Descriptor secure = connect_to(port.port.bound());
  send_all(secure, std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", 10));
  port.until([&] { return port.refused.size() == 2; });
  EXPECT_EQ(port.refused[1].refusal, Refusal::kTlsHello);
  for (const Descriptor* const client : {&browser, &secure}) {
    const Received received = receive_to_end(*client);
    EXPECT_TRUE(received.ended) << "reset instead of an orderly end";
    EXPECT_EQ(received.bytes, "");
  }
  EXPECT_EQ(port.port.stats().http_requests, 1U);
  EXPECT_EQ(port.port.stats().tls_hellos, 1U);
  EXPECT_EQ(port.port.connections(), 0U);
  EXPECT_TRUE(port.opened.empty());
}

TEST(ClientPort, WritesOnceForAllThatIsOwed) {
  Fixture port;
  const Descriptor client = port.open();
  const std::string one = "one", two = "two", both = "and more";
  port.queue(port.opened[0], one);
  port.queue(port.opened[0], two);
  // Neighbours in memory become one piece.
  port.port.queue(port.opened[0], std::as_bytes(std::span(both)).first(3));
  port.port.queue(port.opened[0], std::as_bytes(std::span(both)).subspan(3));
  port.port.flush();
  EXPECT_EQ(port.port.stats().writes, 1U);
  EXPECT_EQ(port.port.stats().bytes_sent, 14U);
  EXPECT_EQ(receive_now(client).bytes, "onetwoand more");
}

/// A port with so many connections that telling all of them takes three turns and a bit.
class CrowdedPort : public Fixture {
 public:
  static constexpr std::size_t kCrowd = 3 * ClientPort::kTurnWrites + 1;

  CrowdedPort() : Fixture({.connections_per_address = 0}) {
    for (std::size_t i = 0; i < kCrowd; ++i) clients.push_back(open());
  }

  /// Owes the news to everybody; what was owed in is overwritten behind the flush.
  void tell_all(std::string news) {
    for (const ConnectionId connection : opened) queue(connection, news, Delivery::kInTurn);
    port.flush();
    news.assign(news.size(), '!');
  }
  void until_sent(std::uint64_t bytes) {
    until([&] { return port.stats().bytes_sent >= bytes; });
  }

  std::vector<Descriptor> clients;
};

TEST(ClientPort, TheLastDescriptorsAreLeftToTheProcess) {
  static_assert(ClientPort::client_descriptors(1'024) == 1'024 - ClientPort::kOwnDescriptors);
  static_assert(ClientPort::client_descriptors(100) == 75);
  Fixture port;
  const Descriptor before = port.open();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const Descriptor client = connect_to(port.port.bound());
  const int lowest_free = ::dup(client.get());
  ::close(lowest_free);
  // The largest limit under which the next descriptor is not for a client.
  rlimit few{static_cast<rlim_t>(lowest_free), limit.rlim_max};
  while (ClientPort::client_descriptors(few.rlim_cur + 1) <= static_cast<std::uint64_t>(lowest_free))
    ++few.rlim_cur;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  port.until([&] { return !port.refused.empty(); });
  const int own = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_GE(own, 0) << "nothing was left to the process";
  ::close(own);
  EXPECT_EQ(port.refused, (std::vector<Refused>{{Refusal::kNoDescriptor, "127.0.0.1", 0}}));
  EXPECT_EQ(port.port.stats().refused_without_descriptor, 1U);
  EXPECT_EQ(port.port.connections(), 1U);
  EXPECT_TRUE(receive_to_end(client).ended);
  EXPECT_EQ(port.port.by_address().at("127.0.0.1"), 1);
  const Descriptor next = port.open();
  EXPECT_EQ(port.port.connections(), 2U);
}

TEST(ClientPort, WhatThousandsAreToldLeavesInTurns) {
  CrowdedPort port;
  port.tell_all("news");
  EXPECT_EQ(port.port.stats().writes, ClientPort::kTurnWrites);
  EXPECT_EQ(receive_now(port.clients[0]).bytes, "news");
  EXPECT_EQ(receive_now(port.clients.back()).bytes, "");
  EXPECT_EQ(port.connection(CrowdedPort::kCrowd - 1).unsent_bytes(), 4U);
  EXPECT_EQ(port.connection(CrowdedPort::kCrowd - 1).interest_ops(), 1)
      << "it waits for a turn, not for its socket";
  port.until_sent(4 * CrowdedPort::kCrowd);
  EXPECT_EQ(port.port.stats().writes, CrowdedPort::kCrowd);
  for (std::size_t i = 1; i < CrowdedPort::kCrowd; ++i)
    EXPECT_EQ(receive_now(port.clients[i]).bytes, "news") << i;
  EXPECT_EQ(port.connection(CrowdedPort::kCrowd - 1).unsent_bytes(), 0U);
}

TEST(ClientPort, OthersAreServedBetweenTwoTurns) {
  CrowdedPort port;
  const std::string answer = "answer";
  port.then = [&](ConnectionId connection) {
    port.queue(connection, answer);
    port.port.flush();
  };
  // The first is told by the flush and waits for nothing; the last two wait for the last turn.
  const Descriptor& told = port.clients.front();
  const Descriptor& waiting = port.clients[CrowdedPort::kCrowd - 2];
  port.tell_all("news");
  send_all(told, frame("question"));
  send_all(waiting, frame("question"));
  port.until([&] { return port.frames.size() == CrowdedPort::kCrowd + 2; });
  EXPECT_LE(port.port.stats().writes, 2 * ClientPort::kTurnWrites + 2) << "they were served behind everybody";
  EXPECT_EQ(receive_now(told).bytes, "newsanswer");
  EXPECT_EQ(receive_now(waiting).bytes, "newsanswer")
      << "an answer must not overtake what was owed before it";
  EXPECT_EQ(receive_now(port.clients.back()).bytes, "");
  port.until_sent(4 * CrowdedPort::kCrowd + 2 * answer.size());
  EXPECT_EQ(receive_now(port.clients.back()).bytes, "news");
  EXPECT_EQ(receive_now(waiting).bytes, "");
}

TEST(ClientPort, NewsOfTwoFlushesArriveInOrderAndOnce) {
  CrowdedPort port;
  port.tell_all("one ");
  port.tell_all("two ");
  port.until_sent(8 * CrowdedPort::kCrowd);
  for (std::size_t i = 0; i < CrowdedPort::kCrowd; ++i)
    EXPECT_EQ(receive_now(port.clients[i]).bytes, "one two ") << i;
  // Those that were told the first already wait once more; the others are told both at once.
  EXPECT_EQ(port.port.stats().writes, CrowdedPort::kCrowd + ClientPort::kTurnWrites);
}

TEST(ClientPort, LongNewsAreNotPutOff) {
  CrowdedPort port;
  const std::string news(kPutOffMax + 1, 'n');
  port.tell_all(news);
  EXPECT_EQ(port.port.stats().writes, CrowdedPort::kCrowd);
}

TEST(ClientPort, WhoEndsOrIsFinishedWhileItWaits) {
  CrowdedPort port;
  port.tell_all("news");
  const std::size_t gone = CrowdedPort::kCrowd - 1;
  const std::size_t finished = CrowdedPort::kCrowd - 2;
  port.clients[gone].reset();
  port.port.finish(port.opened[finished]);
  EXPECT_NE(port.port.find(port.opened[finished]), nullptr) << "ended before its bytes have left";
  port.until([&] { return port.gone.size() == 2; });
  const Received received = receive_to_end(port.clients[finished]);
  EXPECT_EQ(received.bytes, "news");
  EXPECT_TRUE(received.ended);
  EXPECT_EQ(port.port.connections(), CrowdedPort::kCrowd - 2);
  EXPECT_EQ(receive_now(port.clients[finished - 1]).bytes, "news");
}

TEST(ClientPort, ManyPiecesArriveInOrder) {
  Fixture port;
  const Descriptor client = port.open();
  // More than one system call takes, and no two of them neighbours.
  std::vector<std::string> pieces;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    pieces.push_back(std::to_string(i) + ' ');
    all += pieces.back();
  }
  for (const std::string& piece : pieces) port.queue(port.opened[0], piece);
  port.port.flush();
  for (std::string& piece : pieces) piece.assign(piece.size(), '!');  // The port must not need them any more.
  std::string got;
  while (got.size() < all.size()) {
    got += receive_now(client).bytes;
    if (got.size() < all.size())
      port.until([&, before = port.port.stats().bytes_sent] {
        return port.port.stats().bytes_sent > before || port.port.stats().bytes_sent == all.size();
      });
  }
  EXPECT_EQ(got, all);
}

TEST(ClientPort, SlowReaderIsNotReadFromUntilItHasCaughtUp) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const std::string megabyte(1 << 20, 'm');
  constexpr std::size_t kPieces = 16;
  for (std::size_t i = 0; i < kPieces; ++i) port.queue(port.opened[0], megabyte);
  port.port.flush();
  EXPECT_GT(port.connection(0).unsent_bytes(), kUnsentHigh);
  EXPECT_EQ(port.connection(0).interest_ops(), 4) << "it is still read from";
  EXPECT_EQ(port.port.stats().choked, 1U);
  send_all(client, frame("question"));
  EXPECT_EQ(port.frames.size(), 1U);

  std::size_t got = 0;
  while (got < kPieces * megabyte.size()) {
    got += receive_now(client).bytes.size();
    port.io.poll();
    if (port.connection(0).unsent_bytes() > kUnsentHigh) {
      ASSERT_EQ(port.frames.size(), 1U);
    }
  }
  EXPECT_EQ(got, kPieces * megabyte.size());
  port.until([&] { return port.frames.size() == 2; });
  EXPECT_EQ(port.frames.back(), "question");
  EXPECT_EQ(port.connection(0).unsent_bytes(), 0U);
  EXPECT_EQ(port.connection(0).interest_ops(), 1);
  EXPECT_TRUE(port.gone.empty());
}

// A few bytes of questions must not become gigabytes of answers before the client has read the first of them.
TEST(ClientPort, FramesOfOneReadWaitForTheirTurnWhenAnswersAreNotRead) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const std::string answer(8UL << 20, 'm');
  port.then = [&](ConnectionId connection) {
    port.queue(connection, answer);
    port.port.flush();
  };
  constexpr std::size_t kQuestions = 12;
  std::string questions;
  for (std::size_t i = 0; i < kQuestions; ++i) questions += frame("question " + std::to_string(i));
  send_all(client, questions);
  port.until([&] { return port.frames.size() > 1; });
  // The kernel's buffers may take in the first answers, but not all.
  EXPECT_LT(port.frames.size(), kQuestions);
  EXPECT_EQ(port.connection(0).interest_ops(), 4) << "it is still read from";

  std::size_t got = 0;
  while (got < kQuestions * answer.size()) {
    got += receive_now(client).bytes.size();
    port.io.poll();
    ASSERT_LE(port.connection(0).unsent_bytes(), answer.size() + kUnsentHigh);
  }
  ASSERT_EQ(port.frames.size(), kQuestions + 1);
  EXPECT_EQ(port.frames.back(), "question 11");
  EXPECT_EQ(got, kQuestions * answer.size());
  EXPECT_TRUE(port.refused.empty());
  EXPECT_EQ(port.connection(0).interest_ops(), 1);
}

TEST(ClientPort, ConnectionThatEndsWhileItsFramesAreHandedOut) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const Descriptor other = port.open();
  const std::string answer(16UL << 20, 'm'), too_much(kUnsentMax + 1, 'm');
  port.then = [&](ConnectionId connection) {
    port.queue(connection, answer);
    port.port.flush();
    port.queue(connection, too_much);
    port.port.flush();
  };
  send_all(client, frame("one") + frame("two") + frame("three"));
  port.until([&] { return !port.gone.empty(); });
  EXPECT_EQ(port.frames, (Strings{"hello", "hello", "one"}));
  EXPECT_EQ(port.gone, std::vector<ConnectionId>{port.opened[0]});
  port.then = nullptr;
  send_all(other, frame("served"));
  port.until([&] { return port.frames.size() == 4; });
  EXPECT_EQ(port.frames.back(), "served");
}

TEST(ClientPort, WhoNeverReadsIsClosedAtTheLimit) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const Descriptor bystander = port.open();
  const std::string answer(16UL << 20, 'a'), megabyte(1 << 20, 'm');
  port.queue(port.opened[0], answer);
  port.port.flush();
  for (std::size_t owed = 0; owed <= kUnsentMax; owed += megabyte.size())
    port.queue(port.opened[0], megabyte);
  const std::string news = "news";
  port.queue(port.opened[1], news);
  port.port.flush();
  ASSERT_EQ(port.refused.size(), 1U);
  EXPECT_EQ(port.refused[0].refusal, Refusal::kDoesNotRead);
  EXPECT_GT(port.refused[0].number, static_cast<std::int64_t>(kUnsentMax));
  EXPECT_EQ(port.gone, std::vector<ConnectionId>{port.opened[0]});
  EXPECT_EQ(port.reasons[0], Refusal::kDoesNotRead);
  EXPECT_EQ(port.port.stats().closed_not_reading, 1U);
  EXPECT_EQ(port.port.find(port.opened[0]), nullptr);
  EXPECT_EQ(receive_now(bystander).bytes, "news");
}

// As the children of a znode that has a million of them.
TEST(ClientPort, OneAnswerMayBeLongerThanWhatWaitsForSomebodyWhoDoesNotRead) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const std::string answer(kUnsentMax + (32UL << 20), 'a'), news(1 << 20, 'n');
  port.queue(port.opened[0], answer);
  port.port.flush();
  port.queue(port.opened[0], news);
  port.port.flush();
  EXPECT_TRUE(port.refused.empty());
  std::size_t got = 0;
  while (got < answer.size() + news.size()) {
    got += receive_now(client).bytes.size();
    port.io.poll();
    ASSERT_TRUE(port.gone.empty());
  }
  EXPECT_EQ(port.connection(0).owed_while_choked_bytes(), news.size());
  EXPECT_FALSE(port.connection(0).choked());
}

// Its pings are not read meanwhile, so this is the only sign of its life.
TEST(ClientPort, WhoFetchesWhatItIsOwedIsToldOf) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const Descriptor bystander = port.open();
  const std::string answer(32UL << 20, 'a');
  port.queue(port.opened[0], answer);
  port.port.flush();
  const auto now = steady_clock::now();
  port.port.tick(now);
  EXPECT_TRUE(port.fetched.empty());
  const std::size_t unsent = port.connection(0).unsent_bytes();
  while (port.connection(0).unsent_bytes() == unsent) {
    receive_now(client);
    port.io.poll();
  }
  port.port.tick(now);
  EXPECT_EQ(port.fetched, std::vector<ConnectionId>{port.opened[0]});
  port.port.tick(now);
  EXPECT_EQ(port.fetched.size(), 1U) << "nothing was fetched since";
  while (port.connection(0).choked()) {
    receive_now(client);
    port.io.poll();
  }
  port.port.tick(now);
  EXPECT_EQ(port.fetched.size(), 1U) << "its pings are read again";
}

TEST(ClientPort, FinishedConnectionGetsEverythingAndThenEnds) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const std::string answer(8 << 20, 'a');
  port.queue(port.opened[0], answer);
  port.port.flush();
  port.port.finish(port.opened[0]);
  EXPECT_EQ(port.port.connections(), 1U) << "ended before its bytes have left";
  std::size_t got = 0;
  while (port.port.connections() > 0) {
    got += receive_now(client).bytes.size();
    port.io.poll();
  }
  const Received rest = receive_to_end(client);
  EXPECT_EQ(got + rest.bytes.size(), answer.size());
  EXPECT_TRUE(rest.ended);
  EXPECT_EQ(port.gone, port.opened);
}

TEST(ClientPort, FinishedConnectionThatDoesNotReadEndsInTime) {
  Fixture port;
  const Descriptor client = port.open(4096);
  const std::string answer(16 << 20, 'a');
  port.queue(port.opened[0], answer);
  port.port.flush();
  port.port.finish(port.opened[0]);
  const auto now = steady_clock::now();
  port.port.tick(now);
  EXPECT_EQ(port.port.connections(), 1U);
  port.port.tick(now + std::chrono::seconds(6));
  EXPECT_EQ(port.port.connections(), 0U);
  EXPECT_EQ(port.gone, port.opened);
}

TEST(ClientPort, FramesBehindAFinishAreDropped) {
  Fixture port;
  port.then = [&](ConnectionId connection) { port.port.finish(connection); };
  const Descriptor client = connect_to(port.port.bound());
  send_all(client, frame("closeSession") + frame("late"));
  port.until([&] { return !port.gone.empty(); });
  EXPECT_EQ(port.frames, Strings{"closeSession"});
  EXPECT_TRUE(receive_to_end(client).ended);
}

TEST(ClientPort, PausedConnectionIsNotReadFrom) {
  Fixture port;
  const Descriptor client = port.open();
  port.port.pause_reading(port.opened[0], true);
  EXPECT_EQ(port.connection(0).interest_ops(), 0);
  send_all(client, frame("later"));
  const Descriptor other = port.open();  // The loop runs meanwhile.
  EXPECT_EQ(port.frames, (Strings{"hello", "hello"}));
  port.port.pause_reading(port.opened[0], false);
  port.until([&] { return port.frames.size() == 3; });
  EXPECT_EQ(port.frames.back(), "later");
}

TEST(ClientPort, FramesThatWereReadBeforeAPauseWaitForItsEnd) {
  Fixture port;
  const Descriptor client = port.open();
  port.then = [&](ConnectionId connection) {
    if (port.frames.back().starts_with("pause")) port.port.pause_reading(connection, true);
  };
  send_all(client, frame("pause") + frame("a") + frame("pause again") + frame("b") + frame("c").substr(0, 2));
  port.until([&] { return port.frames.size() == 2; });
  const Descriptor other = port.open();  // The loop runs meanwhile.
  EXPECT_EQ(port.frames, (Strings{"hello", "pause", "hello"}));
  EXPECT_EQ(port.connection(0).interest_ops(), 0);
  port.port.pause_reading(port.opened[0], false);
  port.until([&] { return port.frames.size() == 5; });
  EXPECT_EQ(port.frames.back(), "pause again");
  EXPECT_EQ(port.connection(0).interest_ops(), 0);
  send_all(client, frame("c").substr(2));
  port.port.pause_reading(port.opened[0], false);
  port.until([&] { return port.frames.size() == 7; });
  EXPECT_EQ(port.frames, (Strings{"hello", "pause", "hello", "a", "pause again", "b", "c"}));
  EXPECT_EQ(port.connection(0).interest_ops(), 1);
}

TEST(ClientPort, PausedConnectionThatIsResetEnds) {
  Fixture port;
  Descriptor client = port.open();
  port.then = [&](ConnectionId connection) { port.port.pause_reading(connection, true); };
  send_all(client, frame("pause") + frame("held"));
  port.until([&] { return port.frames.size() == 2; });
  const linger reset{1, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  client.reset();
  port.until([&] { return !port.gone.empty(); });
  EXPECT_EQ(port.frames, (Strings{"hello", "pause"}));
}

// Whoever has said what it wants waits for the server as long as it likes: for its disk, for instance.
TEST(ClientPort, ConnectionsThatAskNothingEndInTimeAndThoseThatWaitForAnAnswerStay) {
  Fixture port({.unasked_timeout = std::chrono::seconds(10)});
  const Descriptor asked = port.open();
  const Descriptor silent = connect_to(port.port.bound());
  const Descriptor half = connect_to(port.port.bound());
  send_all(half, frame("hello").substr(0, 6));
  port.until([&] { return port.opened.size() == 2; });
  const auto now = steady_clock::now();
  port.port.tick(now + std::chrono::seconds(9));
  EXPECT_EQ(port.port.connections(), 3U);
  port.port.tick(now + std::chrono::seconds(11));
  EXPECT_EQ(port.port.connections(), 1U);
  EXPECT_NE(port.port.find(port.opened[0]), nullptr);
  EXPECT_EQ(port.refused, (std::vector<Refused>{{Refusal::kUnansweredTooLong, "127.0.0.1", 0},
                                                {Refusal::kUnansweredTooLong, "127.0.0.1", 0}}));
  EXPECT_EQ(port.gone, std::vector<ConnectionId>{port.opened[1]});
  EXPECT_EQ(port.port.stats().closed_unanswered, 2U);
}

// A turn of no time at all: eight frames, then everybody else.
TEST(ClientPort, WhoSendsMuchLetsOthersHaveTheirTurn) {
  Fixture port({.turn = std::chrono::nanoseconds(0)});
  const Descriptor greedy = port.open(), modest = port.open();
  port.frames.clear();
  std::string burst;
  Strings expected;
  for (int i = 0; i < 20; ++i) {
    burst += frame("g" + std::to_string(i));
    expected.push_back("g" + std::to_string(i));
  }
  send_all(greedy, burst);
  send_all(modest, frame("m"));
  port.until([&] { return port.frames.size() == 21; });
  const auto other = std::find(port.frames.begin(), port.frames.end(), "m");
  EXPECT_LE(other - port.frames.begin(), 8);
  port.frames.erase(other);
  EXPECT_EQ(port.frames, expected);
}

// It sends its burst and is gone: what came before the end is served all the same.
TEST(ClientPort, WhatWasSentBeforeTheEndIsServedInTurns) {
  Fixture port({.turn = std::chrono::nanoseconds(0)});
  Descriptor client = port.open();
  port.frames.clear();
  std::string burst;
  for (int i = 0; i < 30; ++i) burst += frame(std::to_string(i));
  send_all(client, burst);
  client.reset();
  port.until([&] { return !port.gone.empty(); });
  EXPECT_EQ(port.frames.size(), 30U);
}

TEST(ClientPort, EndOfThePeerIsToldOnce) {
  Fixture port;
  Descriptor client = port.open();
  client.reset();
  port.until([&] { return !port.gone.empty(); });
  EXPECT_EQ(port.gone, port.opened);
  EXPECT_EQ(port.port.stats().ended_by_peer, 1U);
  EXPECT_EQ(port.port.connections(), 0U);
}

TEST(ClientPort, ResetOfThePeerWhilePaused) {
  Fixture port;
  Descriptor client = port.open();
  port.port.pause_reading(port.opened[0], true);
  const linger reset{1, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  client.reset();
  port.until([&] { return !port.gone.empty(); });
  EXPECT_EQ(port.gone, port.opened);
}

TEST(ClientPort, CallsForEndedConnectionsHaveNoEffect) {
  Fixture port;
  Descriptor client = port.open();
  const ConnectionId id = port.opened[0];
  client.reset();
  port.until([&] { return !port.gone.empty(); });
  const std::string late = "late";
  port.queue(id, late);
  port.port.flush();
  port.port.finish(id);
  port.port.pause_reading(id, true);
  EXPECT_EQ(port.port.find(id), nullptr);
  EXPECT_EQ(port.port.stats().bytes_sent, 0U);
  EXPECT_EQ(port.gone.size(), 1U);
}

TEST(ClientPort, ConnectionThatEndsWithBytesOwedIsForgottenByFlush) {
  Fixture port;
  const Descriptor client = port.open();
  const std::string news = "news";
  port.queue(port.opened[0], news);
  send_all(client, prefix(-5));
  port.until([&] { return !port.gone.empty(); });
  port.port.flush();
  EXPECT_EQ(port.port.connections(), 0U);
}

TEST(ClientPort, NumbersAreNeverUsedAgain) {
  Fixture port;
  for (int i = 0; i < 3; ++i) {
    Descriptor client = port.open();
    client.reset();
    port.until([&] { return port.gone.size() == static_cast<std::size_t>(i) + 1; });
  }
  EXPECT_LT(port.opened[0], port.opened[1]);
  EXPECT_LT(port.opened[1], port.opened[2]);
}

TEST(ClientPort, StopEndsEverythingAndAcceptsNoMore) {
  Fixture port;
  const Descriptor client = port.open();
  const std::uint16_t number = port.port.bound();
  port.port.stop();
  port.io.poll();
  EXPECT_EQ(port.port.connections(), 0U);
  EXPECT_TRUE(receive_to_end(client).ended);
  EXPECT_TRUE(listen_on("127.0.0.1", number, -1));
}

TEST(ClientPort, TwoPlacesAreServedAndTheFirstIsItsPort) {
  Fixture port;
  ClientPort second(port.io, {}, port);
  const auto one = second.listen("127.0.0.1", 0);
  const auto two = second.listen("127.0.0.1", 0);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(second.bound(), *one);
  second.start();
  const Descriptor a = connect_to(*one), b = connect_to(*two);
  port.until([&] { return second.stats().accepted == 2; });
  EXPECT_EQ(second.connections(), 2U);
  second.stop();
  port.io.poll();
}

}  // namespace
}  // namespace wk::net
