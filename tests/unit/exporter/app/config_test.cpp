#include "exporter/app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

/// A disk with the files /etc/wk/secret (a password), /etc/wk/auth, /etc/wk/empty and nothing else.
const ConfigFiles kFiles{[](const std::string& path) -> Result<std::string> {
                           if (path == "/etc/wk/secret") return std::string("hunter2\n");
                           if (path == "/etc/wk/auth") return std::string("canary:hunter2\r\n");
                           if (path == "/etc/wk/empty") return std::string("\n");
                           return Error{Errc::kNotFound, "the file does not exist; check the path"};
                         },
                         [](const TlsSpec& tls) -> std::optional<TlsFileFault> {
                           if (tls.ca_file.ends_with("missing.pem"))
                             return TlsFileFault{
                                 TlsFileFault::File::kCa,
                                 "\"" + tls.ca_file + "\": the file does not exist; check the path"};
                           return std::nullopt;
                         }};

Result<Config> parse(std::string_view text) { return parse_config(text, "/etc/wk/exporter.yaml", kFiles); }

TEST(Config, SmallestFile) {
  const auto config = parse("ensembles:\n  - members: [zk1, 'zk2:2182']\n");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->ensembles.size(), 1u);
  EXPECT_EQ(config->ensembles[0].name, "default");
  ASSERT_EQ(config->ensembles[0].members.size(), 2u);
  EXPECT_EQ(config->ensembles[0].members[0].name, "zk1:2181");
  EXPECT_EQ(config->ensembles[0].members[1].name, "zk2:2182");
  EXPECT_EQ(config->ensembles[0].canary, CanaryMode::kRead);
  EXPECT_TRUE(config->settings.listen_addresses.empty());
  EXPECT_FALSE(config->settings.families.native);
}

TEST(Config, EveryKeyArrives) {
  const auto config = parse(R"(
listen_address: [":9141", "[::1]:9142"]
families: [native, zookeeper39]
probe: listed
ensembles:
  - name: production
    members:
      - zk1:2181
      - address: zk2:2281
        timeout: 2s
        admin_url: https://zk2:8443/commands/
        prometheus_url: http://zk2:7001/metrics
        tls: {ca_file: other.pem, server_name: zk2.example.org}
        http_auth: {username: me, password: open sesame}
      - {address: zk3, tls: false}
    interval: 500ms
    detail_interval: 20s
    timeout: 750ms
    canary: {mode: write, path: /apps/canary, auth_file: auth}
    tls:
      ca_file: ca.pem
      cert_file: /abs/cert.pem
      key_file: key.pem
      insecure_skip_verify: true
    admin_port: 8080
    admin_command_url: /cmd
    prometheus_port: 7000
    http_auth: {username: ops, password_file: secret}
  - name: staging
    members: [zk1:2181]
    canary: off
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->settings.listen_addresses,
            (std::vector<ListenAddress>{ListenAddress{"", 9141}, ListenAddress{"::1", 9142}}));
  EXPECT_EQ(config->settings.families.native, true);
  EXPECT_EQ(config->settings.families.zk, false);
  EXPECT_EQ(config->settings.families.zookeeper39, true);
  EXPECT_EQ(config->settings.probe, ProbePolicy::kListed);
  ASSERT_EQ(config->ensembles.size(), 2u);
  const EnsembleSpec& spec = config->ensembles[0];
  EXPECT_EQ(spec.name, "production");
  EXPECT_EQ(spec.interval, 500ms);
  EXPECT_EQ(spec.detail_interval, 20s);
  EXPECT_EQ(spec.canary, CanaryMode::kWrite);
  EXPECT_EQ(spec.canary_path, "/apps/canary");
  EXPECT_EQ(spec.canary_auth, "canary:hunter2");
  ASSERT_EQ(spec.members.size(), 3u);
  EXPECT_EQ(spec.members[0].timeout, 750ms);
  EXPECT_EQ(spec.members[0].admin_url, "http://zk1:8080/cmd");
  EXPECT_EQ(spec.members[0].prometheus_url, "http://zk1:7000/metrics");
  ASSERT_TRUE(spec.members[0].tls);
  EXPECT_EQ(spec.members[0].tls->ca_file, "/etc/wk/ca.pem");
  EXPECT_EQ(spec.members[0].tls->cert_file, "/abs/cert.pem");
  EXPECT_EQ(spec.members[0].tls->key_file, "/etc/wk/key.pem");
  EXPECT_FALSE(spec.members[0].tls->verify);
  ASSERT_TRUE(spec.members[0].http_auth);
  EXPECT_EQ(spec.members[0].http_auth->username, "ops");
  EXPECT_EQ(spec.members[0].http_auth->password, "hunter2");
  EXPECT_EQ(spec.members[1].timeout, 2s);
  EXPECT_EQ(spec.members[1].port, 2281);
  EXPECT_EQ(spec.members[1].admin_url, "https://zk2:8443/commands");
  EXPECT_EQ(spec.members[1].prometheus_url, "http://zk2:7001/metrics");
  EXPECT_EQ(spec.members[1].tls->ca_file, "/etc/wk/other.pem");
  EXPECT_EQ(spec.members[1].tls->server_name, "zk2.example.org");
  EXPECT_TRUE(spec.members[1].tls->verify);
  EXPECT_EQ(spec.members[1].http_auth->password, "open sesame");
  EXPECT_FALSE(spec.members[2].tls);
  EXPECT_EQ(config->ensembles[1].canary, CanaryMode::kOff);
}

TEST(Config, AnchorsWorkAndStayBounded) {
  const auto config = parse("ensembles:\n - {name: a, members: &m [zk1, zk2]}\n - {name: b, members: *m}\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ensembles[1].members.size(), 2u);
  // Each level holds ten of the one before: 10^9 leaves if they were ever unfolded.
  std::string bomb = "x0: &x0 [zk1]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "x" + std::to_string(i) + ": &x" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", *x" : "*x") + std::to_string(i - 1);
    bomb += "]\n";
  }
  const auto refused = parse(bomb + "ensembles: *x9\n");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("/etc/wk/exporter.yaml:1:1: key \"x0\": unknown key"));
  const auto nested = parse("ensembles: &e\n - members: *e\n");
  ASSERT_FALSE(nested);
}

struct BadCase {
  const char* yaml;
  const char* line;  ///< behind the file's name
};

TEST(Config, EveryMistakeIsOneLineWithPlaceKeyAndRemedy) {
  const std::vector<BadCase> cases{
      {"", ":1:1: the file is empty; write ensembles: with a list of ensembles"},
      {"# nothing\n", ":1:1: the file is empty; write ensembles: with a list of ensembles"},
      {"- a\n", ":1:1: is a list; write a mapping with the keys ensembles, listen_address, families, probe"},
      {"probe: any\n",
       ":1:1: key \"ensembles\" is missing; write a list with a name and members for each ensemble"},
      {"ensembles:\n", ":1:1: key \"ensembles\": is empty; write a list"},
      {"ensembles:\n - members: [zk1]\n   timeout:\n\n\nprobe: any\n",
       ":3:4: key \"ensembles[0].timeout\": is empty; write a value or remove the key"},
      {"ensembles: []\n", ":1:12: key \"ensembles\": is an empty list; write at least one item"},
      {"ensembles: zk1\n", ":1:12: key \"ensembles\": is a single value; write a list"},
      {"ensemble:\n - members: [zk1]\n", ":1:1: key \"ensemble\": unknown key; did you mean \"ensembles\"?"},
      {"ensembles:\n - members: [zk1]\n   intervall: 1s\n",
       ":3:4: key \"ensembles[0].intervall\": unknown key; did you mean \"interval\"?"},
      {"ensembles:\n - members: [zk1]\n   zzz: 1s\n",
       ":3:4: key \"ensembles[0].zzz\": unknown key; known keys are name, members, interval, "
       "detail_interval, timeout, "
       "canary, tls, admin_port, admin_command_url, prometheus_port, http_auth"},
      {"ensembles:\n - members: [zk1]\n   timeout: 1s\n   timeout: 2s\n",
       ":4:4: key \"ensembles[0].timeout\": stands twice; remove one of them"},
      {"ensembles:\n - name: a\n",
       ":2:4: key \"ensembles[0]\": key \"members\" is missing; write for example members: [zk1:2181, "
       "zk2:2181, zk3:2181]"},
      {"ensembles:\n - members: []\n",
       ":2:13: key \"ensembles[0].members\": is an empty list; write at least one item"},
      {"ensembles:\n - members: [zk1, zk1:2181]\n",
       ":2:19: key \"ensembles[0].members[1]\": \"zk1:2181\" is listed twice; write each member once"},
      {"ensembles:\n - members: [zk1:0]\n",
       ":2:14: key \"ensembles[0].members[0]\": \"zk1:0\" is no server address: the port must be a number "
       "from 1 to 65535; "
       "write host:port, for example zk1.example.org:2181 or [2001:db8::1]:2181"},
      {"ensembles:\n - members: [2181]\n",
       ":2:14: key \"ensembles[0].members[0]\": \"2181\" is no server address: the host has only digits; "
       "write "
       "host:port, for example zk1.example.org:2181 or [2001:db8::1]:2181"},
      {"ensembles:\n - members: ['::1:2181']\n",
       ":2:14: key \"ensembles[0].members[0]\": \"::1:2181\" is no server address: a host has no colon, and "
       "an IPv6 address needs "
       "brackets; "
       "write host:port, for example zk1.example.org:2181 or [2001:db8::1]:2181"},
      {"ensembles:\n - members: ['zk1,zk2']\n",
       ":2:14: key \"ensembles[0].members[0]\": \"zk1,zk2\" is no server address; write host:port, for "
       "example "
       "zk1.example.org:2181 or [2001:db8::1]:2181"},
      {"ensembles:\n - members: [{timeout: 1s}]\n",
       ":2:14: key \"ensembles[0].members[0]\": key \"address\" is missing; write for example address: "
       "zk1:2181"},
      {"ensembles:\n - {name: a, members: [zk1]}\n - {name: a, members: [zk2]}\n",
       ":3:11: key \"ensembles[1].name\": another ensemble is called \"a\", too; give each one a name of its "
       "own"},
      {"ensembles:\n - members: [zk1]\n - members: [zk2]\n",
       ":3:4: key \"ensembles[1]\": another ensemble is called \"default\", too; give each one a name of its "
       "own"},
      {"ensembles:\n - members: [zk1]\n   interval: fast\n",
       ":3:14: key \"ensembles[0].interval\": \"fast\" is no duration; write a number with its unit, for "
       "example 250ms, 1s "
       "or 2m"},
      {"ensembles:\n - members: [zk1]\n   interval: [1s]\n",
       ":3:14: key \"ensembles[0].interval\": is a list; write a single value"},
      {"ensembles:\n - members: [zk1]\n   interval: 5s\n   detail_interval: 1s\n",
       ":4:21: key \"ensembles[0].detail_interval\": is shorter than the interval; write at least 5000ms"},
      {"ensembles:\n - members: [zk1]\n   timeout: 0s\n",
       ":3:13: key \"ensembles[0].timeout\": \"0s\" is out of range; write 50ms to 60s"},
      {"ensembles:\n - members: [zk1]\n   canary: on\n",
       ":3:12: key \"ensembles[0].canary\": \"on\" is no canary mode; write off, read or write"},
      {"ensembles:\n - members: [zk1]\n   canary: {path: /zookeeper}\n",
       ":3:19: key \"ensembles[0].canary.path\": \"/zookeeper\" belongs to ZooKeeper itself; write an "
       "absolute path of its "
       "own, for example /watchkeeper-canary"},
      {"ensembles:\n - members: [zk1]\n   canary: {auth: 'a:b', auth_file: auth}\n",
       ":3:37: key \"ensembles[0].canary.auth_file\": auth and auth_file exclude each other; remove one of "
       "them"},
      {"ensembles:\n - members: [zk1]\n   canary: {auth_file: secret}\n",
       ":3:24: key \"ensembles[0].canary.auth_file\": the content is no digest credential; write "
       "user:password"},
      {"ensembles:\n - members: [zk1]\n   tls: {ca_file: missing.pem}\n",
       ":3:19: key \"ensembles[0].tls.ca_file\": \"/etc/wk/missing.pem\": the file does not exist; check the "
       "path"},
      {"ensembles:\n - members: [zk1]\n   tls: {cert_file: a.pem}\n",
       ":3:21: key \"ensembles[0].tls.cert_file\": a certificate without its key; name the key file, too"},
      {"ensembles:\n - members: [zk1]\n   tls: {insecure_skip_verify: maybe}\n",
       ":3:32: key \"ensembles[0].tls.insecure_skip_verify\": \"maybe\" is neither true nor false; write one "
       "of them"},
      {"ensembles:\n - members: [zk1]\n   admin_port: 99999\n",
       ":3:16: key \"ensembles[0].admin_port\": \"99999\" is no port; write a number from 1 to 65535"},
      {"ensembles:\n - members: [zk1]\n   admin_command_url: /c\n",
       ":3:23: key \"ensembles[0].admin_command_url\": has no meaning without admin_port; write admin_port, "
       "too"},
      {"ensembles:\n - members: [zk1]\n   http_auth: {username: me}\n",
       ":3:15: key \"ensembles[0].http_auth\": the password is missing; write password or password_file"},
      {"ensembles:\n - members: [zk1]\n   http_auth: {username: me, password_file: none}\n",
       ":3:45: key \"ensembles[0].http_auth.password_file\": \"/etc/wk/none\": the file does not exist; "
       "check the path"},
      {"ensembles:\n - members: [zk1]\n   http_auth: {username: me, password_file: empty}\n",
       ":3:45: key \"ensembles[0].http_auth.password_file\": \"/etc/wk/empty\": the file is empty; write the "
       "secret into it"},
      {"ensembles:\n - {members: [{address: zk1, admin_url: zk1}]}\n",
       ":2:41: key \"ensembles[0].members[0].admin_url\": \"zk1\" is no http:// or https:// URL; write for "
       "example "
       "http://zk1:8080/commands"},
      {"ensembles: [{members: [zk1]}]\nfamilies: [nativ]\n",
       ":2:12: key \"families[0]\": \"nativ\" is no metric family; write native, zk, zookeeper39; did you "
       "mean \"native\"?"},
      {"ensembles: [{members: [zk1]}]\nprobe: all\n",
       ":2:8: key \"probe\": \"all\" is no probe policy; write any, listed or off"},
      {"ensembles: [{members: [zk1]}]\n---\nprobe: any\n",
       ":2:1: a second document begins here; write everything into one"},
      {"ensembles: [{members: [zk1]}]\n? [a, b]\n: c\n",
       ":2:3: key \"?\": a key that is no single word; known keys are ensembles, listen_address, families, "
       "probe"},
  };
  for (const BadCase& bad : cases) {
    const auto config = parse(bad.yaml);
    ASSERT_FALSE(config) << bad.yaml;
    EXPECT_EQ(config.error().message, std::string("/etc/wk/exporter.yaml") + bad.line) << bad.yaml;
  }
}

TEST(Config, ControlCharactersAreRefusedBeforeTheYamlReaderHangsOnThem) {
  const std::string hangs(",ensemblname: memembers: [z\x01\0\0\0[z\x01\0\0\0\0\0\0\0\n", 40);
  EXPECT_THAT(parse(hangs).error().message, HasSubstr(":1:28: a control character (0x01) stands here"));
}

TEST(Config, TextOnWhichTheYamlLibrarysReaderOfSeveralDocumentsHangsIsAFault) { EXPECT_FALSE(parse(",!")); }

TEST(Config, ASecondDocumentIsAFaultButAFirstMarkerIsNot) {
  EXPECT_TRUE(parse("# comment\n---\nensembles:\n  - members: [zk1]\n"));
  EXPECT_THAT(parse("ensembles:\n  - members: [zk1]\n---\na: 1\n").error().message,
              HasSubstr(":3:1: a second document begins here"));
}

TEST(Config, SyntaxErrorsHaveAPlace) {
  for (const char* yaml :
       {"ensembles: [", "a: b: c\n", "\t- x\n", "ensembles: *nobody\n", "'unclosed\n", "{a: 1\n"}) {
    const auto config = parse(yaml);
    ASSERT_FALSE(config) << yaml;
    EXPECT_THAT(config.error().message, ::testing::MatchesRegex("/etc/wk/exporter.yaml:[0-9]+:[0-9]+: .+"))
        << yaml;
    EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
  }
  EXPECT_THAT(parse("a: 1\nensembles: [\n").error().message, HasSubstr("no valid YAML"));
}

TEST(Config, SecretsAreNeverShown) {
  for (const char* yaml :
       {"ensembles:\n - members: [zk1]\n   canary: {auth: hunter2}\n",
        "ensembles:\n - members: [zk1]\n   canary: {auth: 'hunter2:x', auth_file: auth}\n",
        "ensembles:\n - members: [zk1]\n   http_auth: {username: a, password: hunter2, x: 1}\n",
        "ensembles:\n - members: [zk1]\n   http_auth: {username: 'a:b', password: hunter2}\n",
        "ensembles:\n - members: [{address: zk1, admin_url: 'http://a:hunter2@zk1/'}]\n"}) {
    const auto config = parse(yaml);
    ASSERT_FALSE(config) << yaml;
    EXPECT_THAT(config.error().message, Not(HasSubstr("hunter2")));
  }
}

TEST(Config, NumbersOfThingsAreLimited) {
  std::string members = "ensembles:\n - members: [zk0";
  for (std::size_t i = 1; i <= kMemberLimit; ++i) members += ", zk" + std::to_string(i);
  EXPECT_EQ(
      parse(members + "]\n").error().message,
      "/etc/wk/exporter.yaml:2:13: key \"ensembles[0].members\": has 101 items; at most 100 are allowed");
  std::string ensembles = "ensembles:\n";
  for (std::size_t i = 0; i <= kEnsembleLimit; ++i)
    ensembles += " - {name: e" + std::to_string(i) + ", members: [zk]}\n";
  EXPECT_EQ(parse(ensembles).error().message,
            "/etc/wk/exporter.yaml:2:2: key \"ensembles\": has 101 items; at most 100 are allowed");
  EXPECT_EQ(parse(std::string(kConfigFileMax + 1, '#')).error().message,
            "/etc/wk/exporter.yaml: the file is larger than 1048576 bytes; is this the right file?");
}

TEST(Config, DeepNestingIsAnErrorNotACrash) {
  EXPECT_FALSE(parse(std::string(100'000, '[')));
  EXPECT_FALSE(parse(std::string(100'000, '{')));
}

TEST(Config, LoadReadsFromDisk) {
  const auto directory = std::filesystem::path(::testing::TempDir()) / "wk_config_test";
  std::filesystem::create_directories(directory);
  const std::string file = (directory / "exporter.yaml").string();
  std::ofstream(directory / "password") << "open sesame\n";
  std::ofstream(file)
      << "ensembles:\n - members: [zk1]\n   http_auth: {username: u, password_file: password}\n";
  const auto config = load_config(file);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ensembles[0].members[0].http_auth->password, "open sesame");
  EXPECT_EQ(load_config(file + ".gone").error().message,
            file + ".gone: the file does not exist; check the path");
  EXPECT_EQ(load_config(directory.string()).error().message,
            directory.string() + ": this is a directory; name a file");
  std::filesystem::remove_all(directory);
}

TEST(Settings, FlagsWinOverTheFile) {
  Settings file;
  file.listen_addresses = {{"", 1}};
  file.families = {false, true, true};
  file.probe = ProbePolicy::kOff;
  Settings flags;
  flags.families.native = true;
  flags.probe = ProbePolicy::kAny;
  const Settings both = overlay(file, flags);
  EXPECT_EQ(both.listen_addresses, (std::vector<ListenAddress>{ListenAddress{"", 1}}));
  EXPECT_EQ(both.families.native, true);
  EXPECT_EQ(both.families.zk, true);
  EXPECT_EQ(both.families.zookeeper39, true);
  EXPECT_EQ(both.probe, ProbePolicy::kAny);
}

}  // namespace
}  // namespace wk::exporter
