#include "server/config/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace wk::config {
namespace {

using Pair = std::pair<std::string, std::string>;

std::vector<Pair> pairs(const Environment& environment) {
  Diagnostics diagnostics;
  std::vector<Pair> found;
  for (const Override& one : overrides_from_environment(environment, diagnostics))
    found.emplace_back(one.key, one.value);
  return found;
}

TEST(Environment, VariablesOfTheOfficialImage) {
  EXPECT_THAT(pairs({{"ZOO_DATA_DIR", "/data"},
                     {"ZOO_TICK_TIME", "2000"},
                     {"ZOO_AUTOPURGE_PURGEINTERVAL", "24"},
                     {"ZOO_4LW_COMMANDS_WHITELIST", "srvr, ruok"},
                     {"ZOO_MAX_CLIENT_CNXNS", ""},
                     {"PATH", "/bin"}}),
              testing::UnorderedElementsAre(Pair{"dataDir", "/data"}, Pair{"tickTime", "2000"},
                                            Pair{"autopurge.purgeInterval", "24"},
                                            Pair{"4lw.commands.whitelist", "srvr, ruok"}));
}

TEST(Environment, ServersAndExtrasAreSeparatedByBlanks) {
  EXPECT_THAT(pairs({{"ZOO_SERVERS", "server.1=a:2888:3888;2181  server.2=b:2888:3888;2181"},
                     {"ZOO_CFG_EXTRA", "metricsProvider.httpPort=7070 snapCount=10"}}),
              testing::ElementsAre(Pair{"server.1", "a:2888:3888;2181"}, Pair{"server.2", "b:2888:3888;2181"},
                                   Pair{"metricsProvider.httpPort", "7070"}, Pair{"snapCount", "10"}));
}

TEST(Environment, AnyKeyWithUnderscoresForDots) {
  EXPECT_THAT(
      pairs({{"ZOO_CFG_autopurge_snapRetainCount", "5"},
             {"ZOO_CFG_connection_throttle_tokens", "9"},
             {"ZOO_CFG_unheard_of", "1"}}),
      testing::UnorderedElementsAre(Pair{"autopurge.snapRetainCount", "5"},
                                    Pair{"connection_throttle_tokens", "9"}, Pair{"unheard.of", "1"}));
}

TEST(Environment, TheIdOfTheServerIsAsWritten) {
  EXPECT_EQ(defaults_from_environment({{"ZOO_MY_ID", "7"}}).my_id, "7");
  EXPECT_EQ(defaults_from_environment({{"ZOO_MY_ID", ""}}).my_id, std::nullopt);
  EXPECT_EQ(defaults_from_environment({}).my_id, std::nullopt);
  EXPECT_EQ(defaults_from_environment({}).client_port, 2181);
  EXPECT_THAT(pairs({{"ZOO_MY_ID", "7"}}), testing::IsEmpty()) << "it is no key of zoo.cfg";
}

TEST(Environment, MistakesAreTold) {
  Diagnostics diagnostics;
  overrides_from_environment(
      {{"ZOO_CFG_EXTRA", "snapCount 10"}, {"ZOO_TICKTIME", "1"}, {"ZOO_LOG_DIR", "/l"}}, diagnostics);
  ASSERT_EQ(diagnostics.size(), 3U);
  EXPECT_EQ(
      diagnostics[0].to_string(),
      "environment variable ZOO_CFG_EXTRA: error: \"snapCount\" is not key=value; separate pairs by blanks, "
      "without blanks inside");
  EXPECT_EQ(diagnostics[2].to_string(),
            "environment: note: ZOO_TICKTIME: no such variable; it has no effect");
}

}  // namespace
}  // namespace wk::config
