#include "server/config/ensemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/config/load.h"

namespace wk::config {
namespace {

using testing::HasSubstr;

const std::string kBase = "dataDir=/d\ntickTime=2000\ninitLimit=5\nsyncLimit=2\n";
const std::string kThree = "server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n";

Loaded load_with(const std::string& text, std::map<std::string, std::string> others = {{"/d/myid", "1\n"}}) {
  others["zoo.cfg"] = text;
  return load({"zoo.cfg", {}, false}, [others](const std::string& path) -> Result<std::string> {
    const auto found = others.find(path);
    if (found == others.end()) return Error{Errc::kNotFound, "no such file"};
    return found->second;
  });
}

std::vector<std::string> lines(const Loaded& loaded, Severity severity) {
  std::vector<std::string> found;
  for (const Diagnostic& diagnostic : loaded.diagnostics)
    if (diagnostic.severity == severity) found.push_back(diagnostic.to_string());
  return found;
}

TEST(Ensemble, ThreeServersAreDistributed) {
  const Loaded loaded = load_with(kBase + kThree + "clientPort=2181\n");
  ASSERT_TRUE(loaded.config) << lines(loaded, Severity::kError).front();
  EXPECT_TRUE(loaded.config->distributed);
  EXPECT_EQ(loaded.config->my_id, ServerId{1});
  ASSERT_EQ(loaded.config->ensemble.servers.size(), 3U);
  EXPECT_EQ(loaded.config->ensemble.servers[2].addresses[0].host, "c");
  EXPECT_TRUE(loaded.diagnostics.empty()) << loaded.diagnostics.front().to_string();
}

TEST(Ensemble, BlanksAroundMyIdAreForgiven) {
  const Loaded loaded = load_with(kBase + kThree + "clientPort=1\n", {{"/d/myid", " 2 \r\nrest"}});
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->my_id, ServerId{2});
}

TEST(Ensemble, ClientAddressComesFromTheServerLine) {
  const Loaded loaded =
      load_with(kBase + "server.1=a:1:2;127.0.0.1:2191\nserver.2=b:1:2;2192\nserver.3=c:1:2;2193\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->client, (ListenAddress{"127.0.0.1", 2191}));
}

TEST(Ensemble, OneServerRunsStandaloneWithAWarning) {
  const Loaded loaded = load_with(kBase + "server.1=localhost:2888:3888;2181\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_FALSE(loaded.config->distributed);
  EXPECT_EQ(loaded.config->client, (ListenAddress{"", 2181}));
  EXPECT_THAT(lines(loaded, Severity::kWarning), testing::Contains(HasSubstr("only one server specified")));
}

TEST(Ensemble, WithoutMyIdTheClientPortOfTheOnlyServerIsNotUsedAndThatIsTold) {
  const Loaded loaded = load_with(kBase + "server.1=localhost:2888:3888;32199\n", {});
  ASSERT_TRUE(loaded.config);
  EXPECT_FALSE(loaded.config->client);
  EXPECT_THAT(
      lines(loaded, Severity::kWarning),
      testing::Contains("/d/myid: warning: cannot be read, so the client port 32199 of the line "
                        "server.1 is not used, as in Apache ZooKeeper (no such file); write 1 into it, "
                        "or set clientPort"));
  EXPECT_THAT(lines(loaded, Severity::kWarning), testing::Contains(HasSubstr("no client can connect")));
  EXPECT_THAT(
      lines(load_with(kBase + "clientPort=5\nserver.1=localhost:2888:3888;5\n", {}), Severity::kWarning),
      testing::Not(testing::Contains(HasSubstr("cannot be read"))));
}

// ---------------------------------------------------------------------------------------------------------------
// In a container, as the entry point of the official image decides

/// \param my_id  of the variable; \param file  content of the myid file, where there is one
Loaded load_in_container(const std::string& text, std::optional<std::string> my_id,
                         const std::optional<std::string>& file = std::nullopt) {
  LoadRequest request{"zoo.cfg", {}, false};
  request.container = ContainerDefaults{};
  request.container->my_id = std::move(my_id);
  return load(request, [&](const std::string& path) -> Result<std::string> {
    if (path == "zoo.cfg") return kBase + text;
    if (path == "/d/myid" && file) return *file;
    return Error{Errc::kNotFound, "no such file"};
  });
}

TEST(Container, TheVariableIsTheIdWhereThereIsNoFile) {
  const std::string line = "server.3=localhost:2888:3888;32199\n";
  const Loaded loaded = load_in_container(line, "3");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->client, (ListenAddress{"", 32199}));
  // Not set, it is 1.
  EXPECT_EQ(load_in_container("server.1=localhost:2888:3888;32199\n", std::nullopt).config->client,
            (ListenAddress{"", 32199}));
  const Loaded another = load_in_container(line, std::nullopt);
  ASSERT_TRUE(another.config);
  EXPECT_EQ(another.config->client, (ListenAddress{"", 2181}));
  EXPECT_THAT(
      lines(another, Severity::kWarning),
      testing::Contains("environment variable ZOO_MY_ID: warning: the number is 1, and the only server "
                        "line is server.3: its client port is not used; write the same number into "
                        "both"));
}

TEST(Container, TheVariableIsTheIdOfAMember) {
  const Loaded loaded = load_in_container(kThree + "clientPort=1\n", "2");
  ASSERT_TRUE(loaded.config) << lines(loaded, Severity::kError).front();
  EXPECT_EQ(loaded.config->my_id, ServerId{2});
}

TEST(Container, TheFileWinsAndADifferenceIsTold) {
  const std::string line = "server.1=localhost:2888:3888;32199\n";
  const Loaded loaded = load_in_container(line, "2", "1\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->client, (ListenAddress{"", 32199}));
  EXPECT_THAT(
      lines(loaded, Severity::kWarning),
      testing::Contains("environment variable ZOO_MY_ID: warning: it is \"2\", and /d/myid says 1, which "
                        "counts; make both the same, or give this server another data folder"));
  for (const auto& same : {std::optional<std::string>("1"), std::optional<std::string>()})
    EXPECT_THAT(lines(load_in_container(line, same, "1\n"), Severity::kWarning),
                testing::Not(testing::Contains(HasSubstr("ZOO_MY_ID"))));
}

TEST(Container, AnIdThatIsNoNumberIsRefused) {
  const Loaded loaded = load_in_container("", "one");
  EXPECT_EQ(exit_code(loaded.diagnostics), 2);
  EXPECT_THAT(
      lines(loaded, Severity::kError),
      testing::ElementsAre("environment variable ZOO_MY_ID: error: \"one\" is not a number; write the N "
                           "of this server's server.N line"));
}

TEST(Container, WithoutAnyClientPortItIsTheImages) {
  for (const std::string& text : {std::string(), std::string("server.1=localhost:2888:3888\n")}) {
    const Loaded loaded = load_in_container(text, std::nullopt);
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->client, (ListenAddress{"", 2181}));
    EXPECT_THAT(lines(loaded, Severity::kNote),
                testing::Contains("environment: note: clientPort: not set; 2181 is used, as in the container "
                                  "image"));
    EXPECT_THAT(lines(loaded, Severity::kWarning),
                testing::Not(testing::Contains(HasSubstr("no client can connect"))));
  }
  EXPECT_EQ(load_in_container("clientPort=7\n", "1").config->client, (ListenAddress{"", 7}));
  EXPECT_FALSE(load_in_container("clientPort=70000\n", "1").config);
}

TEST(Ensemble, TheAddressOfTheServerLineIsUsedWhereZooCfgHasOnlyThePort) {
  const std::string text = kBase + "clientPort=2181\nserver.1=h:2888:3888;127.0.0.1:2181\n";
  const Loaded loaded = load_with(text);
  ASSERT_TRUE(loaded.config) << lines(loaded, Severity::kError).front();
  EXPECT_EQ(loaded.config->client, (ListenAddress{"127.0.0.1", 2181}));
  for (const char* host : {"0.0.0.0", "::", "127.0.0.1", "localhost"}) {
    const Loaded both = load_with(text + "clientPortAddress=" + host + "\n");
    ASSERT_TRUE(both.config) << host << ": " << lines(both, Severity::kError).front();
    EXPECT_EQ(both.config->client, (ListenAddress{"127.0.0.1", 2181})) << host;
  }
}

TEST(Ensemble, TheClientAddressOfAnotherServerIsNotUsed) {
  const Loaded loaded = load_with(kBase + "server.1=localhost:2888:3888;2181\n", {{"/d/myid", "2\n"}});
  ASSERT_TRUE(loaded.config);
  EXPECT_FALSE(loaded.config->client);
  const std::vector<std::string> warnings = lines(loaded, Severity::kWarning);
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("/d/myid:1: warning: the number is 2, and the only")));
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("no client can connect")));
}

TEST(Ensemble, OneServerIsAnEnsembleWhenStandaloneIsDisabled) {
  const Loaded loaded = load_with(kBase + "standaloneEnabled=false\nserver.1=localhost:2888:3888;2181\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_TRUE(loaded.config->distributed);
}

TEST(Ensemble, SizesThatTolerateLessAreTold) {
  EXPECT_THAT(lines(load_with(kBase + "clientPort=1\nserver.1=a:1:2\nserver.2=b:1:2\n"), Severity::kWarning),
              testing::ElementsAre(HasSubstr("No server failure will be tolerated")));
  EXPECT_THAT(lines(load_with(kBase + "clientPort=1\n" + kThree + "server.4=d:1:2\n"), Severity::kWarning),
              testing::ElementsAre(HasSubstr("consider an odd number of servers")));
}

TEST(Ensemble, DynamicFileHoldsTheMembership) {
  const Loaded loaded =
      load_with(kBase + "dynamicConfigFile=/c/zoo.cfg.dynamic.1f\n", {{"/d/myid", "3"},
                                                                      {"/c/zoo.cfg.dynamic.1f",
                                                                       "server.1=a:1:2:participant;2181\n"
                                                                       "server.2=b:1:2:participant;2181\n"
                                                                       "server.3=c:1:2:participant;2181\n"}});
  ASSERT_TRUE(loaded.config) << lines(loaded, Severity::kError).front();
  EXPECT_EQ(loaded.config->ensemble.version, 0x1f);
  EXPECT_EQ(loaded.config->client, (ListenAddress{"", 2181}));
}

TEST(Ensemble, GroupsMakeTheQuorumHierarchical) {
  const Loaded loaded = load_with(kBase + kThree + "clientPort=1\ngroup.1=1:2\ngroup.2=3\nweight.3=5\n");
  ASSERT_TRUE(loaded.config) << lines(loaded, Severity::kError).front();
  EXPECT_TRUE(loaded.config->ensemble.hierarchical);
  EXPECT_THAT(loaded.config->ensemble.groups.at(1), testing::ElementsAre(ServerId{1}, ServerId{2}));
  EXPECT_EQ(loaded.config->ensemble.weights.at(3), 5);
}

struct Refusal {
  const char* text;
  const char* message;
  int exit_code = 2;
};
class EnsembleRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(EnsembleRefuses, WithApachesReason) {
  const Loaded loaded =
      load_with(GetParam().text,
                {{"/d/myid", "1"}, {"/c/dyn", "server.1=a:1:2\nversion=3\n"}, {"/c/bad", "clientPort=1\n"}});
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(exit_code(loaded.diagnostics), GetParam().exit_code);
  EXPECT_THAT(lines(loaded, Severity::kError), testing::Contains(HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, EnsembleRefuses,
    testing::Values(
        Refusal{"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nsyncLimit=2\n",
                "initLimit is not set"},
        Refusal{"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ninitLimit=2\n",
                "syncLimit is not set"},
        Refusal{"dataDir=/e\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ninitLimit=2\nsyncLimit=2\n",
                "/e/myid: error: myid file is missing"},
        Refusal{"dataDir=/d\nserver.7=a:1:2\nserver.8=b:1:2\nserver.9=c:1:2\ninitLimit=2\nsyncLimit=2\n",
                "My id 1 not in the peer list", 1},
        Refusal{"dataDir=/d\nserver.x=a:1:2\n", "server.x: what follows the dot is not a number"},
        Refusal{"dataDir=/d\nserver.1=a:1\n", "does not have the form server_config"},
        Refusal{"dataDir=/d\nserver.1=a:1:1\n", "Client and election port must be different!"},
        Refusal{"dataDir=/d\nserver.1=a:1:2|b:1:2\n", "Multiple address feature is disabled"},
        Refusal{"dataDir=/d\nstandaloneEnabled=false\n", "number of participants should be >0"},
        Refusal{"dataDir=/d\nserver.1=a:1:2:observer\n", "Observers w/o participants"},
        Refusal{"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2:observer\n", "Observers w/o quorum"},
        Refusal{"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.1=1:2\n",
                "Server 3is not in a group"},
        Refusal{"dataDir=/d\nserver.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\ngroup.2=2\n",
                "Server 2is in multiple groups"},
        Refusal{"dataDir=/d\nserver.1=a:1:2\ndynamicConfigFile=/c/dyn\n",
                "parameter: server.1 must be in a separate dynamic config file"},
        Refusal{"dataDir=/d\ndynamicConfigFile=/c/dyn\n", "dynamic file shouldn't have version inside"},
        Refusal{"dataDir=/d\ndynamicConfigFile=/c/bad\n", "Unrecognised parameter: clientPort"},
        Refusal{"dataDir=/d\ndynamicConfigFile=/c/none\n", "Error processing /c/none"},
        Refusal{
            "dataDir=/"
            "d\ninitLimit=1\nsyncLimit=1\nclientPort=5\nserver.1=a:1:2;6\nserver.2=b:1:2\nserver.3=c:1:2\n",
            "is different from client address found in dynamic file"},
        Refusal{"dataDir=/d\nclientPort=5\nclientPortAddress=127.0.0.1\nserver.1=a:1:2;5\n",
                "is 127.0.0.1:5 is different from client address found in dynamic file: 0.0.0.0:5"},
        Refusal{"dataDir=/d\nclientPort=5\nclientPortAddress=127.0.0.1\nserver.1=a:1:2;127.0.0.2:5\n",
                "is 127.0.0.1:5 is different from client address found in dynamic file: 127.0.0.2:5"},
        Refusal{"dataDir=/d\nserver.1=a:1:2 # one\n", "put the comment on a line of its own"}));

TEST(Ensemble, MyIdThatIsNoNumber) {
  const Loaded loaded = load_with(kBase + kThree, {{"/d/myid", "one"}});
  EXPECT_EQ(exit_code(loaded.diagnostics), 2);
  EXPECT_THAT(lines(loaded, Severity::kError),
              testing::ElementsAre(HasSubstr("serverid one is not a number")));
}

}  // namespace
}  // namespace wk::config
