// The surveys over a real core: what stands out is found, in slices, and what is gone meanwhile does no harm.
#include "server/node/surveys.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/node/top_list.h"
#include "tests/unit/server/node/silent_owner.h"
#include "tests/unit/server/replica/member.h"

namespace wk::node {
namespace {

using jute::CreateMode;
using jute::OpCode;
using replica::Client;
using replica::Member;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::DoubleNear;
using testing::ElementsAre;

/// Walks until the walk is complete. \return  slices
int walk(Survey& survey, const Moment& now) {
  const auto before = survey.state().finished;
  int slices = 0;
  do {
    survey.slice(now);
    ++slices;
    if (slices > 10'000) ADD_FAILURE() << "the walk does not end";
  } while (slices <= 10'000 &&
           (!survey.state().finished || (before && survey.state().finished->steady == before->steady)));
  return slices;
}

class SurveysTest : public testing::Test {
 protected:
  SurveysTest() { member_.auto_sync = true; }
  Client& client() {
    clients_.push_back(std::make_unique<Client>(member_));
    return clients_.back()->open();
  }
  [[nodiscard]] const tree::DataTree& tree() const { return member_.replica.tree(); }

  Member member_;
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST(TopList, KeepsTheLargest) {
  TopList<std::string> top(3);
  EXPECT_FALSE(top.wants(0));
  for (std::uint64_t size : {5U, 1U, 9U, 3U, 7U, 9U})
    if (top.wants(size)) top.add(size, std::to_string(size));
  EXPECT_FALSE(top.wants(7));
  EXPECT_TRUE(top.wants(8));
  EXPECT_THAT(top.take(), ElementsAre("9", "9", "7"));
  EXPECT_TRUE(top.take().empty());
}

TEST_F(SurveysTest, FindLargeZnodesListsAndSubtrees) {
  Client& one = client();
  one.create("/large", std::string(5'000, 'x'));
  one.create("/wide");
  for (int i = 0; i < 40; ++i) one.create(fmt::format("/wide/child-{:02}", i));
  one.create("/deep");
  one.create("/deep/a");
  one.create("/deep/a/b", "12345");
  TreeSurvey survey(tree());
  EXPECT_EQ(survey.found().znodes.size(), 0U);
  walk(survey, member_.now);
  const TreeSurvey::Found& found = survey.found();
  EXPECT_EQ(found.znodes.front().path, "/large");
  EXPECT_EQ(found.znodes.front().bytes, 5'000U);
  EXPECT_EQ(found.child_lists.front().path, "/wide");
  EXPECT_EQ(found.child_lists.front().children, 40U);
  EXPECT_EQ(found.child_lists.front().reply_bytes, 4U + 40 * (4 + 8));
  EXPECT_EQ(found.subtrees.front().path, "/wide");
  EXPECT_EQ(found.subtrees.at(1).znodes, 2U);
  EXPECT_TRUE(found.contentions.empty());
}

TEST_F(SurveysTest, FindQueuesForALock) {
  Client& holder = client();
  holder.create("/lock");
  holder.create("/lock/x-lock-", "", CreateMode::kEphemeralSequential);
  const std::int64_t since_ms =
      std::chrono::duration_cast<milliseconds>(member_.now.wall.time_since_epoch()).count();
  member_.advance(seconds{1});
  for (int i = 0; i < 4; ++i) client().create("/lock/y-lock-", "", CreateMode::kEphemeralSequential);
  // These are no locks.
  holder.create("/queue");
  for (int i = 0; i < 5; ++i) holder.create("/queue/item-", "", CreateMode::kPersistentSequential);
  holder.create("/services");
  holder.create("/services/a", "", CreateMode::kEphemeral);
  holder.create("/services/b", "", CreateMode::kEphemeral);
  holder.create("/alone");
  holder.create("/alone/lock-", "", CreateMode::kEphemeralSequential);
  TreeSurvey survey(tree());
  walk(survey, member_.now);
  ASSERT_EQ(survey.found().contentions.size(), 1U);
  const exporter::Contention& lock = survey.found().contentions[0];
  EXPECT_EQ(lock.path, "/lock");
  EXPECT_EQ(lock.contenders, 5U);
  EXPECT_EQ(lock.holder, holder.session);
  EXPECT_EQ(lock.held_since.time_since_epoch(), milliseconds{since_ms});
}

TEST_F(SurveysTest, OfTheTreeGoInSlicesWhileItChanges) {
  Client& one = client();
  one.create("/n");
  for (int i = 0; i < 4'000; ++i) one.create(fmt::format("/n/{}", i));
  TreeSurvey survey(tree());
  survey.slice(member_.now);
  EXPECT_FALSE(survey.state().finished) << "4 000 znodes in one slice";
  for (int i = 0; i < 4'000; i += 2)
    ASSERT_EQ(one.outcome(OpCode::kDelete, jute::DeleteRequest{fmt::format("/n/{}", i), -1}),
              jute::ErrorCode::kOk);
  one.create("/late", std::string(50, 'x'));
  const int slices = walk(survey, member_.now);
  EXPECT_GE(slices, 2);
  EXPECT_LE(slices, 5);
  walk(survey, member_.now + seconds{10});
  EXPECT_EQ(survey.found().child_lists.front().children, 2'000U);
  EXPECT_EQ(survey.found().znodes.front().path, "/late");
}

TEST_F(SurveysTest, ALongListOfChildrenIsCountedFromItsBeginning) {
  Client& one = client();
  one.create("/long");
  for (int i = 0; i < 3'000; ++i) one.create("/long/l-", "", CreateMode::kEphemeralSequential);
  TreeSurvey survey(tree());
  walk(survey, member_.now);
  ASSERT_EQ(survey.found().contentions.size(), 1U);
  EXPECT_EQ(survey.found().contentions[0].contenders, 3'000U);
  EXPECT_EQ(survey.found().child_lists.front().reply_bytes, 4U + 3'000 * (4 + 12));
}

TEST_F(SurveysTest, FindTheLongestReplyAmongFewerChildrenWithLongNames) {
  Client& one = client();
  for (int parent = 0; parent < 20; ++parent) {
    const std::string path = fmt::format("/many-{}", parent);
    one.create(path);
    for (int child = 0; child < 30; ++child) one.create(fmt::format("{}/{}", path, child));
  }
  one.create("/few");
  for (int child = 0; child < 10; ++child) one.create(fmt::format("/few/{}{}", std::string(150, 'x'), child));
  TreeSurvey survey(tree());
  for (const auto& now : {member_.now, member_.now + seconds{10}}) {
    walk(survey, now);
    const auto& lists = survey.found().child_lists;
    ASSERT_EQ(lists.size(), 20U);
    EXPECT_EQ(lists.front().children, 30U);
    EXPECT_EQ(lists.back().path, "/few");
    EXPECT_EQ(lists.back().children, 10U);
    EXPECT_EQ(lists.back().reply_bytes, 4U + 10 * (4 + 151));
  }
}

TEST_F(SurveysTest, ASampleOfNamesDecidesOnlyWhoIsLookedAtClosely) {
  Client& one = client();
  one.create("/late");
  for (int child = 10; child < 60; ++child) one.create(fmt::format("/late/{}", child));
  const std::string name(200, 'x');
  for (int child = 0; child < 10; ++child) one.create(fmt::format("/late/{}{}", name, child));
  TreeSurvey survey(tree());
  walk(survey, member_.now);
  EXPECT_EQ(survey.found().child_lists.front().path, "/late");
  EXPECT_EQ(survey.found().child_lists.front().reply_bytes, 4U + 50 * (4 + 2) + 10 * (4 + 201));
}

TEST_F(SurveysTest, FindTheMostWatchedPaths) {
  client().create("/herd");
  clients_[0]->create("/quiet");
  for (int i = 0; i < 5; ++i) {
    Client& watcher = client();
    watcher.call(OpCode::kGetData, jute::ReadRequest{"/herd", true});
    if (i < 2) watcher.call(OpCode::kGetChildren, jute::ReadRequest{"/quiet", true});
  }
  WatchSurvey survey(member_.replica.watches());
  walk(survey, member_.now);
  ASSERT_EQ(survey.most_watched().size(), 2U);
  EXPECT_EQ(survey.most_watched()[0].path, "/herd");
  EXPECT_EQ(survey.most_watched()[0].kind, "data");
  EXPECT_EQ(survey.most_watched()[0].watchers, 5U);
  EXPECT_EQ(survey.most_watched()[1].path, "/quiet");
  EXPECT_EQ(survey.most_watched()[1].kind, "child");
  clients_[0]->call(OpCode::kSetData, jute::SetDataRequest{"/herd", "x", -1});
  walk(survey, member_.now + seconds{10});
  ASSERT_EQ(survey.most_watched().size(), 1U) << "the watches on /herd have fired";
}

TEST_F(SurveysTest, FindSessionsThatAreAboutToExpire) {
  Client& quiet = client();
  member_.advance(milliseconds{7'500});
  client();
  SessionSurvey survey(member_.replica);
  walk(survey, member_.now);
  EXPECT_THAT(survey.found().by_thirds, ElementsAre(1, 0, 1, 0));
  ASSERT_EQ(survey.found().quiet.size(), 1U);
  EXPECT_EQ(survey.found().quiet[0].session, quiet.session);
  EXPECT_EQ(survey.found().quiet[0].address, "127.0.0.1");
  EXPECT_EQ(survey.found().quiet[0].timeout, milliseconds{10'000});
  EXPECT_EQ(survey.found().quiet[0].silence, milliseconds{7'500});
}

TEST_F(SurveysTest, FindWhoAsksMost) {
  Client& busy = client();
  Client& lazy = client();
  busy.create("/a");
  boost::asio::io_context io;
  SilentOwner owner;
  const net::ClientPort port(io, {}, owner);
  ConnectionSurvey survey(member_.replica, port);
  member_.advance(seconds{5});
  walk(survey, member_.now);
  member_.now = member_.now + seconds{10};
  for (int i = 0; i < 100; ++i) busy.call(OpCode::kExists, jute::ReadRequest{"/a", false});
  lazy.call(OpCode::kExists, jute::ReadRequest{"/a", false});
  walk(survey, member_.now);
  const auto& talkers = survey.found().by_requests;
  ASSERT_EQ(talkers.size(), 2U);
  EXPECT_EQ(talkers[0].session, busy.session);
  EXPECT_THAT(talkers[0].requests_a_second, DoubleNear(10, 1e-9));
  EXPECT_EQ(talkers[1].session, lazy.session);
  EXPECT_THAT(talkers[1].requests_a_second, DoubleNear(0.1, 1e-9));
  // An exists of "/a" takes 19 bytes there and 88 back, length prefixes included.
  EXPECT_THAT(talkers[0].bytes_a_second, DoubleNear(10 * (19 + 88), 1e-6));
  EXPECT_EQ(survey.found().by_bytes.front().session, busy.session);
  EXPECT_EQ(survey.found().with_session, 2U);
  ASSERT_EQ(survey.found().busiest.size(), 2U);
  EXPECT_EQ(survey.found().busiest[0].session, busy.session);
  EXPECT_EQ(survey.found().busiest[0].received, 102U) << "its handshake, a create, and the rest";
  EXPECT_EQ(survey.found().busiest[0].last_operation, "EXIS");
  EXPECT_GT(survey.found().memory_bytes, 2 * sizeof(replica::Connection) - 1);
}

TEST_F(SurveysTest, AConnectionThatEndsDuringTheWalkDoesNoHarm) {
  for (int i = 0; i < 5; ++i) client();
  for (const std::size_t gone : {2U, 4U, 0U}) {
    member_.step(replica::ClientGone{clients_[gone]->connection});
    std::vector<std::uint64_t> ids;
    for (std::size_t place = 0; place < member_.replica.connections().size(); ++place)
      ids.push_back(member_.replica.connections().at(place).id.value);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
    EXPECT_FALSE(std::binary_search(ids.begin(), ids.end(), clients_[gone]->connection.value));
  }
  EXPECT_EQ(member_.replica.connections().size(), 2U);
}

TEST_F(SurveysTest, TellsTheLongestSliceAndAllTogether) {
  SessionSurvey survey(member_.replica);
  survey.note_slice(std::chrono::microseconds{30});
  survey.note_slice(std::chrono::microseconds{90});
  survey.note_slice(std::chrono::microseconds{40});
  EXPECT_EQ(survey.state().longest_slice, std::chrono::microseconds{90});
  EXPECT_EQ(survey.state().busy, std::chrono::microseconds{160});
}

TEST_F(SurveysTest, EachHasItsTurn) {
  boost::asio::io_context io;
  SilentOwner owner;
  const net::ClientPort port(io, {}, owner);
  Surveys surveys(member_.replica, port);
  for (int i = 0; i < 4; ++i) EXPECT_LE(surveys.slice(), Surveys::kPauseMost);
  EXPECT_TRUE(surveys.sessions().state().finished);
  EXPECT_TRUE(surveys.connections().state().finished);
  EXPECT_TRUE(surveys.watches().state().finished || surveys.znodes().state().finished);
  EXPECT_GT(surveys.sessions().state().busy.count(), 0);
}

}  // namespace
}  // namespace wk::node
