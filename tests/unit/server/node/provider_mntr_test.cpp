// Against what Apache ZooKeeper 3.9.5 with the Prometheus provider printed (tests/golden).
#include "server/node/provider_mntr.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "exporter/model/zk_metric.h"

namespace wk::node {
namespace {

using exporter::Measurement;
using exporter::StatusAnswer;
using exporter::SummaryValue;

std::map<std::string, std::string> lines_of(std::istream& text) {
  std::map<std::string, std::string> lines;
  for (std::string line; std::getline(text, line);) {
    const std::size_t tab = line.rfind('\t');
    EXPECT_NE(tab, std::string::npos) << line;
    lines.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return lines;
}

/// As a member that has counted nothing yet: every metric of 3.9 that is no set, and no gauge of a quorum.
StatusAnswer nothing_counted() {
  static const std::set<std::string_view> kNotHere{
      "followers",         "last_proposal_size",          "leader_uptime",   "learners",
      "max_proposal_size", "min_proposal_size",           "pending_syncs",   "quorum_size",
      "synced_followers",  "synced_non_voting_followers", "synced_observers"};
  StatusAnswer status;
  for (const exporter::ZkMetric& metric : exporter::zk_metrics()) {
    if (exporter::is_set(metric.kind) || kNotHere.contains(metric.name)) continue;
    if (!exporter::is_summary(metric.kind)) {
      status.measurements.emplace_back(&metric, "", 0.0);
      continue;
    }
    SummaryValue empty;
    empty.count = empty.sum = empty.average = empty.minimum = empty.maximum = 0;
    status.measurements.emplace_back(&metric, "", empty);
  }
  return status;
}

TEST(ProviderMntr, NamesAndEmptyValuesAreApaches) {
  std::ifstream file(std::string(WK_SOURCE_DIR) + "/tests/golden/apache-3.9.5/prometheus-provider/mntr.1");
  ASSERT_TRUE(file);
  std::set<std::string> wanted;
  for (const auto& [name, value] : lines_of(file))
    if (!name.starts_with("zk_jvm_") || name.starts_with("zk_jvm_pause_time_ms")) wanted.insert(name);
  for (const char* of_a_follower : {"zk_peer_state", "zk_quorum_size", "zk_synced_observers"})
    EXPECT_EQ(wanted.erase(of_a_follower), 1U) << of_a_follower;
  // Namespaces of the captured server.
  std::erase_if(wanted, [](const std::string& name) { return name.find("key=\"") != std::string::npos; });

  exporter::ProcessStats process;
  process.cpu_seconds = process.start_time_seconds = 1.5;
  process.open_descriptors = process.descriptors_max = process.virtual_bytes = process.resident_bytes =
      10'000'000;
  std::istringstream text(
      provider_mntr_text("3.9.5-x, built on D", "standalone", nothing_counted(), process, Moment{}));
  const auto found = lines_of(text);
  std::set<std::string> names;
  for (const auto& [name, value] : found) names.insert(name);
  EXPECT_EQ(names, wanted);
  EXPECT_EQ(found.at("zk_version"), "3.9.5-x, built on D");
  EXPECT_EQ(found.at("zk_server_state"), "standalone");
  EXPECT_EQ(found.at("zk_znode_count"), "0.0");
  EXPECT_EQ(found.at("zk_fsynctime{quantile=\"0.5\"}"), "NaN");
  EXPECT_EQ(found.at("zk_readlatency{quantile=\"0.99\"}"), "NaN");
  EXPECT_EQ(found.at("zk_fsynctime_count"), "0.0");
  EXPECT_EQ(found.at("zk_process_cpu_seconds_total"), "1.5");
  EXPECT_EQ(found.at("zk_process_resident_memory_bytes"), "1.0E7");
}

TEST(ProviderMntr, ValuesAndKeys) {
  StatusAnswer status;
  SummaryValue traffic;
  traffic.count = 2;
  traffic.sum = 30;
  traffic.quantiles = {{0.5, 12}};
  SummaryValue latency = traffic;
  latency.quantiles = {{0.5, 1}, {0.9, 2}, {0.95, 3}, {0.99, 4}, {0.999, 5}};
  status.measurements = {Measurement(exporter::find_zk_metric("readlatency"), "", latency),
                         Measurement(exporter::find_zk_metric("write_per_namespace"), "a\"b", traffic),
                         Measurement(exporter::find_zk_metric("znode_count"), "", 222.0)};
  EXPECT_EQ(
      provider_mntr_text("V", "standalone", status, {}, Moment{}),
      "zk_version\tV\nzk_server_state\tstandalone\n"
      "zk_readlatency{quantile=\"0.5\"}\t1.0\nzk_readlatency{quantile=\"0.9\"}\t2.0\n"
      "zk_readlatency{quantile=\"0.99\"}\t4.0\nzk_readlatency_count\t2.0\nzk_readlatency_sum\t30.0\n"
      "zk_write_per_namespace{key=\"a\\\"b\",quantile=\"0.5\"}\t12.0\n"
      "zk_write_per_namespace_count{key=\"a\\\"b\"}\t2.0\nzk_write_per_namespace_sum{key=\"a\\\"b\"}\t30.0\n"
      "zk_znode_count\t222.0\n");
}

}  // namespace
}  // namespace wk::node
