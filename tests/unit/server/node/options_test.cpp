#include "server/node/options.h"

#include <gtest/gtest.h>

#include <vector>

namespace wk::node {
namespace {

Result<Options> parse(const std::vector<const char*>& arguments) { return parse_options(arguments); }

/// The first line of the error.
std::string error_of(const std::vector<const char*>& arguments) {
  const auto options = parse(arguments);
  if (options) return "no error";
  EXPECT_EQ(options.error().code, Errc::kInvalidInput);
  const std::string& message = options.error().message;
  EXPECT_NE(message.find("\n\n" + usage()), std::string::npos) << message;
  return message.substr(0, message.find('\n'));
}

std::vector<std::string> pairs(const Options& options) {
  std::vector<std::string> all;
  for (const config::Override& one : options.overrides) all.push_back(one.key + "=" + one.value);
  return all;
}

TEST(Options, AFileIsRun) {
  const auto options = parse({"/etc/zoo.cfg"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, Options::Action::kRun);
  EXPECT_EQ(options->file, "/etc/zoo.cfg");
  EXPECT_TRUE(options->arguments.empty());
  EXPECT_EQ(options->log_level, "info");
  EXPECT_EQ(options->log_format, std::nullopt);
  EXPECT_FALSE(options->environment);
  EXPECT_FALSE(options->lenient);
  EXPECT_FALSE(options->accept_loss);
}

TEST(Options, PortAndFolderAsApachesMainClass) {
  const auto options = parse({"2181", "/data", "2000", "60"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->file, "");
  EXPECT_EQ(options->arguments, (std::vector<std::string>{"2181", "/data", "2000", "60"}));
}

TEST(Options, PropertiesInEveryForm) {
  const auto options =
      parse({"-Dzookeeper.maxCnxns=7", "--set", "tickTime=1", "--set=a=b=c", "-Dempty", "zoo.cfg"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(pairs(*options),
            (std::vector<std::string>{"zookeeper.maxCnxns=7", "tickTime=1", "a=b=c", "empty="}));
  EXPECT_EQ(options->file, "zoo.cfg");
}

TEST(Options, Flags) {
  const auto options = parse({"--environment", "--lenient", "--accept-loss", "--log.level", "debug",
                              "--log.format=json", "--check", "zoo.cfg"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->environment);
  EXPECT_TRUE(options->lenient);
  EXPECT_TRUE(options->accept_loss);
  EXPECT_NE(usage().find("  --accept-loss  "), std::string::npos);
  EXPECT_EQ(options->log_level, "debug");
  EXPECT_EQ(options->log_format, LogFormat::kJson);
  EXPECT_EQ(options->action, Options::Action::kCheck);
}

TEST(Options, EnvironmentNeedsNoFile) {
  const auto options = parse({"--environment"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->file, "");
}

TEST(Options, VersionAndHelpNeedNothing) {
  EXPECT_EQ(parse({"--version"})->action, Options::Action::kVersion);
  EXPECT_EQ(parse({"--help"})->action, Options::Action::kHelp);
  EXPECT_EQ(parse({"-h"})->action, Options::Action::kHelp);
}

TEST(Options, Purge) {
  const auto options = parse({"--purge", "3", "zoo.cfg"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, Options::Action::kPurge);
  EXPECT_EQ(options->snapshots_to_retain, 3U);
  EXPECT_EQ(parse({"--purge=12", "zoo.cfg"})->snapshots_to_retain, 12U);
  for (const char* const wrong :
       {"--purge=2", "--purge=", "--purge=-3", "--purge=3x", "--purge=99999999999999999999"})
    EXPECT_EQ(error_of({wrong, "zoo.cfg"}), "--purge wants a number of at least 3") << wrong;
}

TEST(Options, Errors) {
  EXPECT_EQ(error_of({}), "give a configuration file, or PORT DATADIR");
  EXPECT_EQ(error_of({"a.cfg", "b.cfg"}), "\"a.cfg\" is no port, and only one file can be given");
  EXPECT_EQ(error_of({"1", "2", "3", "4", "5"}), "Invalid number of arguments:5");
  EXPECT_EQ(error_of({"--unknown", "zoo.cfg"}), "--unknown is no option");
  EXPECT_EQ(error_of({"-v"}), "-v is no option");
  EXPECT_EQ(error_of({"--check=yes", "zoo.cfg"}), "--check takes no value, or is no option");
  EXPECT_EQ(error_of({"zoo.cfg", "--log.level"}), "--log.level wants a value");
  EXPECT_EQ(error_of({"--log.format=xml", "zoo.cfg"}), "--log.format: write text or json");
  EXPECT_EQ(error_of({"-D", "zoo.cfg"}), "-D wants KEY=VALUE");
  EXPECT_EQ(error_of({"-D=value", "zoo.cfg"}), "-D=value wants KEY=VALUE");
  EXPECT_EQ(error_of({"--set", "=v", "zoo.cfg"}), "--set wants KEY=VALUE");
}

}  // namespace
}  // namespace wk::node
