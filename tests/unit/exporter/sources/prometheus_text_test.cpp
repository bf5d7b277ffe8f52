#include "exporter/sources/prometheus_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/sources/parse.h"
#include "tests/unit/exporter/sources/golden.h"

namespace wk::exporter {
namespace {

using testing::IsEmpty;

const std::string kMetrics = "apache-3.9.5/prometheus-provider/metrics.";

TEST(ParsePrometheusText, MembersOfApache395) {
  struct Member {
    const char* number;
    Role role;
    double uptime;
  };
  for (const auto& [number, role, uptime] :
       {Member{"1", Role::kFollower, 24483}, Member{"2", Role::kFollower, 24644},
        Member{"3", Role::kLeader, 24795}, Member{"4", Role::kObserver, 24980}}) {
    const auto answer = answer_of<StatusAnswer>(parse_prometheus_text(golden_body(kMetrics + number)));
    EXPECT_EQ(answer.role, role) << number;
    EXPECT_EQ(answer.number("uptime"), uptime);
    EXPECT_EQ(answer.number("znode_count"), 222);
    EXPECT_EQ(answer.implementation, Implementation::kApache);
    EXPECT_EQ(answer.version, "") << "the scrape does not tell it";
    EXPECT_THAT(unknown_names(answer), IsEmpty());
    EXPECT_EQ(answer.dropped, 0U);
    const Measurement* writes = find(answer, "write_per_namespace", "app");
    ASSERT_NE(writes, nullptr);
    EXPECT_EQ((*writes->summary()).sum, 69923);
    EXPECT_EQ((*writes->summary()).quantiles[0].value, 212);
    EXPECT_NE(other(answer, "process_open_fds"), std::nullopt);
  }
}

TEST(ParsePrometheusText, AReadOnlyMemberIsNotStandalone) {
  const auto role_of = [](double times_looking) {
    std::string text = golden_body(kMetrics + "1");
    for (const std::string name : {"quorum_size", "looking_count"}) {
      const auto begin = text.find("\n" + name + " ") + 1;
      text.erase(begin, text.find('\n', begin) + 1 - begin);
    }
    text += fmt::format("looking_count {}\n", times_looking);
    return answer_of<StatusAnswer>(parse_prometheus_text(text)).role;
  };
  EXPECT_EQ(role_of(2), Role::kReadOnly);
  EXPECT_EQ(role_of(0), Role::kStandalone);
}

TEST(ParsePrometheusText, MemberWithoutQuorumIsNotServing) {
  const Parsed parsed = parse_prometheus_text(golden_body(kMetrics + "looking"));
  EXPECT_EQ(parsed.state, SourceState::kNotServing);
  EXPECT_EQ(parsed.detail, "the gauges of a serving member are gone from the scrape");
}

TEST(ParsePrometheusText, OpenMetricsOf310) {
  const auto answer = answer_of<StatusAnswer>(parse_prometheus_text(golden("apache-3.10/metrics")));
  EXPECT_EQ(answer.role, Role::kLeader);
  EXPECT_EQ(answer.number("commit_count"), 341);
  EXPECT_EQ(answer.number("op_count_get_data"), 17);
  EXPECT_EQ(answer.number("op_count_total"), 99);
  EXPECT_EQ(answer.number("ttl_node_created_count"), 0);
  EXPECT_EQ(answer.summary("readlatency")->quantiles[1].rank, 0.95);
  EXPECT_THAT(unknown_names(answer), IsEmpty());
  EXPECT_EQ(answer.dropped, 0U);
}

TEST(ParsePrometheusText, ClickHouseKeeper) {
  const auto answer = answer_of<StatusAnswer>(parse_prometheus_text(golden("clickhouse-keeper/metrics")));
  EXPECT_EQ(answer.implementation, Implementation::kClickHouseKeeper);
  EXPECT_EQ(answer.role, Role::kLeader);
  EXPECT_EQ(answer.zxid, Zxid{36});
  EXPECT_EQ(answer.number("avg_latency"), 1.5);
  EXPECT_EQ(answer.number("num_alive_connections"), 1);
  EXPECT_EQ(answer.number("synced_followers"), 2);
  EXPECT_EQ(answer.number("uptime"), std::nullopt) << "age of the process, not of the role";
  EXPECT_EQ(other(answer, "ClickHouseProfileEvents_KeeperCommits"), 36);
  EXPECT_EQ(other(answer, "ClickHouseMetrics_Query"), std::nullopt);
}

TEST(ParsePrometheusText, ClickHouseKeeperWithoutRoleIsNotServing) {
  std::string text = golden("clickhouse-keeper/metrics");
  const auto at = text.find("_KeeperIsLeader 1");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 17, "_KeeperIsLeader 0");
  EXPECT_EQ(parse_prometheus_text(text).state, SourceState::kNotServing);
}

TEST(ParsePrometheusText, LabelsAreUnescapedAndOddFormsTolerated) {
  const std::string text =
      golden_body(kMetrics + "1") +
      "quota_count_limit_per_namespace { key = \"a\\\"b\\\\c\\nd\" , } 5 1700000000000 # {x=\"1\"} 2\r\n"
      "quota_count_usage_per_namespace{key=\"x{y}\"} 6\n"
      "broken{key=\"no end 7\n"
      "novelty 8\nnovelty_labelled{a=\"b\"} 9\nnot_a_number x\ninfinite +Inf\n";
  const auto answer = answer_of<StatusAnswer>(parse_prometheus_text(text));
  EXPECT_NE(find(answer, "quota_count_limit_per_namespace", "a\"b\\c?d"), nullptr);
  EXPECT_NE(find(answer, "quota_count_usage_per_namespace", "x{y}"), nullptr);
  EXPECT_EQ(other(answer, "novelty"), 8);
  EXPECT_EQ(answer.dropped, 4U);
}

TEST(ParsePrometheusText, CutAtAnyByteIsNeverTakenForAnotherStateOrRole) {
  const std::string text = golden_body(kMetrics + "3");
  for (std::size_t length = 1; length < text.size(); length += 7) {
    const Parsed parsed = parse_prometheus_text(std::string_view(text).substr(0, length));
    if (parsed.state == SourceState::kOk) {
      EXPECT_EQ(std::get<StatusAnswer>(parsed.answer).number("znode_count"), 222) << length;
      EXPECT_EQ(text[length - 1], '\n');
    }
  }
}

TEST(ParsePrometheusText, SomethingElse) {
  EXPECT_EQ(parse_prometheus_text("").state, SourceState::kMalformed);
  EXPECT_EQ(parse_prometheus_text("<html>").state, SourceState::kMalformed);
  EXPECT_EQ(parse_prometheus_text("node_load1 0.5\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse(Probe::kPrometheus, 404, "").state, SourceState::kHttpError);
}

TEST(Parse, ReachesEveryParser) {
  for (std::size_t i = 0; i < kProbeCount; ++i) {
    const auto probe = static_cast<Probe>(i);
    EXPECT_NE(parse(probe, 200, "\x01garbage\n").state, SourceState::kOk) << name(probe);
    EXPECT_GE(answer_limit(probe), std::size_t{1} << 20);
  }
  EXPECT_EQ(parse(Probe::kRuok, 0, "imok").state, SourceState::kOk);
  EXPECT_EQ(answer_limit(Probe::kCons), std::size_t{8} << 20);
}

}  // namespace
}  // namespace wk::exporter
