#include "server/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace wk::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kFile = "conf/zoo.cfg";

FileReader files(std::map<std::string, std::string> content) {
  return [content = std::move(content)](const std::string& path) -> Result<std::string> {
    const auto found = content.find(path);
    if (found == content.end()) return Error{Errc::kNotFound, "no such file"};
    return found->second;
  };
}

Loaded load_text(const std::string& text, std::vector<Override> overrides = {}, bool lenient = false) {
  return load({kFile, std::move(overrides), lenient}, files({{kFile, text}}));
}

/// The configuration of a text without errors.
Config config_of(const std::string& text, std::vector<Override> overrides = {}) {
  Loaded loaded = load_text(text, std::move(overrides));
  if (!loaded.config) {
    ADD_FAILURE() << text << "\n" << loaded.diagnostics.back().to_string();
    return {};
  }
  return *loaded.config;
}

std::vector<std::string> lines(const Loaded& loaded, Severity severity) {
  std::vector<std::string> found;
  for (const Diagnostic& diagnostic : loaded.diagnostics)
    if (diagnostic.severity == severity) found.push_back(diagnostic.to_string());
  return found;
}

const std::string kMinimal = "dataDir=/var/lib/zookeeper\nclientPort=2181\ntickTime=2000\n";

TEST(Load, MinimalFileHasApachesDefaults) {
  const Loaded loaded = load_text(kMinimal);
  ASSERT_TRUE(loaded.config);
  EXPECT_TRUE(loaded.diagnostics.empty()) << loaded.diagnostics.front().to_string();
  const Config& config = *loaded.config;
  EXPECT_EQ(config.tick_time, 2000ms);
  EXPECT_EQ(config.client, (ListenAddress{"", 2181}));
  EXPECT_EQ(config.sessions.timeout_min, 4000ms);
  EXPECT_EQ(config.sessions.timeout_max, 40'000ms);
  EXPECT_EQ(config.limits.max_connections_per_address, 60);
  EXPECT_EQ(config.limits.max_connections, 0);
  EXPECT_EQ(config.limits.global_outstanding, 1000);
  EXPECT_EQ(config.limits.max_request_bytes, 1'048'575);
  EXPECT_EQ(config.limits.sessionless_timeout, 10s);
  EXPECT_EQ(config.storage.data_dir, "/var/lib/zookeeper");
  EXPECT_EQ(config.storage.data_log_dir, "/var/lib/zookeeper");
  EXPECT_EQ(config.storage.preallocate_kib, 65536);
  EXPECT_EQ(config.storage.snapshot_count, 100'000);
  EXPECT_EQ(config.storage.snapshot_size_limit_kib, 4'194'304);
  EXPECT_EQ(config.storage.log_size_limit_kib, -1);
  EXPECT_TRUE(config.storage.force_sync);
  EXPECT_EQ(config.storage.snapshots_to_retain, 3);
  EXPECT_EQ(config.storage.purge_interval, 0h);
  EXPECT_EQ(config.containers.check_interval, 60s);
  EXPECT_FALSE(config.extended_types);
  EXPECT_TRUE(config.digest);
  EXPECT_EQ(config.four_letter_words, default_four_letter_words());
  ASSERT_TRUE(config.http);
  EXPECT_EQ(config.http->port, 7000);
  EXPECT_FALSE(config.http->asked_for);
  EXPECT_FALSE(config.distributed);
  EXPECT_FALSE(config.my_id);
}

TEST(Load, TickTimeDefaultsToThreeThousandAndIsTold) {
  const Loaded loaded = load_text("dataDir=/d\nclientPort=2181\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->tick_time, 3000ms);
  EXPECT_EQ(loaded.config->sessions.timeout_max, 60s);
  EXPECT_THAT(lines(loaded, Severity::kNote), testing::ElementsAre(HasSubstr("tickTime: not set; 3000 ms")));
}

TEST(Load, MissingFileIsInvalid) {
  const Loaded loaded = load({"/no/zoo.cfg", {}, false}, files({}));
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(exit_code(loaded.diagnostics), 2);
  EXPECT_THAT(lines(loaded, Severity::kError),
              testing::ElementsAre(HasSubstr("/no/zoo.cfg file is missing")));
}

struct Refusal {
  const char* line;
  const char* message;
  int exit_code = 2;
};
class LoadRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(LoadRefuses, WithPlaceKeyAndReason) {
  const Loaded loaded = load_text(kMinimal + GetParam().line);
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(exit_code(loaded.diagnostics), GetParam().exit_code);
  EXPECT_THAT(lines(loaded, Severity::kError), testing::Contains(HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Lines, LoadRefuses,
    testing::Values(
        Refusal{"tickTime=abc",
                "conf/zoo.cfg:4: error: tickTime: \"abc\" is not a decimal number of 32 bits"},
        Refusal{"tickTime=", "tickTime: the value is empty"},
        Refusal{"tickTime=0x10", "tickTime: \"0x10\" is not"}, Refusal{"tickTime=0", "tickTime is not set"},
        Refusal{"tickTime=-2", "minSessionTimeout must not be larger than maxSessionTimeout"},
        Refusal{"minSessionTimeout=50000", "minSessionTimeout must not be larger than maxSessionTimeout"},
        Refusal{"clientPort=65536", "port out of range:65536"},
        Refusal{"clientPort=-1", "port out of range:-1"},
        Refusal{"maxClientCnxns=many", "maxClientCnxns: \"many\" is not a decimal number"},
        Refusal{"standaloneEnabled=yes", "\"yes\" is not \"true\" or \"false\""},
        Refusal{"electionAlg=0", "Invalid electionAlg value. Only 3 is supported."},
        Refusal{"peerType=boss", "Unrecognised peertype: boss"},
        Refusal{"metricsProvider.className=com.example.X", "metrics provider class was not found"},
        Refusal{"metricsProvider.httpPort=70000", "port out of range:70000"},
        Refusal{"dataDir=", "dataDir is not set"},
        Refusal{"DigestAuthenticationProvider.digestAlg=ROT13", "don't support this ALG : ROT13", 1},
        Refusal{"secureClientPort=2281", "TLS is not in this version"},
        Refusal{"client.portUnification=true", "TLS is not in this version"},
        Refusal{"sslQuorum=true", "TLS is not in this version"},
        Refusal{"quorum.auth.enableSasl=true", "SASL authentication is not in this version"},
        Refusal{"sessionRequireClientSASLAuth=TRUE", "SASL authentication is not in this version"},
        Refusal{"enforce.auth.enabled=true", "enforced authentication is not in this version"},
        Refusal{"audit.enable=true", "audit lines are not in this version"},
        Refusal{"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
                "SASLAuthenticationProvider\" is not in this version"},
        Refusal{"authProvider.x=com.example.Mine", "com.example.Mine\" is not in this version"},
        Refusal{"oraclePath=/x", "an oracle for two members is not supported"}));

TEST(Load, ClientPortAddressWithoutPort) {
  const Loaded loaded = load_text("dataDir=/d\nclientPortAddress=127.0.0.1\n");
  EXPECT_THAT(lines(loaded, Severity::kError),
              testing::ElementsAre(HasSubstr("clientPortAddress is set but clientPort is not set")));
}

TEST(Load, WithoutClientPortItStartsAndSaysThatNobodyCanConnect) {
  const Loaded loaded = load_text("dataDir=/d\ntickTime=2000\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_FALSE(loaded.config->client);
  EXPECT_THAT(lines(loaded, Severity::kWarning), testing::ElementsAre(HasSubstr("no client can connect")));
}

TEST(Load, AllErrorsAreFoundNotOnlyTheFirst) {
  const Loaded loaded = load_text("tickTime=a\nclientPort=b\n");
  EXPECT_EQ(lines(loaded, Severity::kError).size(), 3U);
}

TEST(Load, AnEscapedLineFeedInAKeyStaysOneLine) {
  const Loaded loaded = load_text(kMinimal + "cli\\ntPort=2181\n");
  EXPECT_THAT(lines(loaded, Severity::kWarning), testing::Contains(HasSubstr("cli\\x0atPort")));
}

// The sample of the second article (SE1): a comment behind a value.
TEST(Load, TrailingCommentIsRefusedWithTheReasonAndTheRemedy) {
  const Loaded loaded = load_text("dataDir=/d\nclientPort=2181\ntickTime=2000  # milliseconds\n");
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(exit_code(loaded.diagnostics), 2);
  EXPECT_THAT(
      lines(loaded, Severity::kError),
      testing::ElementsAre(
          "conf/zoo.cfg:3: error: tickTime: \"2000  # milliseconds\" is not a decimal number of 32 bits: a "
          "value goes to the end of its line, and a comment behind it is part of it; put the comment on a "
          "line of its own, or start with --lenient"));
}

TEST(Load, TrailingCommentBehindATextIsPartOfItAndTold) {
  const Loaded loaded = load_text("dataDir=/d # data\nclientPort=2181\ntickTime=2000\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->storage.data_dir, "/d # data");
  EXPECT_THAT(
      lines(loaded, Severity::kWarning),
      testing::ElementsAre(HasSubstr("conf/zoo.cfg:1: warning: dataDir: the value is all of \"/d # data\"")));
}

TEST(Load, LenientStripsTrailingCommentsWithAWarning) {
  const Loaded loaded = load_text(
      "dataDir=/d # data\nclientPort=2181\t# port\ntickTime=2000\nserver.1=a:1:2 # one\n", {}, true);
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->storage.data_dir, "/d");
  EXPECT_EQ(loaded.config->client->port, 2181);
  EXPECT_THAT(lines(loaded, Severity::kWarning), testing::Contains(HasSubstr("the value is \"2181\"")));
}

// The sample of the second article (SE2): keys in the wrong case.
TEST(Load, NearMissesAreToldNeverSilent) {
  const Loaded loaded = load_text(kMinimal + "dataLogdir=/l\npreAllocsize=16384\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->storage.data_log_dir, "/var/lib/zookeeper");
  EXPECT_THAT(
      lines(loaded, Severity::kWarning),
      testing::UnorderedElementsAre(
          "conf/zoo.cfg:4: warning: dataLogdir: no such key; it has no effect; did you mean \"dataLogDir\"?; "
          "keys are case-sensitive",
          HasSubstr("did you mean \"preAllocSize\"?")));
}

TEST(Load, UnknownKeysAreTold) {
  const Loaded loaded = load_text(kMinimal + "my.own.thing=1\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_THAT(lines(loaded, Severity::kWarning),
              testing::ElementsAre(HasSubstr("my.own.thing: no such key; it has no effect")));
}

TEST(Load, TheLastOfTwoEqualKeysCounts) {
  const Loaded loaded = load_text(kMinimal + "clientPort=2182\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->client->port, 2182);
  EXPECT_THAT(lines(loaded, Severity::kWarning),
              testing::ElementsAre(HasSubstr("\"2181\" of conf/zoo.cfg:2 is not used")));
}

TEST(Load, PrefixedKeyInTheFileIsUnderstoodAndTold) {
  const Loaded loaded = load_text(kMinimal + "zookeeper.snapshot.trust.empty=true\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_TRUE(loaded.config->storage.trust_empty_snapshot);
  EXPECT_THAT(lines(loaded, Severity::kWarning), testing::ElementsAre(HasSubstr("drop the prefix")));
}

TEST(Load, PropertyIntegersAreDecodedAndMalformedOnesFallBackWithAWarning) {
  EXPECT_EQ(config_of(kMinimal + "maxCnxns=0x10").limits.max_connections, 16);
  EXPECT_EQ(config_of(kMinimal + "maxCnxns=010").limits.max_connections, 8);
  const Loaded loaded = load_text(kMinimal + "snapCount=1e5\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->storage.snapshot_count, 100'000);
  EXPECT_THAT(lines(loaded, Severity::kWarning), testing::ElementsAre(HasSubstr("the default is used")));
}

TEST(Load, EffectiveMinimaAreApachesAndTold) {
  EXPECT_EQ(config_of(kMinimal + "autopurge.snapRetainCount=1").storage.snapshots_to_retain, 3);
  EXPECT_EQ(config_of(kMinimal + "snapCount=0").storage.snapshot_count, 2);
  EXPECT_EQ(config_of(kMinimal + "maxCnxns=-5").limits.max_connections, 0);
}

TEST(Load, ForceSyncWantsExactlyNo) {
  EXPECT_FALSE(config_of(kMinimal + "forceSync=no").storage.force_sync);
  EXPECT_TRUE(config_of(kMinimal + "forceSync=NO").storage.force_sync);
  EXPECT_TRUE(config_of(kMinimal + "forceSync=false").storage.force_sync);
  EXPECT_FALSE(config_of(kMinimal + "skipACL=true").authentication.skip_acl);
  EXPECT_TRUE(config_of(kMinimal + "skipACL=yes").authentication.skip_acl);
}

TEST(Load, KeysWithoutEffectAreAcceptedWithTheReason) {
  const Loaded loaded = load_text(kMinimal + "nio.numSelectorThreads=2\nadmin.httpVersion=11\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_THAT(lines(loaded, Severity::kWarning),
              testing::UnorderedElementsAre(HasSubstr("no effect here: it tunes threads or memory"),
                                            HasSubstr("no effect here: HTTP 1.0 and 1.1 are spoken")));
}

TEST(Load, KeysWithoutEffectWhenTrueAreToldThenOnly) {
  for (const char* key : {"localSessionsEnabled", "localSessionsUpgradingEnabled", "readonlymode.enabled"}) {
    const std::string line = kMinimal + key + "=";
    EXPECT_THAT(lines(load_text(line + "TRUE\n"), Severity::kWarning),
                testing::ElementsAre(HasSubstr(std::string(key) + ": no effect here: ")));
    EXPECT_TRUE(load_text(line + "false\n").diagnostics.empty()) << key;
  }
}

TEST(Load, ExportJvmInfoIsFalseUnlessItIsTrue) {
  for (const char* value : {"true", "no", "1", ""})
    EXPECT_TRUE(load_text(kMinimal + "metricsProvider.exportJvmInfo=" + value + "\n").config) << value;
}

TEST(Load, StrictTypesAreCheckedEvenForKeysWithoutEffect) {
  EXPECT_EQ(exit_code(load_text(kMinimal + "quorum.cnxn.threads.size=x\n").diagnostics), 2);
}

TEST(Load, OverridesWinOverTheFileWithOrWithoutPrefix) {
  const Config config =
      config_of(kMinimal + "snapCount=10\n", {{"zookeeper.snapCount", "20", {"command line", 0}},
                                              {"clientPort", "2182", {"command line", 0}},
                                              {"jute.maxbuffer", "4096", {"command line", 0}}});
  EXPECT_EQ(config.storage.snapshot_count, 20);
  EXPECT_EQ(config.client->port, 2182);
  EXPECT_EQ(config.limits.max_request_bytes, 4096);
}

TEST(Load, NamesOfTheGuideLoseAgainstTheRealOnes) {
  const Loaded loaded = load_text(kMinimal + "leader.maxConcurrentSnapSyncs=1\nmaxConcurrentSnapSyncs=2\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_THAT(lines(loaded, Severity::kNote),
              testing::ElementsAre(HasSubstr("the guide's name of \"leader.maxConcurrentSnapSyncs\"")));
}

TEST(Load, WhitelistIsHonouredExactlyAndKeepsSrvr) {
  using testing::UnorderedElementsAre;
  EXPECT_THAT(config_of(kMinimal + "4lw.commands.whitelist=ruok, mntr ,,ruok").four_letter_words,
              UnorderedElementsAre("ruok", "mntr", "srvr"));
  EXPECT_THAT(config_of(kMinimal + "4lw.commands.whitelist=").four_letter_words,
              UnorderedElementsAre("srvr"));
  EXPECT_EQ(config_of(kMinimal + "4lw.commands.whitelist=ruok,*").four_letter_words.size(), 18U);
  const std::string read_only = kMinimal + "readonlymode.enabled=true\n4lw.commands.whitelist=";
  EXPECT_THAT(config_of(read_only + "ruok").four_letter_words, UnorderedElementsAre("ruok", "isro", "srvr"));
  EXPECT_THAT(config_of(read_only + "isro").four_letter_words, UnorderedElementsAre("isro", "srvr"));
  EXPECT_THAT(lines(load_text(kMinimal + "4lw.commands.whitelist=kill\n"), Severity::kWarning),
              testing::ElementsAre(HasSubstr("\"kill\" is no command")));
}

TEST(Load, FamiliesOfMetrics) {
  const auto chosen = [](const std::string& lines) {
    const MetricFamilies families = config_of(kMinimal + lines).metric_families;
    return std::string(families.native ? "native " : "") + (families.zk ? "zk " : "") +
           (families.zookeeper39 ? "zookeeper39" : "");
  };
  const std::string provider =
      "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\n";
  EXPECT_EQ(chosen(""), "native zk ");
  EXPECT_EQ(chosen(provider), "native zookeeper39");
  EXPECT_EQ(chosen("watchkeeper.metricFamilies= zookeeper39 , zk\n"), "zk zookeeper39");
  EXPECT_EQ(chosen(provider + "watchkeeper.metricFamilies=native\n"), "native ");
  EXPECT_EQ(exit_code(load_text(kMinimal + "watchkeeper.metricFamilies=zk,apache\n").diagnostics), 2);
  EXPECT_TRUE(config_of(kMinimal + provider).prometheus_provider);
  EXPECT_FALSE(config_of(kMinimal).prometheus_provider);
}

TEST(Load, TheLogFormatIsKnownEvenWhereTheRestIsRefused) {
  EXPECT_EQ(load_text(kMinimal).log_format, LogFormat::kText);
  EXPECT_EQ(load_text(kMinimal + "watchkeeper.logFormat=json\nmaxSessionTimeout=x\n").log_format,
            LogFormat::kJson);
  EXPECT_EQ(exit_code(load_text(kMinimal + "watchkeeper.logFormat=xml\n").diagnostics), 2);
}

TEST(Load, WithoutObservationNothingListens) {
  const Loaded loaded = load_text(kMinimal + "watchkeeper.observe=false\nadmin.enableServer=true\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_FALSE(loaded.config->observe);
  EXPECT_FALSE(loaded.config->http);
  EXPECT_FALSE(loaded.config->admin);
  EXPECT_THAT(lines(loaded, Severity::kWarning),
              testing::ElementsAre(HasSubstr("only to measure what they cost")));
  EXPECT_TRUE(config_of(kMinimal + "watchkeeper.observe=true\n").observe);
}

TEST(Load, SlowRequestsAreThoseFromOneSecondUnlessConfigured) {
  using std::chrono::milliseconds;
  EXPECT_EQ(config_of(kMinimal).slow_request, milliseconds{1'000});
  EXPECT_EQ(config_of(kMinimal + "watchkeeper.slowRequestMs=250\n").slow_request, milliseconds{250});
  EXPECT_EQ(config_of(kMinimal + "watchkeeper.slowRequestMs=0\n").slow_request, milliseconds{0});
  EXPECT_EQ(config_of(kMinimal + "watchkeeper.slowRequestMs=-5\n").slow_request, milliseconds{0});
  EXPECT_EQ(exit_code(load_text(kMinimal + "watchkeeper.slowRequestMs=1s\n").diagnostics), 2);
}

TEST(Load, AServersEnsembleHasANameAsTheSidecarsHave) {
  EXPECT_EQ(config_of(kMinimal).ensemble_name, "default");
  EXPECT_EQ(config_of(kMinimal + "watchkeeper.ensemble=locks eu-1\n").ensemble_name, "locks eu-1");
  for (const std::string name : {"", "it's", "..", "a\\\"b", "a\\\\b"}) {
    const Loaded loaded = load_text(kMinimal + "watchkeeper.ensemble=" + name + "\n");
    EXPECT_EQ(exit_code(loaded.diagnostics), 2) << name;
    EXPECT_THAT(lines(loaded, Severity::kError),
                testing::ElementsAre(testing::AllOf(
                    HasSubstr(std::string(kFile) + ":4"), HasSubstr("watchkeeper.ensemble"),
                    HasSubstr("is no ensemble name"), HasSubstr("write 1 to 64 printable characters"))))
        << name;
  }
  EXPECT_THAT(lines(load_text(kMinimal + "watchkeeper.ensembel=locks\n"), Severity::kWarning),
              testing::ElementsAre(HasSubstr("did you mean \"watchkeeper.ensemble\"?")));
}

TEST(Load, TheTextOfTheFileIsKeptWithoutSecrets) {
  EXPECT_EQ(config_of(kMinimal + "ssl.keyStore.password=x\n").file_text,
            kMinimal + "ssl.keyStore.password=***\n");
}

TEST(Load, AdminServerHasAPortOfItsOwnWhenItIsAskedFor) {
  EXPECT_FALSE(config_of(kMinimal).admin);
  EXPECT_FALSE(config_of(kMinimal + "admin.enableServer=false\n").admin);
  // As in Apache, only the exact word turns it off.
  EXPECT_TRUE(config_of(kMinimal + "admin.enableServer=FALSE\n").admin);
  const Config defaults = config_of(kMinimal + "admin.enableServer=true\n");
  ASSERT_TRUE(defaults.admin);
  EXPECT_EQ(defaults.admin->host, "0.0.0.0");
  EXPECT_EQ(defaults.admin->port, 8080);
  EXPECT_EQ(defaults.admin->command_url, "/commands");
  EXPECT_EQ(defaults.admin->idle_timeout, std::chrono::seconds{30});
  const Config chosen = config_of(kMinimal +
                                  "admin.enableServer=true\nadmin.serverAddress=127.0.0.1\nadmin.serverPort=9"
                                  "\nadmin.commandURL=/zk/ask/\nadmin.idleTimeout=500\n");
  EXPECT_EQ(chosen.admin->host, "127.0.0.1");
  EXPECT_EQ(chosen.admin->port, 9);
  EXPECT_EQ(chosen.admin->command_url, "/zk/ask");
  EXPECT_EQ(chosen.admin->idle_timeout, std::chrono::milliseconds{500});
}

TEST(Load, AdminKeysWithoutTheServerAreTold) {
  const Loaded loaded = load_text(kMinimal + "admin.serverPort=8081\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_FALSE(loaded.config->admin);
  EXPECT_THAT(lines(loaded, Severity::kWarning),
              testing::ElementsAre(HasSubstr("the AdminServer has no port of its own here unless it is asked "
                                             "for; add admin.enableServer=true, or use /commands at "
                                             "metricsProvider.httpPort")));
}

TEST(Load, AnAdminServerThatCannotBeAsConfiguredIsRefused) {
  const std::string on = kMinimal + "admin.enableServer=true\n";
  for (const char* line : {"admin.forceHttps=true", "admin.needClientAuth=true", "admin.serverPort=65536",
                           "admin.serverPort=-1", "admin.commandURL=commands", "admin.commandURL=/"})
    EXPECT_EQ(exit_code(load_text(on + line + "\n").diagnostics), 2) << line;
  EXPECT_EQ(exit_code(load_text(kMinimal + "admin.forceHttps=true\n").diagnostics), 0);
}

TEST(Load, MetricsProviderDecidesAboutHttp) {
  const std::string package = "metricsProvider.className=org.apache.zookeeper.metrics.";
  EXPECT_FALSE(config_of(kMinimal + package + "impl.NullMetricsProvider").http);
  EXPECT_FALSE(config_of(kMinimal + package + "impl.DefaultMetricsProvider").http);
  const Config config = config_of(kMinimal + package +
                                  "prometheus.PrometheusMetricsProvider\nmetricsProvider.httpPort=7001\n"
                                  "metricsProvider.httpHost=127.0.0.1\n");
  ASSERT_TRUE(config.http);
  EXPECT_EQ(config.http->port, 7001);
  EXPECT_EQ(config.http->host, "127.0.0.1");
  EXPECT_TRUE(config.http->asked_for);
}

TEST(Load, AnyAddressIsBothFamilies) {
  EXPECT_EQ(config_of(kMinimal + "clientPortAddress=0.0.0.0").client, (ListenAddress{"", 2181}));
  EXPECT_EQ(config_of(kMinimal + "clientPortAddress=[::1]").client, (ListenAddress{"::1", 2181}));
}

TEST(Load, AnEmptyHostIsLoopbackAndTold) {
  const std::string admin = "admin.enableServer=true\nadmin.serverAddress=\n";
  const Loaded loaded = load_text(kMinimal + "clientPortAddress=\nmetricsProvider.httpHost=\n" + admin);
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->client, (ListenAddress{"127.0.0.1", 2181}));
  ASSERT_TRUE(loaded.config->http);
  EXPECT_EQ(loaded.config->http->host, "127.0.0.1");
  ASSERT_TRUE(loaded.config->admin);
  EXPECT_EQ(loaded.config->admin->host, "127.0.0.1");
  const std::vector<std::string> warnings = lines(loaded, Severity::kWarning);
  ASSERT_EQ(warnings.size(), 3U);
  EXPECT_THAT(warnings[0], HasSubstr("clientPortAddress: the value is empty, which means 127.0.0.1"));
  EXPECT_THAT(warnings[1], HasSubstr("metricsProvider.httpHost: the value is empty"));
  EXPECT_THAT(warnings[2], HasSubstr("admin.serverAddress: the value is empty"));
  // No address at all, and not every address.
  EXPECT_EQ(config_of(kMinimal + "clientPortAddress=[]").client, (ListenAddress{"[]", 2181}));
}

TEST(Load, AnIp6AddressForHttpIsRefusedWhereItWouldBeUsed) {
  const Loaded metrics = load_text(kMinimal + "metricsProvider.httpHost=::\n");
  EXPECT_EQ(exit_code(metrics.diagnostics), 2);
  const std::vector<std::string> of_metrics = lines(metrics, Severity::kError);
  ASSERT_EQ(of_metrics.size(), 1U);
  EXPECT_THAT(of_metrics[0], HasSubstr("zoo.cfg:4: error: metricsProvider.httpHost: \"::\" is no IPv4"));
  const std::string admin = kMinimal + "admin.serverAddress=[::1]\n";
  const auto of_admin = lines(load_text(admin + "admin.enableServer=true\n"), Severity::kError);
  ASSERT_EQ(of_admin.size(), 1U);
  EXPECT_THAT(of_admin[0], HasSubstr("zoo.cfg:4: error: admin.serverAddress: \"[::1]\" is no IPv4"));
  EXPECT_TRUE(load_text(admin).config);
  EXPECT_TRUE(load_text(admin + "admin.enableServer=false\n").config);
  EXPECT_TRUE(load_text(admin + "admin.enableServer=true\nwatchkeeper.observe=false\n").config);
}

TEST(Load, FoldersAreWrittenAsJavaWritesThem) {
  const std::string others = "clientPort=2181\ntickTime=2000\n";
  const Config config = config_of("dataDir=//data///zk\ndataLogDir=/data/zk//\n" + others);
  EXPECT_EQ(config.storage.data_dir, "/data/zk");
  EXPECT_EQ(config.storage.data_log_dir, "/data/zk");
  EXPECT_EQ(config_of("dataDir=//\n" + others).storage.data_dir, "/");
  const Config overridden = config_of(kMinimal, {{"dataDir", "./data/", {"command line", 0}}});
  EXPECT_EQ(overridden.storage.data_dir, "./data");
  EXPECT_EQ(overridden.storage.data_log_dir, "./data");
}

TEST(Load, VolatileDataDirectoryIsTold) {
  EXPECT_THAT(
      lines(load_text("dataDir=/tmp/zookeeper\nclientPort=2181\ntickTime=2000\n"), Severity::kWarning),
      testing::ElementsAre(HasSubstr("the system empties this directory")));
}

TEST(Arguments, PortAndDirectoryMeanAStandaloneServerWithoutConnectionLimit) {
  const auto overrides = overrides_from_arguments({"2185", "/data/"});
  ASSERT_TRUE(overrides);
  const Loaded loaded = load({"", *overrides, false}, files({}));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->client->port, 2185);
  EXPECT_EQ(loaded.config->storage.data_dir, "/data");
  EXPECT_EQ(loaded.config->tick_time, 3000ms);
  EXPECT_EQ(loaded.config->limits.max_connections_per_address, 0);
}

TEST(Arguments, TickTimeAndConnectionsFollow) {
  const auto overrides = overrides_from_arguments({"2185", "/data", "500", "7"});
  ASSERT_TRUE(overrides);
  const Loaded loaded = load({"", *overrides, false}, files({}));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->tick_time, 500ms);
  EXPECT_EQ(loaded.config->limits.max_connections_per_address, 7);
}

TEST(Arguments, OtherCountsAreRefused) {
  EXPECT_FALSE(overrides_from_arguments({"2185"}));
  EXPECT_FALSE(overrides_from_arguments({"1", "2", "3", "4", "5"}));
}

}  // namespace
}  // namespace wk::config
