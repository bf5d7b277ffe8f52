#include "exporter/app/api_events.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;

std::vector<Event> four_events() {
  std::vector<Event> events;
  for (std::uint64_t id = 11; id <= 14; ++id)
    events.push_back({.id = id,
                      .at = sample::now(),
                      .type = EventType::kLeaderLost,
                      .severity = Severity::kCritical,
                      .ensemble = id % 2 ? "a" : "b",
                      .member = "",
                      .text = "gone",
                      .duration = std::nullopt});
  return events;
}

const Snapshot& snapshot() {
  static const Snapshot kSnapshot =
      sample::snapshot({sample::healthy_ensemble("a"), sample::healthy_ensemble("b")});
  return kSnapshot;
}

TEST(ApiEvents, QueryHasDefaults) {
  const auto query = parse_events_query({}, snapshot());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->after, 0u);
  EXPECT_EQ(query->limit, 100u);
  EXPECT_EQ(query->ensemble, "");
}

TEST(ApiEvents, BadQueriesNameTheParameter) {
  EXPECT_EQ(parse_events_query({{"limit", "0"}}, snapshot()).error().message,
            "parameter \"limit\": \"0\" is no whole number from 1 to 5000");
  EXPECT_EQ(parse_events_query({{"after", "-1"}}, snapshot()).error().message,
            "parameter \"after\": \"-1\" is no whole number from 0 to 18446744073709551615");
  EXPECT_EQ(parse_events_query({{"after", "1"}, {"after", "2"}}, snapshot()).error().message,
            "parameter \"after\" stands more than once; write it once");
  EXPECT_EQ(parse_events_query({{"ensemble", "c"}}, snapshot()).error().code, Errc::kNotFound);
}

TEST(ApiEvents, TheNewestStayWhenThereAreTooMany) {
  const Json json = events_document({.after = 10, .limit = 3, .ensemble = ""}, four_events(), snapshot());
  ASSERT_EQ(json["events"].size(), 3u);
  EXPECT_EQ(json["events"][0]["id"], 12);
  EXPECT_EQ(json["events"][2]["id"], 14);
  EXPECT_EQ(json["last_id"], 14);
  EXPECT_EQ(json["skipped"], 1);
  EXPECT_EQ(json["exporter_started"], "2026-11-21T22:38:21.250Z");
}

TEST(ApiEvents, OneEnsembleAloneKeepsTheCommonLastId) {
  const Json json = events_document({.after = 10, .limit = 100, .ensemble = "a"}, four_events(), snapshot());
  ASSERT_EQ(json["events"].size(), 2u);
  EXPECT_EQ(json["events"][1]["id"], 13);
  EXPECT_EQ(json["last_id"], 14);
}

TEST(ApiEvents, FieldsOfAnEvent) {
  auto events = four_events();
  events.resize(1);
  EXPECT_EQ(
      events_document({}, events, snapshot())["events"][0].dump(),
      R"({"id":11,"time":"2026-11-21T22:40:01.250Z","type":"leader_lost","severity":"critical","ensemble":"a",)"
      R"("member":null,"text":"gone","duration_seconds":null})");
  events[0].duration = 1500ms;
  events[0].member = "zk1:2181";
  const Json json = events_document({}, events, snapshot());
  EXPECT_EQ(json["events"][0]["duration_seconds"], 1.5);
  EXPECT_EQ(json["events"][0]["member"], "zk1:2181");
}

TEST(ApiEvents, NothingNewKeepsTheId) {
  const Json json = events_document({.after = 14, .limit = 100, .ensemble = ""}, {}, snapshot());
  EXPECT_EQ(json["events"].dump(), "[]");
  EXPECT_EQ(json["last_id"], 14);
}

}  // namespace
}  // namespace wk::exporter
