#include "exporter/app/chronicle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

std::vector<EnsembleSpec> specs() {
  std::vector<EnsembleSpec> list;
  for (const EnsembleView& view : {sample::healthy_ensemble("a"), sample::healthy_ensemble("b")}) {
    EnsembleSpec spec;
    spec.name = view.name;
    for (const MemberView& member : view.members) {
      TargetSpec target;
      target.name = member.name;
      spec.members.push_back(target);
    }
    list.push_back(spec);
  }
  return list;
}

class ChronicleTest : public ::testing::Test {
 protected:
  /// One row of both ensembles; b lost quorum.
  void append_rows() {
    b_.quorum_margin = -1;
    chronicle_.append_rows(std::vector<const EnsembleView*>{&a_, &b_}, sample::now());
  }

  static HistoryQuery query(std::chrono::seconds step) { return {step, sample::now().wall - 10s, {}}; }

  EnsembleView a_ = sample::healthy_ensemble("a");
  EnsembleView b_ = sample::healthy_ensemble("b");
  Chronicle chronicle_{specs(), sample::now()};
};

Event event(std::string text) {
  Event event;
  event.text = std::move(text);
  return event;
}

TEST_F(ChronicleTest, EventsGetIdsAndAreTaken) {
  std::vector<Event> events{event("one"), event("two")};
  chronicle_.append(events);
  EXPECT_TRUE(events.empty());
  chronicle_.publish({});
  events.push_back(event("three"));
  chronicle_.append(events);
  chronicle_.publish({});
  const auto after_one = chronicle_.events(1, 10);
  ASSERT_EQ(after_one.size(), 2u);
  EXPECT_EQ(after_one[0].id, 2u);
  EXPECT_EQ(after_one[0].text, "two");
  EXPECT_EQ(after_one[1].id, 3u);
}

TEST_F(ChronicleTest, EventsAreSeenWithTheSnapshotThatCountsThem) {
  chronicle_.publish({});
  std::vector<Event> events{event("one")};
  chronicle_.append(events);
  EXPECT_TRUE(chronicle_.events(0, 10).empty());
  chronicle_.publish({});
  EXPECT_EQ(chronicle_.events(0, 10).size(), 1u);
  chronicle_.publish({});
  EXPECT_EQ(chronicle_.events(0, 10).size(), 1u);
}

TEST_F(ChronicleTest, SnapshotsAreNumberedAndTellTheStart) {
  const auto publication = chronicle_.publication();
  EXPECT_EQ(publication->current(), nullptr);
  Snapshot next;
  next.exporter.samples_dropped = 7;
  next.ensembles = {a_};
  chronicle_.publish(next);
  chronicle_.publish(next);
  const auto current = publication->current();
  ASSERT_NE(current, nullptr);
  EXPECT_EQ(current->sequence, 2u);
  EXPECT_EQ(current->exporter.started.wall, sample::now().wall);
  EXPECT_EQ(current->exporter.samples_dropped, 7u);
  EXPECT_EQ(current->ensembles.front().name, "a");
}

TEST_F(ChronicleTest, SnapshotsCountTheEventsThatFellOut) {
  std::vector<Event> events(EventLog::kLimit + 3, event("x"));
  chronicle_.append(events);
  chronicle_.publish({});
  EXPECT_EQ(chronicle_.publication()->current()->exporter.events_dropped, 3u);
}

TEST_F(ChronicleTest, HistoryIsOfTheEnsembleAndMemberThatWasAskedFor) {
  append_rows();
  const auto margin = [&](const std::string& ensemble) {
    return chronicle_.history({ensemble, "", EnsembleSeries::kQuorumMargin}, query(1s))->points;
  };
  EXPECT_THAT(margin("a"), ElementsAre(std::optional(1.0F)));
  EXPECT_THAT(margin("b"), ElementsAre(std::optional(-1.0F)));
  const auto state = chronicle_.history({"a", a_.members[1].name, MemberSeries::kState}, query(1s));
  EXPECT_THAT(state->points, ElementsAre(std::optional(static_cast<float>(a_.members[1].state))));
}

TEST_F(ChronicleTest, WhatDoesNotExistIsAnError) {
  append_rows();
  const auto wrong_step = chronicle_.history({"a", "", EnsembleSeries::kServing}, query(5s));
  EXPECT_EQ(wrong_step.error().code, Errc::kInvalidInput);
  EXPECT_EQ(wrong_step.error().message, "no history has a step of 5 s; use 1, 10 or 60");
  const auto wrong_ensemble = chronicle_.history({"c", "", EnsembleSeries::kServing}, query(1s));
  EXPECT_EQ(wrong_ensemble.error().code, Errc::kNotFound);
  EXPECT_EQ(wrong_ensemble.error().message, "no ensemble is called c");
  const auto wrong_member = chronicle_.history({"a", "x:1", MemberSeries::kState}, query(1s));
  EXPECT_EQ(wrong_member.error().code, Errc::kNotFound);
  EXPECT_EQ(wrong_member.error().message, "ensemble a has no member x:1");
}

TEST_F(ChronicleTest, TheLatestRowIsThereOnceASecondHasPassed) {
  EXPECT_EQ(chronicle_.latest_row("a"), std::nullopt);
  append_rows();
  const auto row = chronicle_.latest_row("b");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->members.size(), b_.members.size());
  EXPECT_EQ(row->ensemble[static_cast<std::size_t>(EnsembleSeries::kQuorumMargin)], -1.0F);
  EXPECT_EQ(chronicle_.latest_row("c"), std::nullopt);
}

}  // namespace
}  // namespace wk::exporter
