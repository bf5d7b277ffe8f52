#include "exporter/app/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "exporter/app/exposition_response.h"
#include "exporter/web/exposition.h"
#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

/// Routes over a fixed snapshot; what /probe brings can be set.
class RoutesTest : public ::testing::Test {
 protected:
  RoutesTest() {
    EnsembleView other = sample::healthy_ensemble("b/c.json");
    for (MemberView& member : other.members) member.name = "other-" + member.name;
    snapshot_ = std::make_shared<Snapshot>(sample::snapshot({sample::healthy_ensemble("a"), other}));
    auto publication = std::make_shared<Publication>();
    publication->publish(snapshot_);
    EnsembleSpec spec;
    spec.name = "a";
    TargetSpec target;
    target.name = "zk1:2181";
    target.host = "zk1";
    spec.members = {target};
    Observations observations;
    observations.publication = std::move(publication);
    observations.events = [](std::uint64_t after, std::size_t) {
      return std::vector<Event>{{.id = after + 1,
                                 .at = sample::now(),
                                 .type = EventType::kLeaderLost,
                                 .severity = Severity::kCritical,
                                 .ensemble = "a",
                                 .member = "",
                                 .text = "gone",
                                 .duration = std::nullopt}};
    };
    observations.history = [](const SeriesRequest&, const HistoryQuery& query) -> Result<SeriesPoints> {
      return SeriesPoints{query.since, query.step, {1.0F}};
    };
    observations.latest_row = [](const std::string&) { return std::optional<HistoryRow>(); };
    observations.probe = [this](const std::string& ensemble,
                                const TargetSpec& visited) -> Result<std::shared_ptr<const Snapshot>> {
      probed_ = ensemble + "/" + visited.name;
      return probe_answer_;
    };
    observations.http_stats = [] {
      HttpStats stats;
      stats.responses = {5, 0, 2, 1};
      stats.handler_failures = 3;
      stats.web_config_reloads = 6;
      stats.web_config_reload_failures = 4;
      return stats;
    };
    observations.now = [] { return sample::now(); };
    Settings settings;
    settings.probe = ProbePolicy::kListed;
    const Routes routes(std::move(observations), {spec}, settings);
    for (auto& [path, handler] : routes.exact()) handlers_[path] = handler;
    for (auto& [prefix, handler] : routes.prefixes()) prefixes_[prefix] = handler;
  }

  Response get(const std::string& path, std::multimap<std::string, std::string> query = {},
               std::vector<std::pair<std::string, std::string>> headers = {}) {
    return handlers_.at(path)({"GET", path, std::move(query), std::move(headers), "127.0.0.1", {}});
  }

  /// Below /ensemble/.
  Response below(std::vector<std::string> segments, std::multimap<std::string, std::string> query = {}) {
    segments.insert(segments.begin(), "ensemble");
    return prefixes_.at("/ensemble/")(
        {"GET", "/ensemble/…", std::move(query), {}, "127.0.0.1", std::move(segments)});
  }

  Json table(std::vector<std::string> segments) {
    const Response response = below(std::move(segments));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    return Json::parse(response.body_text());
  }

  std::shared_ptr<const Snapshot> snapshot_;
  Result<std::shared_ptr<const Snapshot>> probe_answer_ = Error{Errc::kTooLarge, "too many probes"};
  std::string probed_;
  std::map<std::string, Handler> handlers_;
  std::map<std::string, Handler> prefixes_;
};

TEST_F(RoutesTest, MetricsHoldAllFamiliesThatAreOn) {
  const Response response = get("/metrics");
  const std::string text(response.body_text());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, content_type(ExpositionFormat::kText004));
  EXPECT_THAT(text, HasSubstr("\nwatchkeeper_ensemble_quorum_margin{ensemble=\"a\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nzk_up{"));
  EXPECT_THAT(text, HasSubstr("\nwatchkeeper_build_info{"));
  EXPECT_THAT(text, HasSubstr("watchkeeper_exporter_http_requests_total{code_class=\"2xx\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("watchkeeper_exporter_http_requests_total{code_class=\"5xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("watchkeeper_exporter_handler_failures_total 3\n"));
  EXPECT_THAT(text, HasSubstr("watchkeeper_exporter_web_config_reloads_total{result=\"ok\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("watchkeeper_exporter_web_config_reloads_total{result=\"failed\"} 4\n"));
}

TEST_F(RoutesTest, MetricsCanBeChosenByTheNamesOfSamples) {
  const Response response = get("/metrics", {{"name[]", "watchkeeper_ensemble_quorum_margin"},
                                             {"name[]", "process_cpu_seconds_total"}});
  const std::string text(response.body_text());
  EXPECT_THAT(text, HasSubstr("\nwatchkeeper_ensemble_quorum_margin{ensemble=\"a\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nprocess_cpu_seconds_total "));
  EXPECT_THAT(text, Not(HasSubstr("watchkeeper_ensemble_voters")));
  EXPECT_THAT(text, Not(HasSubstr("zk_up")));
  EXPECT_TRUE(has_sample_of("fsynctime", {"fsynctime_sum"}));
  EXPECT_TRUE(has_sample_of("fsynctime", {"x", "fsynctime"}));
  EXPECT_FALSE(has_sample_of("fsynctime", {"fsynctime_summary", "fsync"}));
  EXPECT_TRUE(has_sample_of("fsynctime", {}));
}

TEST_F(RoutesTest, MetricsCanBeNarrowed) {
  const Response response = get("/metrics", {{"family", "zk"}});
  const std::string text(response.body_text());
  EXPECT_THAT(text, HasSubstr("\nzk_up{"));
  EXPECT_THAT(text, Not(HasSubstr("watchkeeper_")));
  EXPECT_EQ(get("/metrics", {{"family", "nope"}}).status, 400);
}

TEST_F(RoutesTest, MetricsSpeakOpenMetrics) {
  const Response response = get("/metrics", {}, {{"Accept", "application/openmetrics-text;version=1.0.0"}});
  EXPECT_EQ(response.content_type, content_type(ExpositionFormat::kOpenMetrics100));
  EXPECT_TRUE(response.body_text().ends_with("# EOF\n"));
}

TEST_F(RoutesTest, ProbeShowsTheMemberAndNoEnsemble) {
  probe_answer_ = snapshot_;
  const Response response = get("/probe", {{"target", "zk1"}});
  const std::string text(response.body_text());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(probed_, "a/zk1:2181");
  EXPECT_THAT(text, HasSubstr("\nwatchkeeper_probe_success 1\n"));
  EXPECT_THAT(text, HasSubstr("\nwatchkeeper_probe_duration_seconds 0\n"));
  EXPECT_THAT(text, HasSubstr("watchkeeper_member_serving_state{"));
  EXPECT_THAT(text, Not(HasSubstr("watchkeeper_ensemble_")));
  EXPECT_THAT(text, Not(HasSubstr("watchkeeper_exporter_")));
}

TEST_F(RoutesTest, ProbeOfADeadTargetIs200WithoutSuccess) {
  probe_answer_ = std::make_shared<const Snapshot>(sample::snapshot({sample::dead_ensemble("a")}));
  const Response response = get("/probe", {{"target", "zk1"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(std::string(response.body_text()), HasSubstr("\nwatchkeeper_probe_success 0\n"));
}

TEST_F(RoutesTest, ProbeErrorsHaveTheirStatus) {
  EXPECT_EQ(get("/probe").status, 400);
  EXPECT_EQ(get("/probe", {{"target", "zk9"}}).status, 403);
  EXPECT_EQ(probed_, "");
  EXPECT_EQ(get("/probe", {{"target", "zk1"}}).status, 503);
}

TEST_F(RoutesTest, TheApiAnswersJson) {
  for (const char* path : {"/api/v1/status", "/api/v1/members", "/api/v1/events", "/api/v1/history"}) {
    const Response response = get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.content_type, "application/json") << path;
    EXPECT_TRUE(Json::accept(response.body_text())) << path;
  }
  EXPECT_EQ(Json::parse(get("/api/v1/members", {{"member", "zk2"}}).body_text())["members"].size(), 1u);
  EXPECT_EQ(Json::parse(get("/api/v1/members", {{"ensemble", "a"}}).body_text())["members"].size(), 3u);
  EXPECT_EQ(Json::parse(get("/api/v1/events", {{"after", "7"}}).body_text())["last_id"], 8);
}

TEST_F(RoutesTest, ApiErrorsAreJsonWithTheirStatus) {
  for (const auto& [path, query, status] :
       std::vector<std::tuple<std::string, Query, int>>{{"/api/v1/members", {{"member", "zk9"}}, 404},
                                                        {"/api/v1/members", {{"ensemble", "x"}}, 404},
                                                        {"/api/v1/events", {{"limit", "x"}}, 400},
                                                        {"/api/v1/history", {{"step", "7"}}, 400},
                                                        {"/api/v1/safe-to-stop", {}, 400},
                                                        {"/api/v1/safe-to-stop", {{"member", "zk9"}}, 404}}) {
    const Response response = get(path, query);
    EXPECT_EQ(response.status, status) << path;
    EXPECT_FALSE(Json::parse(response.body_text())["error"].get<std::string>().empty()) << path;
  }
}

TEST_F(RoutesTest, ThePageIsTheSameDocumentUnderAllItsUrls) {
  const std::string page(get("/").body_text());
  EXPECT_THAT(page, HasSubstr("<!doctype html>"));
  EXPECT_EQ(get("/ensembles").body_text(), page);
  for (const auto& segments : std::vector<std::vector<std::string>>{
           {"a"}, {"a", ""}, {"a", "members"}, {"a", "events"}, {"b/c.json"}, {"b/c.json", "sources"}}) {
    const Response response = below(segments);
    EXPECT_EQ(response.status, 200) << ::testing::PrintToString(segments);
    EXPECT_EQ(response.body_text(), page);
  }
}

TEST_F(RoutesTest, EveryTableHasItsJson) {
  EXPECT_EQ(Json::parse(get("/ensembles.json").body_text())["ensembles"].size(), 2u);
  EXPECT_EQ(table({"a.json"})["ensemble"]["name"], "a");
  EXPECT_EQ(table({"a", "members.json"})["members"].size(), 3u);
  EXPECT_EQ(table({"b/c.json", "members.json"})["ensemble"], "b/c.json");
  EXPECT_EQ(table({"a", "connections.json"})["addresses"], Json::array());
  EXPECT_EQ(table({"a", "configuration.json"})["keys"], Json::array());
  EXPECT_EQ(table({"a", "sources.json"})["sources"].size(), 3u);
  EXPECT_EQ(table({"a", "events.json"})["events"][0]["id"], 1);
  EXPECT_EQ(table({"a", "inside.json"})["ensemble"], "a");
  EXPECT_EQ(table({"a", "inside.json"})["members"], Json::array()) << "a sidecar knows nobody's inside";
  EXPECT_EQ(
      Json::parse(below({"a", "events.json"}, {{"after", "7"}, {"ensemble", "zz"}}).body_text())["last_id"],
      8);
  EXPECT_EQ(below({"a", "events.json"}, {{"limit", "0"}}).status, 400);
}

TEST_F(RoutesTest, UnknownPagesAre404InTheirOwnForm) {
  for (const auto& segments : std::vector<std::vector<std::string>>{{"x"},
                                                                    {"x", "members"},
                                                                    {"a", "nope"},
                                                                    {""},
                                                                    {"<script>"},
                                                                    {std::string(10'000, 'a')},
                                                                    {"\xff"}}) {
    const Response response = below(segments);
    EXPECT_EQ(response.status, 404) << ::testing::PrintToString(segments).substr(0, 100);
    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    EXPECT_THAT(std::string(response.body_text()), Not(HasSubstr("<script>")));
    EXPECT_LT(response.body_text().size(), 4096u);
  }
  for (const auto& segments : std::vector<std::vector<std::string>>{
           {"x.json"}, {"x", "members.json"}, {"a", "nope.json"}, {".json"}}) {
    const Response response = below(segments);
    EXPECT_EQ(response.status, 404) << ::testing::PrintToString(segments);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_FALSE(Json::parse(response.body_text())["error"].get<std::string>().empty());
  }
  EXPECT_EQ(Json::parse(below({"x.json"}).body_text())["error"],
            "no ensemble is called \"x\"; known ones: a, b/c.json");
}

TEST_F(RoutesTest, TheStreamIsThere) {
  const Response response = get("/api/v1/stream", {{"ensemble", "a"}});
  EXPECT_EQ(response.status, 200);
  ASSERT_NE(response.body_stream(), nullptr);
  EXPECT_EQ(*response.body_stream()->next(), "retry: 1000\n\n");
  EXPECT_EQ(get("/api/v1/stream", {{"ensemble", "x"}}).status, 404);
}

TEST_F(RoutesTest, Health) {
  EXPECT_EQ(get("/livez").status, 200);
  EXPECT_EQ(get("/readyz").body_text(), "ready\n");
  EXPECT_THAT(std::string(get("/readyz", {{"verbose", ""}}).body_text()), HasSubstr("visited 7 times"));
  EXPECT_EQ(get("/api/v1/safe-to-stop", {{"member", "zk1"}}).status, 200);
}

}  // namespace
}  // namespace wk::exporter
