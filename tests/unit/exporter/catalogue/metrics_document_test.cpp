#include "exporter/catalogue/metrics_document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "exporter/catalogue/catalogue.h"

namespace wk::exporter {
namespace {

TEST(MetricsDocument, IsWhatStandsInDocs) {
  std::ifstream in(WK_SOURCE_DIR "/docs/METRICS.md", std::ios::binary);
  ASSERT_TRUE(in.is_open());
  const std::string file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(file == metrics_document()) << "run: wk_catalogue_dump > docs/METRICS.md";
}

TEST(MetricsDocument, NamesEveryNativeAndExporterRow) {
  const auto document = metrics_document();
  for (const auto table : {native_catalogue(), exporter_catalogue(), zookeeper39_catalogue()})
    for (const auto& row : table)
      EXPECT_NE(document.find("`" + row.name + "`"), std::string::npos) << row.name;
}

TEST(MetricsDocument, NamesListHasOneLineARow) {
  const auto names = metrics_names();
  const auto rows = native_catalogue().size() + exporter_catalogue().size() + zk_catalogue().size() +
                    zookeeper39_catalogue().size();
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(names, '\n')), rows);
  EXPECT_EQ(names.rfind("watchkeeper_ensemble_serving gauge native\n", 0), 0U);
  EXPECT_NE(names.find("\nwatchkeeper_member_read_latency_seconds summary native\n"), std::string::npos);
  EXPECT_NE(names.find("\nprocess_open_fds gauge exporter\n"), std::string::npos);
  EXPECT_NE(names.find("\nzk_avg_<sid>_ack_latency gauge zk\n"), std::string::npos);
  EXPECT_NE(names.find("\ncommit_count counter zookeeper39\n"), std::string::npos);
}

}  // namespace
}  // namespace wk::exporter
