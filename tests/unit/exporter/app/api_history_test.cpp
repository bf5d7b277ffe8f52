#include "exporter/app/api_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const Snapshot& snapshot() {
  static const Snapshot kSnapshot =
      sample::snapshot({sample::healthy_ensemble("a"), sample::healthy_ensemble("b")});
  return kSnapshot;
}

Result<HistoryQuery> parse(const Query& query) {
  return parse_history_query(query, snapshot(), sample::now());
}

TEST(ApiHistory, WithoutParametersEverythingOfTenMinutes) {
  const auto query = parse({});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->step, 1s);
  EXPECT_EQ(query->since, sample::now().wall - 600s);
  EXPECT_EQ(query->series.size(), 2 * (kEnsembleSeriesCount + 3 * kMemberSeriesCount));
}

TEST(ApiHistory, SelectsByEnsembleMemberAndSeries) {
  EXPECT_EQ(parse({{"ensemble", "a"}})->series.size(), kEnsembleSeriesCount + 3 * kMemberSeriesCount);
  EXPECT_EQ(parse({{"ensemble", "a"}, {"member", "zk1"}})->series.size(), kMemberSeriesCount);
  const std::string state = name(MemberSeries::kState);
  const std::string margin = name(EnsembleSeries::kQuorumMargin);
  const auto one = parse({{"ensemble", "a"}, {"member", "zk1"}, {"series", state}});
  ASSERT_EQ(one->series.size(), 1u);
  EXPECT_EQ(one->series[0].ensemble, "a");
  EXPECT_EQ(one->series[0].member, "zk1:2181");
  EXPECT_EQ(std::get<MemberSeries>(one->series[0].series), MemberSeries::kState);
  EXPECT_EQ(parse({{"series", state + "," + margin}})->series.size(), 8u);
  EXPECT_EQ(parse({{"series", state}, {"series", margin}})->series.size(), 8u);
}

TEST(ApiHistory, SinceIsRelativeOrAbsolute) {
  EXPECT_EQ(parse({{"since", "-60s"}})->since, sample::now().wall - 60s);
  EXPECT_EQ(parse({{"since", "-60"}})->since, sample::now().wall - 60s);
  EXPECT_EQ(parse({{"since", "1795300000"}})->since, std::chrono::system_clock::time_point(1'795'300'000s));
  for (const char* text : {"x", "--1", "60s", "1e9", "-", "99999999999999999999", "9999999999"})
    EXPECT_EQ(parse({{"since", text}}).error().code, Errc::kInvalidInput) << text;
  EXPECT_TRUE(parse({{"ensemble", "a"}, {"since", "-9000000000"}, {"step", "60"}}));
}

TEST(ApiHistory, BadQueriesNameTheParameterAndTheRemedy) {
  EXPECT_EQ(parse({{"step", "5"}}).error().message,
            "parameter \"step\": no history is kept in steps of 5 s; write 1, 10 or 60");
  EXPECT_THAT(
      parse({{"series", "quorum_margn"}}).error().message,
      HasSubstr("no series is called \"quorum_margn\"; did you mean \"quorum_margin\"?; known ones: "));
  EXPECT_EQ(parse({{"ensemble", "c"}}).error().code, Errc::kNotFound);
  EXPECT_EQ(parse({{"member", "zk1"}}).error().code, Errc::kInvalidInput);
  EXPECT_EQ(parse({{"member", "zk9"}}).error().code, Errc::kNotFound);
}

TEST(ApiHistory, AnswersAreBounded) {
  const Snapshot many = sample::snapshot({sample::unknown_ensemble("a", 100)});
  const auto refused = parse_history_query({}, many, sample::now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalidInput);
  EXPECT_THAT(refused.error().message,
              HasSubstr("1204 series of 601 points pass the limit of 250000 points"));
  EXPECT_TRUE(parse_history_query({{"since", "-60s"}}, many, sample::now()));
}

TEST(ApiHistory, GapsAreNull) {
  const auto query = parse({{"ensemble", "a"}, {"member", "zk1"}, {"series", name(MemberSeries::kState)}});
  const auto response =
      history_response(*query, [](const SeriesRequest&, const HistoryQuery& asked) -> Result<SeriesPoints> {
        return SeriesPoints{
            asked.since, asked.step, {1.0F, std::nullopt, 0.1F, std::numeric_limits<float>::quiet_NaN()}};
      });
  ASSERT_EQ(response.status, 200);
  const Json json = Json::parse(response.body_text());
  EXPECT_EQ(json["step"], 1);
  EXPECT_EQ(json["series"][0]["member"], "zk1:2181");
  EXPECT_EQ(json["series"][0]["first"], 1'795'300'201);
  EXPECT_EQ(json["series"][0]["points"].dump(), "[1,null,0.1,null]");
}

TEST(ApiHistory, NoPointsYet) {
  const auto query = parse({{"ensemble", "a"}, {"series", name(EnsembleSeries::kServing)}});
  const auto response = history_response(
      *query,
      [](const SeriesRequest&, const HistoryQuery&) -> Result<SeriesPoints> { return SeriesPoints{}; });
  const Json json = Json::parse(response.body_text());
  EXPECT_TRUE(json["series"][0]["first"].is_null());
  EXPECT_TRUE(json["series"][0]["member"].is_null());
  EXPECT_EQ(json["series"][0]["points"].dump(), "[]");
}

TEST(ApiHistory, AFailingSourceEndsIt) {
  const auto query = parse({});
  const auto response =
      history_response(*query, [](const SeriesRequest&, const HistoryQuery&) -> Result<SeriesPoints> {
        return Error{Errc::kNotFound, "gone"};
      });
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(Json::parse(response.body_text())["error"], "gone");
}

}  // namespace
}  // namespace wk::exporter
