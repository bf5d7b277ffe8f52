#include "exporter/sources/conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/sources/membership.h"
#include "tests/unit/exporter/sources/golden.h"

namespace wk::exporter {
namespace {

TEST(ParseConf, VoterOfApache395) {
  const auto answer =
      answer_of<ConfigurationAnswer>(parse_conf(golden("apache-3.9.5/default-provider/4lw.conf")));
  EXPECT_EQ(answer.server_id, ServerId{3});
  EXPECT_EQ(answer.entry("dataDir"), "/var/lib/zookeeper/version-2");
  EXPECT_EQ(answer.entry_number("tickTime"), 2000);
  EXPECT_EQ(answer.entry_number("maxClientCnxns"), 60);
  EXPECT_EQ(answer.entry_number("secureClientPort"), -1);
  EXPECT_EQ(answer.entries.size(), 18U);
  EXPECT_EQ(answer.membership_version, 0U);
  ASSERT_EQ(answer.membership.size(), 4U);
  EXPECT_EQ(answer.membership[0].id, ServerId{1});
  EXPECT_EQ(answer.membership[0].host, "127.0.0.1");
  EXPECT_EQ(answer.membership[0].quorum_port, 42881);
  EXPECT_EQ(answer.membership[0].election_port, 43881);
  EXPECT_TRUE(answer.membership[0].voter);
  EXPECT_EQ(answer.membership[0].client_address, "");
  EXPECT_FALSE(answer.membership[3].voter);
}

TEST(ParseConf, DynamicConfigurationOfDebian) {
  const auto answer = answer_of<ConfigurationAnswer>(parse_conf(golden("apache-3.8.0-debian/observer.conf")));
  EXPECT_EQ(answer.server_id, ServerId{3});
  EXPECT_EQ(answer.membership_version, 0x100000000U);
  ASSERT_EQ(answer.membership.size(), 3U);
  EXPECT_EQ(answer.membership[0].client_address, "127.0.0.1:42655");
  EXPECT_FALSE(answer.membership[2].voter);
}

TEST(ParseConf, OtherKinds) {
  const auto standalone =
      answer_of<ConfigurationAnswer>(parse_conf(golden("apache-3.8.0-debian/standalone.conf")));
  EXPECT_EQ(standalone.server_id, ServerId{0});
  EXPECT_TRUE(standalone.membership.empty());
  EXPECT_EQ(standalone.membership_version, std::nullopt);
  const auto old = answer_of<ConfigurationAnswer>(parse_conf(golden("apache-3.4/conf")));
  EXPECT_EQ(old.server_id, ServerId{2});
  EXPECT_EQ(old.entry_number("initLimit"), 10);
  const auto keeper = answer_of<ConfigurationAnswer>(parse_conf(golden("clickhouse-keeper/conf")));
  EXPECT_EQ(keeper.server_id, ServerId{1});
  EXPECT_EQ(keeper.entry_number("tcp_port"), 2181);
}

TEST(ParseConf, CutAtAnyByteIsToldUpToTheVersionsDigits) {
  const std::string text = golden("apache-3.8.0-debian/observer.conf");
  const std::size_t digits = text.rfind('=') + 1;
  for (std::size_t length = 1; length < text.size(); ++length) {
    const SourceState state = parse_conf(std::string_view(text).substr(0, length)).state;
    EXPECT_EQ(state, length <= digits ? SourceState::kTruncated : SourceState::kOk) << length;
  }
}

TEST(ParseConf, HostileAnswers) {
  EXPECT_EQ(parse_conf("no equals sign here\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse_conf("conf is not executed because it is not in the whitelist.\n").state,
            SourceState::kNotWhitelisted);
  std::string text;
  for (int i = 0; i < 400; ++i) text += "key" + std::to_string(i) + "=" + std::string(2000, 'v') + "\n";
  const auto answer = answer_of<ConfigurationAnswer>(parse_conf("server_id=1\n" + text));
  EXPECT_EQ(answer.entries.size(), kConfigurationEntryLimit);
  EXPECT_EQ(answer.entry("key7")->size(), kConfigurationTextLimit);
  std::string many = "secureClientPort=-1\nserverId=1\n";
  for (int i = 0; i < 2000; ++i) many += "server." + std::to_string(i) + "=h:1:2\n";
  EXPECT_EQ(answer_of<ConfigurationAnswer>(parse_conf(many + "version=a")).membership.size(),
            kMembershipLimit);
}

TEST(ParseMembershipEntry, Forms) {
  const auto entry = [](std::string_view text) {
    return parse_membership_entry("5", text).value_or(MembershipEntry{});
  };
  EXPECT_EQ(entry("a:1:2").id, ServerId{5});
  EXPECT_EQ(entry("a:1:2").client_address, "");
  EXPECT_TRUE(entry("a:1:2").voter);
  EXPECT_EQ(entry("a:1:2:participant;2181").client_address, "a:2181");
  EXPECT_EQ(entry("a:1:2:participant;0.0.0.0:2181").client_address, "a:2181");
  EXPECT_EQ(entry("a:1:2;b:2181").client_address, "b:2181");
  EXPECT_EQ(entry("a:1:2:observer;b:2181").voter, false);
  EXPECT_EQ(entry("a:1:2|b:1:2").host, "a");
  EXPECT_EQ(entry("a:1:2|b:3:4:observer;2181").voter, false);
  EXPECT_EQ(entry("a:1:2|b:3:4:observer;2181").election_port, 2);
  EXPECT_EQ(entry("[fd00::1]:2888:3888:participant;2181").host, "fd00::1");
  EXPECT_EQ(entry("[fd00::1]:2888:3888:participant;2181").client_address, "[fd00::1]:2181");
  EXPECT_EQ(entry("[fd00::1]:2888:3888;[::]:2181").client_address, "[fd00::1]:2181");
  EXPECT_EQ(entry("[fd00::1]:2888:3888;[fd00::2]:2181").client_address, "[fd00::2]:2181");
  for (const char* bad : {"", "a", "a:1", "a:x:2", "a:1:99999", ":1:2", "[::1:1:2", "a:1:"})
    EXPECT_FALSE(parse_membership_entry("5", bad).has_value()) << bad;
  EXPECT_FALSE(parse_membership_entry("-5", "a:1:2").has_value());
  EXPECT_FALSE(parse_membership_entry("x", "a:1:2").has_value());
}

}  // namespace
}  // namespace wk::exporter
