#include "exporter/app/landing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

std::string page(const Snapshot& snapshot, const BuildInfo& build = {"1.2.3", "abc", "gcc"}) {
  return std::string(landing_page(snapshot, build, 1s, sample::now()).body_text());
}

TEST(Landing, ShowsVerdictMembersAndLinks) {
  const std::string html = page(sample::snapshot({sample::healthy_ensemble("production")}));
  for (const char* part :
       {"<title>Watchkeeper: ok</title>", "<h2>production</h2>", "All 3 voters in sync; one may fail.",
        "3 of 3 voters in sync, 2 needed: margin 1.", "<td>zk2:2181</td>", "serving", "leader",
        "0 transactions", "href=\"/api/v1/safe-to-stop?member=zk1:2181&amp;ensemble=production\"",
        "href=\"/metrics\"", "href=\"/api/v1/status\"", "href=\"/readyz?verbose\"",
        "Version 1.2.3, revision abc.", "http-equiv=\"refresh\" content=\"5\"", "prefers-color-scheme: dark"})
    EXPECT_THAT(html, HasSubstr(part));
}

TEST(Landing, ShowsProblemsWithRemedies) {
  const std::string html = page(sample::snapshot({sample::dead_ensemble("a")}));
  for (const char* part :
       {"<title>Watchkeeper: critical</title>", "<b>quorum_lost</b> 0 of 3 voters in sync",
        "Cause: 3 members refuse connections", "Remedy: start the servers", "margin -2", "unknown"})
    EXPECT_THAT(html, HasSubstr(part));
}

TEST(Landing, EverythingFromOutsideIsEscaped) {
  const std::string evil = "<script>alert('1')</script>&\"";
  EnsembleView ensemble = sample::dead_ensemble(evil);
  ensemble.verdict = evil;
  ensemble.members[0].name = evil;
  ensemble.members[0].state_reason = evil;
  ensemble.members[0].safe_to_stop.reason = evil;
  ensemble.problems[0] = {evil, Severity::kCritical, evil, evil, evil, evil, {evil}};
  const std::string html = page(sample::snapshot({ensemble}), {evil, evil, evil});
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("alert('")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"));
}

TEST(Landing, EscapesEveryCharacterThatMatters) {
  EXPECT_EQ(html_escaped("a<b>&\"'\n\x7f"), "a&lt;b&gt;&amp;&quot;&#39;  ");
}

TEST(Landing, SaysWhenTheWatcherHangs) {
  const Snapshot snapshot = sample::snapshot({sample::healthy_ensemble("a")});
  const Response response = landing_page(snapshot, {"1", "2", "3"}, 1s, snapshot.taken + 60s);
  EXPECT_THAT(std::string(response.body_text()), HasSubstr("the newest snapshot is 60.0 s old"));
  EXPECT_THAT(std::string(response.body_text()), HasSubstr("<title>Watchkeeper: critical</title>"));
}

TEST(Landing, NothingIsLoadedFromElsewhere) {
  const Response response =
      landing_page(sample::snapshot({sample::healthy_ensemble("a")}), {}, 1s, sample::now());
  EXPECT_THAT(std::string(response.body_text()), Not(HasSubstr("://")));
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
}

}  // namespace
}  // namespace wk::exporter
