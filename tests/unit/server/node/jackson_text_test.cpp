// Layout against what Apache ZooKeeper 3.9.5 sent (tests/golden), byte for byte.
#include "server/node/jackson_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace wk::node {
namespace {

using exporter::Json;

/// The body of a captured answer.
std::string golden_body(const std::string& command) {
  const std::string path =
      std::string(WK_SOURCE_DIR) + "/tests/golden/apache-3.9.5/default-provider/adm." + command;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.substr(text.find("\r\n\r\n") + 4);
}

TEST(JacksonText, IsWhatTheAdminServerPrints) {
  for (const char* command :
       {"configuration", "connections", "dirs", "dump", "hash", "initial_configuration", "is_read_only",
        "last_snapshot", "observers", "ruok", "server_stats", "set_trace_mask", "stats", "voting_view",
        "watch_summary", "watches", "watches_by_path", "zabstate"}) {
    const std::string body = golden_body(command);
    EXPECT_EQ(jackson_text(Json::parse(body)), body) << command;
  }
}

TEST(JacksonText, EmptyThings) {
  EXPECT_EQ(jackson_text(Json::object()), "{ }");
  EXPECT_EQ(jackson_text({{"a", Json::object()}, {"b", Json::array()}}),
            "{\n  \"a\" : { },\n  \"b\" : [ ]\n}");
}

TEST(JacksonText, TextIsEscapedAndRepaired) {
  EXPECT_EQ(jackson_text({{"a\"\n", "\x01\\ \xff"}}), "{\n  \"a\\\"\\n\" : \"\\u0001\\\\ \uFFFD\"\n}");
}

}  // namespace
}  // namespace wk::node
