#include "exporter/sources/mntr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/sources/status_builder.h"
#include "tests/unit/exporter/sources/golden.h"

namespace wk::exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kDefault = "apache-3.9.5/default-provider/";
const std::string kPrometheus = "apache-3.9.5/prometheus-provider/";

// A whole answer of a follower, with `line` in the middle.
std::string whole_answer_with(const std::string& line) {
  return "zk_version\t3.9.5-293c895a8d966a3ecb92872be4a1daf87d725da2, built on 2026-02-11 20:15 UTC\n"
         "zk_server_state\tfollower\n"
         "zk_approximate_data_size\t1\nzk_avg_latency\t0.5\nzk_ephemerals_count\t2\nzk_max_latency\t3\n"
         "zk_min_latency\t0\nzk_num_alive_connections\t4\n" +
         line +
         "\nzk_outstanding_requests\t5\nzk_packets_received\t6\nzk_packets_sent\t7\nzk_watch_count\t8\nzk_"
         "znode_count\t9\n";
}

std::vector<double> ranks(const SummaryValue& summary) {
  std::vector<double> result;
  for (const Quantile& quantile : summary.quantiles) result.push_back(quantile.rank);
  return result;
}

TEST(ParseMntr, LeaderOfApache395) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden(kDefault + "mntr.3")));
  EXPECT_EQ(answer.implementation, Implementation::kApache);
  EXPECT_EQ(answer.version, "3.9.5");
  EXPECT_EQ(answer.role, Role::kLeader);
  EXPECT_EQ(answer.phase, ZabPhase::kBroadcast);
  EXPECT_FALSE(answer.zxid.has_value());
  EXPECT_EQ(answer.dropped, 0U);
  EXPECT_THAT(answer.others, IsEmpty());
  EXPECT_EQ(answer.number("znode_count"), 222);
  EXPECT_EQ(answer.number("avg_latency"), 0.4645);
  EXPECT_EQ(answer.number("leader_uptime"), 39623);
  EXPECT_EQ(answer.number("synced_followers"), 2);
  EXPECT_EQ(answer.number("quorum_size"), 3);
  EXPECT_EQ(answer.number("commit_count"), 341);
  EXPECT_EQ(answer.number("followers"), std::nullopt);
  const SummaryValue* acks = answer.summary("quorum_ack_latency");
  ASSERT_NE(acks, nullptr);
  EXPECT_EQ(acks->count, 341);
  EXPECT_EQ(acks->sum, 162);
  EXPECT_EQ(acks->average, 0.4751);
  EXPECT_EQ(acks->maximum, 5);
  EXPECT_THAT(ranks(*acks), ElementsAre(0.5, 0.95, 0.99, 0.999));
  EXPECT_EQ(acks->quantiles[3].value, 5);
  const Measurement* queue = find(answer, "learner_handler_qp_size", "4");
  ASSERT_NE(queue, nullptr);
  EXPECT_EQ(queue->summary()->count, 384);
  const Measurement* quota = find(answer, "quota_bytes_limit_per_namespace", "app");
  ASSERT_NE(quota, nullptr);
  EXPECT_EQ(*quota->number(), 200000);
  const Measurement* writes = find(answer, "write_per_namespace", "zookeeper");
  ASSERT_NE(writes, nullptr);
  EXPECT_EQ(writes->summary()->sum, 368);
}

struct GoldenMntr {
  const char* path;
  Role role;
  double znodes;
  std::size_t measurements;
};
void PrintTo(const GoldenMntr& golden, std::ostream* out) { *out << golden.path; }

class EveryWholeMntr : public testing::TestWithParam<GoldenMntr> {};

TEST_P(EveryWholeMntr, HasNoUnknownNameAndNothingDropped) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden(GetParam().path)));
  EXPECT_EQ(answer.role, GetParam().role);
  EXPECT_EQ(answer.number("znode_count"), GetParam().znodes);
  EXPECT_THAT(unknown_names(answer), IsEmpty());
  EXPECT_EQ(answer.dropped, 0U);
  EXPECT_EQ(answer.measurements.size(), GetParam().measurements);
}

INSTANTIATE_TEST_SUITE_P(
    Golden, EveryWholeMntr,
    testing::Values(GoldenMntr{"apache-3.9.5/default-provider/mntr.1", Role::kFollower, 222, 150},
                    GoldenMntr{"apache-3.9.5/default-provider/mntr.2", Role::kFollower, 222, 149},
                    GoldenMntr{"apache-3.9.5/default-provider/mntr.3", Role::kLeader, 222, 164},
                    GoldenMntr{"apache-3.9.5/default-provider/mntr.standalone", Role::kStandalone, 5, 137},
                    GoldenMntr{"apache-3.9.5/prometheus-provider/mntr.1", Role::kFollower, 222, 151},
                    GoldenMntr{"apache-3.9.5/prometheus-provider/mntr.2", Role::kFollower, 222, 150},
                    GoldenMntr{"apache-3.9.5/prometheus-provider/mntr.3", Role::kLeader, 222, 164},
                    GoldenMntr{"apache-3.9.5/prometheus-provider/mntr.4", Role::kObserver, 222, 149},
                    GoldenMntr{"apache-3.8.0-debian/standalone.mntr", Role::kStandalone, 5, 132},
                    GoldenMntr{"apache-3.8.0-debian/follower.mntr", Role::kFollower, 5, 134},
                    GoldenMntr{"apache-3.8.0-debian/leader.mntr", Role::kLeader, 5, 144},
                    GoldenMntr{"apache-3.8.0-debian/observer.mntr", Role::kObserver, 5, 134}),
    [](const auto& each) {
      std::string name = each.param.path;
      for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      return name;
    });

TEST(ParseMntr, AnswerCutAtSixteenKibibytesIsTruncated) {
  const Parsed parsed = parse_mntr(golden(kDefault + "mntr.4"));
  EXPECT_EQ(parsed.state, SourceState::kTruncated);
  EXPECT_EQ(parsed.detail, "the answer ends within a line");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(parsed.answer));
}

TEST(ParseMntr, UnsampledSizesAreAbsentNotMinusOne) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden("apache-3.8.0-debian/leader.mntr")));
  EXPECT_EQ(answer.version, "3.8.0");
  EXPECT_EQ(answer.number("last_proposal_size"), std::nullopt);
  EXPECT_EQ(answer.number("min_client_response_size"), std::nullopt);
  EXPECT_EQ(answer.number("auth_failed_count"), 0);
}

TEST(ParseMntr, ObserverTellsItsMasterAmongTheOthers) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden("apache-3.8.0-debian/observer.mntr")));
  EXPECT_EQ(answer.phase, ZabPhase::kBroadcast);
  EXPECT_EQ(other(answer, "observer_master_id"), 2);
}

TEST(ParseMntr, PrometheusProvidersSpelling) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden(kPrometheus + "mntr.3")));
  const SummaryValue* load = answer.summary("startup_snap_load_time");
  ASSERT_NE(load, nullptr);
  EXPECT_EQ(load->count, 1);
  EXPECT_EQ(load->average, std::nullopt);
  ASSERT_EQ(load->quantiles.size(), 1U);
  EXPECT_EQ(load->quantiles[0].rank, 0.5);
  const SummaryValue* closing = answer.summary("socket_closing_time");
  ASSERT_NE(closing, nullptr);
  EXPECT_EQ(closing->count, 0);
  EXPECT_THAT(closing->quantiles, IsEmpty()) << "NaN is no sample";
  EXPECT_EQ(other(answer, "jvm_threads_current"), 60);
  EXPECT_EQ(find(answer, "quota_bytes_usage_per_namespace", "app")->key(), "app");
  EXPECT_EQ(answer.number("commit_count"), 341);
}

TEST(ParseMntr, FourteenPointFourKeys) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden("apache-3.4/mntr")));
  EXPECT_EQ(answer.version, "3.4.14");
  EXPECT_EQ(answer.role, Role::kLeader);
  EXPECT_EQ(answer.phase, ZabPhase::kUnknown);
  EXPECT_EQ(answer.number("followers"), 2);
  EXPECT_EQ(answer.number("fsync_threshold_exceed_count"), 3);
  EXPECT_EQ(answer.number("max_file_descriptor_count"), std::nullopt);
  EXPECT_THAT(answer.others, IsEmpty());
}

TEST(ParseMntr, ClickHouseKeeper) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden("clickhouse-keeper/mntr")));
  EXPECT_EQ(answer.implementation, Implementation::kClickHouseKeeper);
  EXPECT_EQ(answer.version, "21.11.1.1-prestable");
  EXPECT_EQ(answer.number("max_latency"), 3);
  EXPECT_EQ(answer.number("synced_followers"), 2);
  EXPECT_EQ(other(answer, "key_arena_size"), 4096);
}

TEST(ParseMntr, RaftKeeper) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(golden("raftkeeper/mntr")));
  EXPECT_EQ(answer.implementation, Implementation::kRaftKeeper);
  EXPECT_EQ(answer.version, "2.1.4");
  EXPECT_EQ(answer.role, Role::kFollower);
  const SummaryValue* reads = answer.summary("readlatency");
  ASSERT_NE(reads, nullptr);
  EXPECT_THAT(ranks(*reads), ElementsAre(0.5, 0.9, 0.99, 0.999));
  EXPECT_EQ(reads->quantiles[2].value, 8.5);
  EXPECT_EQ(reads->average, std::nullopt);
  EXPECT_EQ(answer.number("snap_count"), std::nullopt) << "it counts snapshots there, not learner syncs";
  EXPECT_EQ(other(answer, "snap_count"), 7);
  EXPECT_EQ(other(answer, "p99_push_request_queue_time_ms"), 1);
}

TEST(ParseMntr, StatesThatTheTextTells) {
  EXPECT_EQ(parse_mntr(golden("apache-3.8.0-debian/looking.mntr")).state, SourceState::kNotServing);
  EXPECT_EQ(parse_mntr(golden("apache-3.8.0-debian/denied.mntr")).state, SourceState::kNotWhitelisted);
  EXPECT_EQ(parse_mntr("This instance is not currently serving requests").state, SourceState::kNotServing);
  EXPECT_EQ(parse_mntr("").state, SourceState::kClosed);
  EXPECT_EQ(parse_mntr("SSH-2.0-OpenSSH_9.2\r\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse_mntr("z").state, SourceState::kTruncated);
}

TEST(ParseMntr, NullProviderPrintsTextsOnly) {
  const auto answer = answer_of<StatusAnswer>(
      parse_mntr("zk_version\t3.9.5-0123456789, built on x\nzk_server_state\tstandalone\n"));
  EXPECT_EQ(answer.role, Role::kStandalone);
  EXPECT_THAT(answer.measurements, IsEmpty());
}

TEST(ParseMntr, CutAtAnyByteIsNeverTakenForAWholeAnswer) {
  for (const std::string& path :
       {kDefault + "mntr.3", std::string("apache-3.4/mntr"), kPrometheus + "mntr.1"}) {
    const std::string text = golden(path);
    const auto whole = answer_of<StatusAnswer>(parse_mntr(text));
    for (std::size_t length = 0; length < text.size(); ++length) {
      const Parsed parsed = parse_mntr(std::string_view(text).substr(0, length));
      if (parsed.state != SourceState::kOk) {
        EXPECT_THAT(parsed.state, testing::AnyOf(SourceState::kTruncated, SourceState::kClosed))
            << path << " " << length;
        continue;
      }
      // Between two lines a cut may pass, as nothing shows it; then what is told must be whole and true.
      ASSERT_EQ(text[length - 1], '\n');
      const auto& cut = std::get<StatusAnswer>(parsed.answer);
      EXPECT_EQ(cut.role, whole.role);
      EXPECT_EQ(cut.version, whole.version);
      if (!cut.measurements.empty()) {
        EXPECT_EQ(cut.number("znode_count"), whole.number("znode_count"));
        EXPECT_EQ(cut.number("outstanding_requests"), whole.number("outstanding_requests"));
      }
      for (const Measurement& one : cut.measurements) {
        const SummaryValue* summary = one.summary();
        EXPECT_TRUE(summary == nullptr || (summary->count && summary->sum)) << one.metric->name;
      }
    }
  }
}

struct HostileKey {
  const char* name;  ///< of the test
  const char* line;
  const char* metric;
  const char* key;
};
void PrintTo(const HostileKey& hostile, std::ostream* out) { *out << hostile.metric; }

class SetKeys : public testing::TestWithParam<HostileKey> {};

TEST_P(SetKeys, AreFoundByTheLongestMetricNameAtTheEnd) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(whole_answer_with(GetParam().line)));
  EXPECT_EQ(answer.dropped, 0U);
  const Measurement* found = find(answer, GetParam().metric, GetParam().key);
  ASSERT_NE(found, nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, SetKeys,
    testing::Values(
        HostileKey{"a_quote", "zk_a\"b_quota_count_usage_per_namespace\t3", "quota_count_usage_per_namespace",
                   "a\"b"},
        HostileKey{"braces", "zk_a b{c,d}_quota_bytes_usage_per_namespace\t3",
                   "quota_bytes_usage_per_namespace", "a b{c,d}"},
        HostileKey{"two_metric_names",
                   "zk_quota_bytes_limit_per_namespace_quota_count_limit_per_namespace\t3",
                   "quota_count_limit_per_namespace", "quota_bytes_limit_per_namespace"},
        HostileKey{"an_underscore",
                   "zk_avg_x_y_write_per_namespace\t1.5\nzk_cnt_x_y_write_per_namespace\t2\nzk_sum_x_y_write_"
                   "per_namespace\t3",
                   "write_per_namespace", "x_y"},
        HostileKey{"a_metric_and_a_part",
                   "zk_avg_max_latency_read_per_namespace\t1\nzk_cnt_max_latency_read_per_namespace\t1\n"
                   "zk_sum_max_latency_read_per_namespace\t1",
                   "read_per_namespace", "max_latency"},
        HostileKey{"a_part_alone", "zk_avg_quota_exceeded_error_per_namespace\t4",
                   "quota_exceeded_error_per_namespace", "avg"},
        HostileKey{"a_server_id", "zk_cnt_2_ack_latency\t4\nzk_sum_2_ack_latency\t9", "ack_latency", "2"},
        HostileKey{
            "labels_with_a_quote",
            "zk_write_per_namespace_count{key=\"a\"b\"}\t4.0\nzk_write_per_namespace_sum{key=\"a\"b\"}\t9.0\n"
            "zk_write_per_namespace{key=\"a\"b\",quantile=\"0.5\"}\tNaN",
            "write_per_namespace", "a\"b"},
        HostileKey{"a_key_like_labels", "zk_quota_count_limit_per_namespace{key=\"x,quantile=\",y}\"}\t4.0",
                   "quota_count_limit_per_namespace", "x,quantile=\",y}"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ParseMntr, ServerIdsAreNumbers) {
  const auto answer = answer_of<StatusAnswer>(parse_mntr(whole_answer_with("zk_cnt_evil_ack_latency\t4")));
  EXPECT_EQ(find(answer, "ack_latency", "evil"), nullptr);
  EXPECT_EQ(other(answer, "cnt_evil_ack_latency"), 4);
}

TEST(ParseMntr, NumbersThatAreNoneLeaveTheValueAbsent) {
  const auto number = [](const std::string& line) {
    const auto answer = answer_of<StatusAnswer>(parse_mntr(whole_answer_with(line)));
    return std::pair(answer.number("quorum_size"), answer.dropped);
  };
  EXPECT_EQ(number("zk_quorum_size\t3.0"), std::pair(std::optional<double>(3), std::size_t{0}));
  EXPECT_EQ(number("zk_quorum_size\t1.0E-4"), std::pair(std::optional<double>(0.0001), std::size_t{0}));
  EXPECT_EQ(number("zk_quorum_size\tNaN"), std::pair(std::optional<double>(), std::size_t{0}));
  EXPECT_EQ(number("zk_quorum_size\tnull"), std::pair(std::optional<double>(), std::size_t{0}));
  EXPECT_EQ(number("zk_quorum_size\t-1"), std::pair(std::optional<double>(), std::size_t{0}));
  EXPECT_EQ(number("zk_quorum_size\t-7"), std::pair(std::optional<double>(), std::size_t{1}));
  EXPECT_EQ(number("zk_quorum_size\tInfinity"), std::pair(std::optional<double>(), std::size_t{1}));
  EXPECT_EQ(number("zk_quorum_size\t1e999"), std::pair(std::optional<double>(), std::size_t{1}));
  EXPECT_EQ(number("zk_quorum_size\t3 "), std::pair(std::optional<double>(), std::size_t{1}));
  EXPECT_EQ(number("zk_quorum_size\t"), std::pair(std::optional<double>(), std::size_t{1}));
  EXPECT_EQ(number("zk_quorum_size 3"), std::pair(std::optional<double>(), std::size_t{1}));
  EXPECT_EQ(number("zk_quorum_size\t+3"), std::pair(std::optional<double>(3), std::size_t{0}));
}

TEST(ParseMntr, ANegativeCoreGaugeIsAbsentAndTheRestIsKept) {
  std::string text = whole_answer_with("zk_quorum_size\t3");
  const std::string good = "zk_min_latency\t0\n";
  text.replace(text.find(good), good.size(), "zk_min_latency\t-1500\n");
  const auto answer = answer_of<StatusAnswer>(parse_mntr(text));
  EXPECT_EQ(answer.number("min_latency"), std::nullopt);
  EXPECT_EQ(answer.number("znode_count"), 9);
  EXPECT_EQ(answer.dropped, 1U);
  // Without the line the answer is not whole, whatever else was dropped.
  text.erase(text.find("zk_znode_count"));
  EXPECT_EQ(parse_mntr(text).state, SourceState::kTruncated);
}

TEST(ParseMntr, LimitsAreKeptAndCounted) {
  std::string lines;
  for (int i = 0; i < 100; ++i)
    lines += "zk_ns" + std::to_string(i) + "_quota_count_usage_per_namespace\t1\n";
  for (int i = 0; i < 300; ++i) lines += "zk_novelty_" + std::to_string(i) + "\t1\n";
  lines += "zk_" + std::string(300, 'k') + "_quota_count_usage_per_namespace\t1\n";
  lines += "zk_not a name\t1";
  const auto answer = answer_of<StatusAnswer>(parse_mntr(whole_answer_with(lines)));
  EXPECT_EQ(answer.others.size(), StatusBuilder::kOtherLimit);
  EXPECT_EQ(answer.measurements.size(), 11 + StatusBuilder::kNamespaceLimit);
  EXPECT_EQ(answer.dropped, 36U + 44U + 1U + 1U);
}

TEST(ParseMntr, MeasurementsAreBoundedAndSorted) {
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    for (const char* part : {"cnt", "sum"})
      lines += "zk_" + std::string(part) + "_" + std::to_string(i) + "_ack_latency\t1\n";
  const auto answer = answer_of<StatusAnswer>(parse_mntr(whole_answer_with(lines + "zk_quorum_size\t3")));
  // Six gauges stand before the flood, six behind it, and room is kept for those.
  EXPECT_EQ(answer.measurements.size(), StatusBuilder::kMeasurementLimit - zk_metrics().size() + 6);
  EXPECT_EQ(answer.number("quorum_size"), 3);
}

TEST(ParseMntr, KeysAreMadePrintable) {
  const auto answer = answer_of<StatusAnswer>(
      parse_mntr(whole_answer_with(std::string("zk_a\x01\xff\xC3\xA4_quota_count_usage_per_namespace\t3"))));
  EXPECT_NE(find(answer, "quota_count_usage_per_namespace", "a??\xC3\xA4"), nullptr);
}

}  // namespace
}  // namespace wk::exporter
