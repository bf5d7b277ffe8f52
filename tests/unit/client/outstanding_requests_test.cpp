#include "client/outstanding_requests.h"

#include <gtest/gtest.h>

namespace wk::client {
namespace {

using Clock = OutstandingRequests::Clock;
using std::chrono::seconds;

class NoCall : public Call {
 public:
  Result<void> answer(const jute::ReplyHeader&, jute::Reader&, CallbackQueue&) override { return {}; }
  void fail(Fault, CallbackQueue&) override {}
};

constexpr Clock::time_point at(int second) { return Clock::time_point(seconds(second)); }

void add(OutstandingRequests& requests, jute::OpCode op, int deadline) {
  requests.add(op, at(deadline), std::make_unique<NoCall>());
}

TEST(OutstandingRequests, RepliesMustComeInTheOrderOfTheRequests) {
  OutstandingRequests requests;
  add(requests, jute::OpCode::kSync, 5);
  add(requests, jute::OpCode::kGetData, 5);
  EXPECT_EQ(requests.next_xid(), 3);
  EXPECT_EQ(requests.take(2).error().message, "a reply with xid 2 where 1 is next");
  EXPECT_EQ(requests.take(1)->op, jute::OpCode::kSync);
  EXPECT_EQ(requests.take(2)->op, jute::OpCode::kGetData);
  EXPECT_EQ(requests.take(3).error().message, "a reply with xid 3 while none is awaited");
}

TEST(OutstandingRequests, AnOverdueRequestGivesItsCallAndKeepsItsPlace) {
  OutstandingRequests requests;
  add(requests, jute::OpCode::kSync, 5);
  add(requests, jute::OpCode::kGetData, 3);
  EXPECT_EQ(requests.earliest_deadline(), at(3));
  EXPECT_TRUE(requests.take_overdue(at(2)).empty());

  const auto overdue = requests.take_overdue(at(3));
  ASSERT_EQ(overdue.size(), 1U);
  EXPECT_EQ(overdue[0].op, jute::OpCode::kGetData);
  EXPECT_NE(overdue[0].call, nullptr);
  EXPECT_TRUE(requests.take_overdue(at(3)).empty());
  EXPECT_EQ(requests.earliest_deadline(), at(5));
  EXPECT_EQ(requests.size(), 2U);

  EXPECT_NE(requests.take(1)->call, nullptr);
  EXPECT_EQ(requests.take(2)->call, nullptr);
  EXPECT_EQ(requests.earliest_deadline(), Clock::time_point::max());
}

TEST(OutstandingRequests, WhatIsLeftIsTakenInOrderAndXidsGoOn) {
  OutstandingRequests requests;
  add(requests, jute::OpCode::kSync, 5);
  requests.add(jute::OpCode::kCloseSession, Clock::time_point::max(), nullptr);
  const auto all = requests.take_all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].op, jute::OpCode::kSync);
  EXPECT_EQ(all[1].op, jute::OpCode::kCloseSession);
  EXPECT_EQ(requests.size(), 0U);
  EXPECT_EQ(requests.next_xid(), 3);
}

}  // namespace
}  // namespace wk::client
