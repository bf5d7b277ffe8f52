// Texts of four-letter words against what Apache ZooKeeper 3.9.5 and 3.8.0 sent (tests/golden), byte for
// byte.
#include "server/node/word_texts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

namespace wk::node {
namespace {

std::string golden(const std::string& name) {
  const std::string path = std::string(WK_SOURCE_DIR) + "/tests/golden/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string golden_395(const std::string& word) {
  return golden("apache-3.9.5/default-provider/4lw." + word);
}

/// The captured server led an ensemble; a leader's last line is not ours to print yet.
std::string without_last_line(std::string text) {
  text.pop_back();
  return text.substr(0, text.rfind('\n') + 1);
}

ServerStatus captured_status() {
  return {.version = "3.9.5-293c895a8d966a3ecb92872be4a1daf87d725da2, built on 2026-02-11 20:15 UTC",
          .latency_min_ms = 0,
          .latency_mean_ms = 0.46453,
          .latency_max_ms = 3,
          .received = 194,
          .sent = 255,
          .connections = 2,
          .outstanding = 0,
          .zxid = Zxid{0x100000155},
          .mode = "leader",
          .nodes = 222};
}

ConnectionLine brief(std::uint16_t port, int interest, std::uint64_t received) {
  return {.address = "127.0.0.1",
          .port = port,
          .interest_ops = interest,
          .queued = 0,
          .received = received,
          .sent = 0,
          .session = std::nullopt};
}

constexpr SessionId kCaptured{0x3000013b2b50000};

ConnectionLine::Session captured_session() {
  ConnectionLine::Session session;
  session.id = kCaptured;
  session.last_operation = "PING";
  session.established_ms = 1795295428786;
  session.timeout_ms = 10000;
  session.last_cxid = 0xb4;
  session.last_zxid = Zxid{0x100000155};
  session.last_response_ms = 1328990;
  session.latency_last_ms = 1;
  session.latency_max_ms = 3;
  return session;
}

TEST(WordTexts, Srvr) { EXPECT_EQ(srvr_text(captured_status()), without_last_line(golden_395("srvr"))); }

TEST(WordTexts, SrvrOfAnEmptyStandaloneServer) {
  ServerStatus status;
  status.version = "3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC";
  status.received = 3;
  status.sent = 2;
  status.connections = 1;
  status.nodes = 5;
  EXPECT_EQ(srvr_text(status), golden("apache-3.8.0-debian/standalone.srvr"));
}

TEST(WordTexts, Stat) {
  ServerStatus status = captured_status();
  status.received = 195;
  status.sent = 256;
  const std::vector<ConnectionLine> connections{brief(46690, 1, 0), brief(46782, 0, 1)};
  EXPECT_EQ(stat_text(status, connections), without_last_line(golden_395("stat")));
}

TEST(WordTexts, StatTellsNothingOfSessions) {
  ConnectionLine line = brief(46690, 1, 0);
  line.session = captured_session();
  EXPECT_EQ(stat_text(captured_status(), {{line}}), stat_text(captured_status(), {{brief(46690, 1, 0)}}));
}

TEST(WordTexts, Cons) {
  ConnectionLine with_session = brief(46690, 1, 183);
  with_session.sent = 243;
  with_session.session = captured_session();
  const std::vector<ConnectionLine> connections{brief(46710, 0, 1), with_session};
  EXPECT_EQ(cons_text(connections), golden_395("cons"));
  EXPECT_EQ(cons_text({{brief(42188, 0, 1)}}), golden("apache-3.8.0-debian/standalone.cons"));
}

TEST(WordTexts, ConsOfASessionThatHasAskedNothing) {
  ConnectionLine line = brief(1, 1, 1);
  line.session = ConnectionLine::Session{};
  line.session->id = SessionId{-1};
  EXPECT_EQ(cons_text({{line}}),
            " /127.0.0.1:1[1](queued=0,recved=1,sent=0,sid=0xffffffffffffffff,lop=NA,est=0,to=0,"
            "lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0)\n\n");
}

TEST(WordTexts, ConsPrintsInterestInHexadecimal) {
  ConnectionLine line = brief(1, 13, 0);
  line.queued = 7;
  EXPECT_EQ(cons_text({{line}}), " /127.0.0.1:1[d](queued=7,recved=0,sent=0)\n\n");
}

TEST(WordTexts, AnIp6AddressStandsInBrackets) {
  ConnectionLine line = brief(54321, 1, 0);
  line.address = "0:0:0:0:0:0:0:1";
  const std::string expected = " /[0:0:0:0:0:0:0:1]:54321[1](queued=0,recved=0,sent=0)\n\n";
  EXPECT_EQ(cons_text({{line}}), expected);
  EXPECT_NE(stat_text(captured_status(), {{line}}).find("\nClients:\n" + expected), std::string::npos);
}

TEST(WordTexts, Conf) {
  EXPECT_EQ(conf_text({{"clientPort", "58665"},
                       {"secureClientPort", "-1"},
                       {"dataDir", "/var/lib/zookeeper/version-2"},
                       {"dataDirSize", "457"},
                       {"dataLogDir", "/var/lib/zookeeper/version-2"},
                       {"dataLogSize", "457"},
                       {"tickTime", "2000"},
                       {"maxClientCnxns", "60"},
                       {"minSessionTimeout", "4000"},
                       {"maxSessionTimeout", "40000"},
                       {"clientPortListenBacklog", "-1"},
                       {"serverId", "0"}}),
            golden("apache-3.8.0-debian/standalone.conf"));
}

TEST(WordTexts, Envi) {
  EXPECT_EQ(envi_text({{"java.version", "none"}, {"os.name", "Linux"}}),
            "Environment:\njava.version=none\nos.name=Linux\n");
}

TEST(WordTexts, Dump) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const auto at = [](int second) {
    return std::chrono::system_clock::time_point{std::chrono::seconds{1'795'295'400 + second}};
  };
  DumpFacts facts;
  facts.sessions = {
      {at(39), {}},
      {at(41), {}},
      {at(43), {}},
      {at(47), {"0x3000013b2b50000", "0x4000013b2b10000", "0x1000013b2ff0000", "0x2000013b2b10000"}}};
  facts.ephemerals = {{SessionId{0x2000013b2b10000}, {"/app/eph"}}};
  facts.connections = {{at(47), {"ip: /127.0.0.1:46690 sessionId: 0x3000013b2b50000"}},
                       {at(57), {"ip: /127.0.0.1:46730 sessionId: 0x0"}}};
  EXPECT_EQ(dump_text(facts), golden_395("dump"));
  ::unsetenv("TZ");
  ::tzset();
}

TEST(WordTexts, Wchs) {
  EXPECT_EQ(wchs_text(1, 60, 60), golden_395("wchs"));
  EXPECT_EQ(wchs_text(0, 0, 0), golden("apache-3.8.0-debian/standalone.wchs"));
}

/// Lines of a text, sorted: Apache's order is that of its hash tables.
std::vector<std::string> sorted_blocks(const std::string& text, std::size_t lines_a_block) {
  std::vector<std::string> blocks;
  std::size_t lines = 0;
  std::string block;
  for (const char c : text) {
    block.push_back(c);
    if (c == '\n' && ++lines % lines_a_block == 0) {
      blocks.push_back(block);
      block.clear();
    }
  }
  blocks.push_back(block);
  std::sort(blocks.begin(), blocks.end());
  return blocks;
}

std::vector<std::string> captured_paths() {
  std::vector<std::string> paths;
  for (const std::string& line : sorted_blocks(golden_395("wchc"), 1))
    if (line.starts_with("\t")) paths.push_back(line.substr(1, line.size() - 2));
  EXPECT_EQ(paths.size(), 60U);
  return paths;
}

TEST(WordTexts, WatchesByPath) {
  std::map<std::string, std::vector<SessionId>> watches;
  for (const std::string& path : captured_paths()) watches[path].push_back(kCaptured);
  const std::string text = wchp_text(watches);
  EXPECT_EQ(sorted_blocks(text, 2), sorted_blocks(golden_395("wchp"), 2));
  EXPECT_EQ(text.substr(text.size() - 2), "\n\n");
}

TEST(WordTexts, WatchesBySession) {
  const std::string text = wchc_text({{kCaptured, captured_paths()}});
  EXPECT_EQ(sorted_blocks(text, 1), sorted_blocks(golden_395("wchc"), 1));
  EXPECT_EQ(text.substr(0, text.find('\n')), "0x3000013b2b50000");
  EXPECT_EQ(wchc_text({}), "\n");
}

TEST(WordTexts, Dirs) { EXPECT_EQ(dirs_text(457, 457), golden("apache-3.8.0-debian/standalone.dirs")); }

TEST(WordTexts, Hash) {
  const std::vector<std::pair<Zxid, std::uint64_t>> digests{{Zxid{0x100000080}, 209222526652U},
                                                            {Zxid{0x100000100}, 424080379975U}};
  EXPECT_EQ(hash_text(digests), golden_395("hash"));
  EXPECT_EQ(hash_text({}), "");
}

TEST(WordTexts, HashIsASignedNumber) { EXPECT_EQ(hash_text({{{Zxid{1}, 0xffffffffffffffffU}}}), "1: -1\n"); }

TEST(WordTexts, FixedAnswers) {
  EXPECT_EQ(kRuokText, golden_395("ruok"));
  EXPECT_EQ(kCrstText, golden_395("crst"));
  EXPECT_EQ(kSrstText, "Server stats reset.\n");
}

TEST(WordTexts, NotInTheWhitelist) {
  EXPECT_EQ(not_whitelisted_text(net::FourLetterWord::kMntr), golden("apache-3.8.0-debian/denied.mntr"));
  EXPECT_EQ(not_whitelisted_text(net::FourLetterWord::kIsro), golden("apache-3.8.0-debian/denied.isro"));
  EXPECT_EQ(not_whitelisted_text(net::FourLetterWord::kTelnetClose),
            "telnet close is not executed because it is not in the whitelist.\n");
}

}  // namespace
}  // namespace wk::node
