#include "exporter/app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Result<Options> parse(const std::vector<const char*>& arguments) { return parse_options(arguments); }

TEST(Options, OneListIsOneEnsembleWithDefaults) {
  const auto options = parse({"--zookeeper=zk1:2181,zk2,[::1]:2182"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->action, Options::Action::kRun);
  ASSERT_TRUE(options->ensemble);
  const EnsembleSpec& spec = *options->ensemble;
  EXPECT_EQ(spec.name, "default");
  EXPECT_EQ(spec.canary, CanaryMode::kRead);
  EXPECT_EQ(spec.interval, 1s);
  EXPECT_EQ(spec.detail_interval, 10s);
  ASSERT_EQ(spec.members.size(), 3u);
  EXPECT_EQ(spec.members[0].name, "zk1:2181");
  EXPECT_EQ(spec.members[1].name, "zk2:2181");
  EXPECT_EQ(spec.members[2].name, "[::1]:2182");
  EXPECT_EQ(spec.members[2].host, "::1");
  EXPECT_EQ(spec.members[2].port, 2182);
  EXPECT_EQ(spec.members[0].timeout, 1s);
  EXPECT_FALSE(spec.members[0].tls);
  EXPECT_EQ(spec.members[0].admin_url, "");
  EXPECT_EQ(spec.members[0].prometheus_url, "");
  EXPECT_TRUE(options->settings.listen_addresses.empty());
  EXPECT_FALSE(options->settings.families.native);
  EXPECT_FALSE(options->settings.probe);
  EXPECT_EQ(options->log_level, "info");
  EXPECT_EQ(options->log_format, LogFormat::kText);
}

TEST(Options, EveryFlagArrives) {
  const auto options = parse({"--zookeeper",
                              "zk1",
                              "--zookeeper",
                              "zk2,zk3",
                              "--ensemble=prod",
                              "--canary=write",
                              "--interval=250ms",
                              "--detail-interval=5s",
                              "--timeout=2s",
                              "--admin-port=8080",
                              "--prometheus-port=7000",
                              "--tls.ca-file=ca.pem",
                              "--tls.cert-file=c.pem",
                              "--tls.key-file=k.pem",
                              "--tls.server-name=zk",
                              "--tls.insecure-skip-verify",
                              "--listen-address=127.0.0.1:1",
                              "--listen-address=[::1]:2",
                              "--web.config.file=web.yml",
                              "--no-family.native",
                              "--family.zk",
                              "--family.zookeeper39",
                              "--probe=listed",
                              "--check",
                              "--log.level=debug",
                              "--log.format=json"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->action, Options::Action::kCheck);
  const EnsembleSpec& spec = *options->ensemble;
  EXPECT_EQ(spec.name, "prod");
  EXPECT_EQ(spec.canary, CanaryMode::kWrite);
  EXPECT_EQ(spec.interval, 250ms);
  EXPECT_EQ(spec.detail_interval, 5s);
  ASSERT_EQ(spec.members.size(), 3u);
  const TargetSpec& member = spec.members[2];
  EXPECT_EQ(member.name, "zk3:2181");
  EXPECT_EQ(member.timeout, 2s);
  EXPECT_EQ(member.admin_url, "http://zk3:8080/commands");
  EXPECT_EQ(member.prometheus_url, "http://zk3:7000/metrics");
  ASSERT_TRUE(member.tls);
  EXPECT_EQ(member.tls->ca_file, "ca.pem");
  EXPECT_EQ(member.tls->cert_file, "c.pem");
  EXPECT_EQ(member.tls->key_file, "k.pem");
  EXPECT_EQ(member.tls->server_name, "zk");
  EXPECT_FALSE(member.tls->verify);
  ASSERT_EQ(options->settings.listen_addresses.size(), 2u);
  EXPECT_EQ(options->settings.listen_addresses[0], (ListenAddress{"127.0.0.1", 1}));
  EXPECT_EQ(options->settings.listen_addresses[1], (ListenAddress{"::1", 2}));
  EXPECT_EQ(options->web_config_file, "web.yml");
  EXPECT_EQ(options->settings.families.native, false);
  EXPECT_EQ(options->settings.families.zk, true);
  EXPECT_EQ(options->settings.families.zookeeper39, true);
  EXPECT_EQ(options->settings.probe, ProbePolicy::kListed);
  EXPECT_EQ(options->log_level, "debug");
  EXPECT_EQ(options->log_format, LogFormat::kJson);
}

TEST(Options, TlsAloneTrustsTheSystem) {
  const auto options = parse({"--zookeeper=zk1", "--tls"});
  ASSERT_TRUE(options);
  ASSERT_TRUE(options->ensemble->members[0].tls);
  EXPECT_EQ(options->ensemble->members[0].tls->ca_file, "");
  EXPECT_TRUE(options->ensemble->members[0].tls->verify);
}

TEST(Options, ASwitchThatIsWrittenOffAsksForNothing) {
  EXPECT_FALSE(parse({"--zookeeper=zk1", "--tls.insecure-skip-verify=false"})->ensemble->members[0].tls);
  EXPECT_FALSE(parse({"--zookeeper=zk1", "--tls=false"})->ensemble->members[0].tls);
  EXPECT_TRUE(parse({"--zookeeper=zk1", "--tls.server-name=false"})->ensemble->members[0].tls);
}

TEST(Options, Ipv6HostsGetBracketsInUrls) {
  const auto options = parse({"--zookeeper=[::1]:2181", "--admin-port=8080"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->ensemble->members[0].admin_url, "http://[::1]:8080/commands");
}

TEST(Options, LongIntervalLengthensTheDefaultDetailInterval) {
  const auto options = parse({"--zookeeper=zk1", "--interval=30s"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->ensemble->detail_interval, 30s);
}

TEST(Options, FileInsteadOfList) {
  const auto options = parse({"--config.file=a.yaml", "--probe", "off"});
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->ensemble);
  EXPECT_EQ(options->config_file, "a.yaml");
  EXPECT_EQ(options->settings.probe, ProbePolicy::kOff);
}

TEST(Options, HelpAndVersionWinOverEverythingElse) {
  const auto help = parse({"--help"});
  ASSERT_TRUE(help);
  EXPECT_EQ(help->action, Options::Action::kHelp);
  for (const char* part : {"What to watch", "What to serve", "--zookeeper", "--no-family.native",
                           "Examples:", "--tls.insecure-skip-verify",
                           "watchkeeper-exporter --zookeeper=zk1:2181,zk2:2181,zk3:2181"})
    EXPECT_THAT(help->text, HasSubstr(part));
  const auto version = parse({"--version"});
  ASSERT_TRUE(version);
  EXPECT_EQ(version->action, Options::Action::kVersion);
}

struct BadCase {
  std::vector<const char*> arguments;
  const char* line;
};

TEST(Options, EveryMistakeIsOneLineWithFlagValueAndRemedy) {
  const std::vector<BadCase> cases{
      {{},
       "nothing to watch; write --zookeeper=HOST:PORT[,...] or --config.file=FILE (--help shows examples)"},
      {{"--zookeeper=zk1", "--config.file=a"},
       "--zookeeper and --config.file exclude each other; list the members in the file or leave it out"},
      {{"--config.file=a", "--interval=1s"},
       "--interval says something about the members of --zookeeper; with --config.file write it into the "
       "file, under its "
       "ensemble"},
      {{"--zookeper=zk1"}, "unknown flag \"--zookeper\"; did you mean --zookeeper?"},
      {{"-zookeeper=zk1"}, "unknown flag \"-zookeeper\"; did you mean --zookeeper?"},
      {{"--zookeeper=zk1", "--no-family.native39"},
       "unknown flag \"--no-family.native39\"; did you mean --no-family.native?"},
      {{"--zookeeper=zk1", "--xyzzy-plugh"}, "unknown flag \"--xyzzy-plugh\"; --help lists all flags"},
      {{"zk1:2181"}, "unexpected argument \"zk1:2181\"; members are given as --zookeeper=zk1:2181"},
      {{"--zookeeper"}, "--zookeeper: the value is missing; write --zookeeper=HOST:PORT[,...]"},
      {{"--zookeeper="}, "--zookeeper: the value is missing; write --zookeeper=HOST:PORT[,...]"},
      {{"--zookeeper=zk1", "--canary"}, "--canary: the value is missing; write --canary=off|read|write"},
      {{"--zookeeper=zk1:99999"},
       "--zookeeper: \"zk1:99999\" is no server address: the port must be a number from 1 to 65535; write "
       "host:port, for "
       "example zk1.example.org:2181 or [2001:db8::1]:2181"},
      {{"--zookeeper=zk1,,zk2"},
       "--zookeeper: \"\" is no server address: the host is missing; write host:port, for example "
       "zk1.example.org:2181 or "
       "[2001:db8::1]:2181"},
      {{"--zookeeper=a\"b:1"},
       "--zookeeper: \"a\"b:1\" is no server address; write host:port, for example zk1.example.org:2181 or "
       "[2001:db8::1]:2181"},
      {{"--zookeeper=zk1,zk1:2181"}, "--zookeeper: \"zk1:2181\" is listed twice; write each member once"},
      {{"--zookeeper=zk1", "--interval=5"},
       "--interval: \"5\" is no duration; write a number with its unit, for example 250ms, 1s or 2m"},
      {{"--zookeeper=zk1", "--interval=1s", "--interval=2s"},
       "--interval: given 2 times (\"1s\" and \"2s\"); write it once"},
      {{"--zookeeper=zk1", "--detail-interval=500ms"},
       "--detail-interval: \"500ms\" is shorter than the interval; write at least 1000ms"},
      {{"--zookeeper=zk1", "--canary=wirte"},
       "--canary: \"wirte\" is no canary mode; write off, read or write; did you mean \"write\"?"},
      {{"--zookeeper=zk1", "--admin-port=http"},
       "--admin-port: \"http\" is no port; write a number from 1 to 65535"},
      {{"--zookeeper=zk1", "--ensemble=a\"b"},
       "--ensemble: \"a\"b\" is no ensemble name; write 1 to 64 printable characters without quotes, for "
       "example "
       "production"},
      {{"--zookeeper=zk1", "--tls.cert-file=a"},
       "--tls.cert-file: a certificate without its key; name the key file, too"},
      {{"--zookeeper=zk1", "--tls=false", "--tls.ca-file=a"},
       "--tls=false and --tls.ca-file exclude each other; remove one of them"},
      {{"--zookeeper=zk1", "--tls.server-name=a b"},
       "--tls.server-name: \"a b\" is no name of a host; write it as it stands in the certificates"},
      {{"--zookeeper=zk1", "--tls.key-file=a"},
       "--tls.key-file: a key without its certificate; name the certificate file, too"},
      {{"--zookeeper=zk1", "--probe=none"}, "--probe: \"none\" is no probe policy; write any, listed or off"},
      {{"--zookeeper=zk1", "--log.level=warning"},
       "--log.level: \"warning\" is no log level; write trace, debug, info, warn, error, critical"},
      {{"--zookeeper=zk1", "--log.format=xml"}, "--log.format: \"xml\" is no log format; write text or json"},
      {{"--zookeeper=zk1", "--listen-address=:1", "--listen-address=:1"},
       "--listen-address: \":1\" is given twice; write each address once"},
  };
  for (const BadCase& bad : cases) {
    const auto options = parse(bad.arguments);
    ASSERT_FALSE(options) << bad.line;
    EXPECT_EQ(options.error().message, bad.line);
  }
}

TEST(Options, BadListenAddressNamesTheFlag) {
  const auto options = parse({"--zookeeper=zk1", "--listen-address=9141x"});
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message, HasSubstr("--listen-address: "));
  EXPECT_THAT(options.error().message, HasSubstr("9141x"));
}

TEST(Options, ControlCharactersCannotForgeALine) {
  const auto options = parse({"--zookeeper=zk1\nerror: forged"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().message.find('\n'), std::string::npos);
  const auto unknown = parse({"--x\ny"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message.find('\n'), std::string::npos);
}

TEST(Options, MembersAreLimited) {
  std::string list = "zk0";
  for (std::size_t i = 1; i < kMemberLimit; ++i) list += ",zk" + std::to_string(i);
  EXPECT_TRUE(parse({"--zookeeper", list.c_str()}));
  list += ",one-more";
  const auto options = parse({"--zookeeper", list.c_str()});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().message,
            "--zookeeper: more than 100 members; split them into ensembles with --config.file");
}

}  // namespace
}  // namespace wk::exporter
