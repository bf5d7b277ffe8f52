#include "exporter/sources/cons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/sources/golden.h"

namespace wk::exporter {
namespace {

using testing::ElementsAre;
using testing::Pair;
using namespace std::chrono_literals;

TEST(ParseCons, FullAndBriefLinesOfApache395) {
  const auto answer =
      answer_of<ConnectionsAnswer>(parse_cons(golden("apache-3.9.5/default-provider/4lw.cons")));
  EXPECT_EQ(answer.total, 2U);
  EXPECT_EQ(answer.with_session, 1U);
  EXPECT_THAT(answer.by_address, ElementsAre(Pair("127.0.0.1", 2U)));
  ASSERT_EQ(answer.busiest.size(), 2U);
  const ClientConnection& busy = answer.busiest[0];
  EXPECT_EQ(busy.address, "127.0.0.1");
  EXPECT_EQ(busy.port, 46690);
  EXPECT_EQ(busy.session, SessionId{0x3000013b2b50000});
  EXPECT_EQ(busy.queued, 0U);
  EXPECT_EQ(busy.received, 183U);
  EXPECT_EQ(busy.sent, 243U);
  EXPECT_EQ(busy.session_timeout, 10s);
  EXPECT_EQ(busy.latency_average, 0ms);
  EXPECT_EQ(busy.latency_maximum, 3ms);
  EXPECT_EQ(busy.last_operation, "PING");
  EXPECT_EQ(answer.busiest[1].session, std::nullopt);
  EXPECT_EQ(answer.busiest[1].session_timeout, std::nullopt);
}

TEST(ParseCons, AddressForms) {
  const auto old = answer_of<ConnectionsAnswer>(parse_cons(golden("apache-3.4/cons")));
  ASSERT_EQ(old.busiest.size(), 2U);
  EXPECT_EQ(old.busiest[0].address, "0:0:0:0:0:0:0:1");
  EXPECT_EQ(old.busiest[0].port, 46690);
  EXPECT_EQ(old.busiest[1].address, "10.0.0.7");
  const auto address = [](std::string_view text) {
    ClientConnection connection;
    return set_address(connection, text) ? connection.address + "|" + std::to_string(connection.port)
                                         : std::string("none");
  };
  EXPECT_EQ(address("/[0:0:0:0:0:0:0:1]:7"), "0:0:0:0:0:0:0:1|7");
  EXPECT_EQ(address("web-1.example:7"), "web-1.example|7");
  EXPECT_EQ(address("nothing"), "none");
  EXPECT_EQ(address("a:70000"), "none");
}

TEST(ParseCons, ClickHouseKeeper) {
  const auto answer = answer_of<ConnectionsAnswer>(parse_cons(golden("clickhouse-keeper/cons")));
  EXPECT_EQ(answer.total, 2U);
  EXPECT_EQ(answer.with_session, 1U) << "all ones stand for no session";
  ASSERT_EQ(answer.busiest.size(), 2U);
  EXPECT_EQ(answer.busiest[0].address, "192.168.1.2");
  EXPECT_EQ(answer.busiest[0].session, SessionId{1});
  EXPECT_EQ(answer.busiest[0].latency_maximum, 4ms);
  EXPECT_EQ(answer.busiest[1].queued, std::nullopt);
}

TEST(ParseCons, ManyConnectionsKeepTheBusiestAndTheMostFrequentAddresses) {
  std::string text;
  for (int i = 0; i < 3000; ++i)
    text += " /10.0." + std::to_string(i % 150) + ".1:" + std::to_string(1000 + i) +
            "[1](queued=0,recved=" + std::to_string(i) + ",sent=0)\n";
  for (int i = 0; i < 5; ++i) text += " /10.9.9.9:" + std::to_string(i) + "[1](queued=0,recved=1,sent=0)\n";
  for (int i = 0; i < 20; ++i) text += " /10.8.8.8:" + std::to_string(i) + "[1](queued=0,recved=1,sent=0)\n";
  text += " /10.8.8.8:99[1](queued=0,recved=1,sent=0)\n\n";
  const auto answer = answer_of<ConnectionsAnswer>(parse_cons(text));
  EXPECT_EQ(answer.total, 3026U);
  EXPECT_EQ(answer.with_session, 0U);
  ASSERT_EQ(answer.by_address.size(), ConnectionsAnswer::kAddressLimit);
  EXPECT_THAT(answer.by_address[0], Pair("10.8.8.8", 21U));
  EXPECT_THAT(answer.by_address[1], Pair("10.0.0.1", 20U));
  ASSERT_EQ(answer.busiest.size(), ConnectionsAnswer::kConnectionLimit);
  EXPECT_EQ(answer.busiest.front().received, 2999U);
  EXPECT_EQ(answer.busiest.back().received, 2900U);
}

TEST(ParseCons, AConnectionThatJustClosedIsLeftOut) {
  const auto answer = answer_of<ConnectionsAnswer>(
      parse_cons(" null[0](queued=0,recved=4,sent=4)\n /10.0.0.7:5[1](queued=0,recved=1,sent=0)\n\n"));
  EXPECT_EQ(answer.total, 1U);
  EXPECT_THAT(answer.by_address, ElementsAre(Pair("10.0.0.7", 1U)));
  EXPECT_EQ(parse_cons(" nil[0](queued=0,recved=4,sent=4)\n\n").state, SourceState::kMalformed);
}

TEST(ParseCons, StatesAndHostileLines) {
  EXPECT_EQ(parse_cons("cons is not executed because it is not in the whitelist.\n").state,
            SourceState::kNotWhitelisted);
  EXPECT_EQ(parse_cons("garbage\n\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse_cons(" /1.2.3.4:5[1](queued=0,recved=-1,sent=0)\n\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse_cons(" /1.2.3.4:5[1](queued=0,recved=1,sent=0)\n").state, SourceState::kTruncated);
  EXPECT_EQ(answer_of<ConnectionsAnswer>(parse_cons("\n")).total, 0U);
}

}  // namespace
}  // namespace wk::exporter
