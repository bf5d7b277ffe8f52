#include "exporter/sources/four_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/sources/conf.h"
#include "exporter/sources/cons.h"
#include "exporter/sources/srvr.h"
#include "tests/unit/exporter/sources/golden.h"

namespace wk::exporter {
namespace {

const std::string kDefault = "apache-3.9.5/default-provider/4lw.";

TEST(Classify, GeneralReplies) {
  const auto state = [](std::string_view text) {
    const auto general = classify(text);
    return general ? std::optional(general->state) : std::nullopt;
  };
  EXPECT_EQ(state(""), SourceState::kClosed);
  EXPECT_EQ(state("This ZooKeeper instance is not currently serving requests\n"), SourceState::kNotServing);
  EXPECT_EQ(state("This instance is not currently serving requests"), SourceState::kNotServing);
  EXPECT_EQ(state("wchs is not executed because it is not in the whitelist.\n"),
            SourceState::kNotWhitelisted);
  EXPECT_EQ(state("This ZooKeeper instance is not curr"), SourceState::kTruncated);
  EXPECT_EQ(state("wchs is not executed bec"), SourceState::kTruncated);
  EXPECT_EQ(state("HTTP/1.1 400 Bad Request\r\n\r\n"), SourceState::kMalformed);
  EXPECT_EQ(state("<html>"), SourceState::kMalformed);
  EXPECT_EQ(state(std::string_view("\x15\x03\x03\x00\x02\x02\x46", 7)), SourceState::kTlsFailure);
  EXPECT_EQ(state("imok"), std::nullopt);
  EXPECT_EQ(state("rw"), std::nullopt);
}

TEST(Classify, DetailIsPrintableAndBounded) {
  const auto general =
      classify("This instance is not currently serving requests \x1b[31m" + std::string(5000, 'x'));
  ASSERT_TRUE(general.has_value());
  EXPECT_EQ(general->detail.size(), kDetailLimit);
  EXPECT_THAT(general->detail,
              testing::StartsWith("This instance is not currently serving requests ?[31mxxx"));
}

TEST(ParseRuok, Answers) {
  EXPECT_TRUE(answer_of<RuokAnswer>(parse_ruok(golden(kDefault + "ruok"))).imok);
  EXPECT_TRUE(answer_of<RuokAnswer>(parse_ruok(golden("apache-3.8.0-debian/looking.ruok"))).imok);
  EXPECT_EQ(parse_ruok("imo").state, SourceState::kTruncated);
  EXPECT_EQ(parse_ruok("imok!").state, SourceState::kMalformed);
  EXPECT_EQ(parse_ruok("ruok is not executed because it is not in the whitelist.\n").state,
            SourceState::kNotWhitelisted);
}

TEST(ParseIsro, Answers) {
  EXPECT_EQ(answer_of<IsroAnswer>(parse_isro(golden(kDefault + "isro"))).mode, IsroAnswer::Mode::kReadWrite);
  EXPECT_EQ(answer_of<IsroAnswer>(parse_isro("ro")).mode, IsroAnswer::Mode::kReadOnly);
  EXPECT_EQ(answer_of<IsroAnswer>(parse_isro(golden("apache-3.8.0-debian/looking.isro"))).mode,
            IsroAnswer::Mode::kNull);
  EXPECT_EQ(parse_isro(golden("apache-3.8.0-debian/denied.isro")).state, SourceState::kNotWhitelisted);
  EXPECT_EQ(parse_isro("r").state, SourceState::kTruncated);
  EXPECT_EQ(parse_isro("rx").state, SourceState::kMalformed);
}

TEST(ParseDirs, Answers) {
  EXPECT_EQ(parse_dirs(golden(kDefault + "dirs")).state, SourceState::kClosed) << "the capture is empty";
  const auto apache = answer_of<DirsAnswer>(parse_dirs(golden("apache-3.8.0-debian/leader.dirs")));
  EXPECT_EQ(apache.snapshot_bytes, 642U);
  EXPECT_EQ(apache.log_bytes, 642U);
  const auto keeper = answer_of<DirsAnswer>(parse_dirs(golden("clickhouse-keeper/dirs")));
  EXPECT_EQ(keeper.snapshot_bytes, 17U);
  EXPECT_EQ(keeper.log_bytes, 3875U);
  EXPECT_EQ(answer_of<DirsAnswer>(parse_dirs("datadir_size: -1\nlogdir_size: 5\n")).snapshot_bytes,
            std::nullopt);
  EXPECT_EQ(parse_dirs("datadir_size: many\nlogdir_size: 5\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse_dirs("hello\n").state, SourceState::kMalformed);
}

TEST(ParseWchs, Answers) {
  const auto answer = answer_of<WatchesAnswer>(parse_wchs(golden(kDefault + "wchs")));
  EXPECT_EQ(answer.connections, 1U);
  EXPECT_EQ(answer.paths, 60U);
  EXPECT_EQ(answer.watches, 60U);
  EXPECT_EQ(answer_of<WatchesAnswer>(parse_wchs(golden("apache-3.8.0-debian/leader.wchs"))).watches, 0U);
  EXPECT_EQ(parse_wchs("x connections watching 1 paths\nTotal watches:1\n").state, SourceState::kMalformed);
  EXPECT_EQ(parse_wchs("1 connections watching 1 paths\nTotal watches:99999999999999999999\n").state,
            SourceState::kMalformed);
}

TEST(ParseHash, Answers) {
  const auto answer = answer_of<DigestsAnswer>(parse_hash(golden(kDefault + "hash")));
  ASSERT_EQ(answer.digests.size(), 2U);
  EXPECT_EQ(answer.digests[0], (Digest{Zxid{0x100000080}, 209222526652}));
  EXPECT_EQ(answer.digests[1], (Digest{Zxid{0x100000100}, 424080379975}));
  EXPECT_TRUE(answer_of<DigestsAnswer>(parse_hash("")).digests.empty());
  EXPECT_EQ(parse_hash(golden("apache-3.8.0-debian/looking.hash")).state, SourceState::kNotServing);
  EXPECT_EQ(answer_of<DigestsAnswer>(parse_hash("80: -2\n")).digests[0].value, 0xFFFFFFFFFFFFFFFEU);
  EXPECT_EQ(parse_hash("zz: 1\n").state, SourceState::kMalformed);
}

TEST(ParseHash, IsOldestFirstInWhateverOrderItIsTold) {
  const auto answer = answer_of<DigestsAnswer>(parse_hash("180: 3\n80: 1\n100: 2\n"));
  ASSERT_EQ(answer.digests.size(), 3U);
  EXPECT_EQ(answer.digests[0], (Digest{Zxid{0x80}, 1}));
  EXPECT_EQ(answer.digests[1], (Digest{Zxid{0x100}, 2}));
  EXPECT_EQ(answer.digests[2], (Digest{Zxid{0x180}, 3}));
}

TEST(ParseHash, KeepsTheNewest) {
  std::string text;
  for (int i = 1; i <= 600; ++i) text += std::to_string(i) + ": " + std::to_string(i) + "\n";
  const auto answer = answer_of<DigestsAnswer>(parse_hash(text));
  ASSERT_EQ(answer.digests.size(), DigestsAnswer::kLimit);
  EXPECT_EQ(answer.digests.front().value, 89U);
  EXPECT_EQ(answer.digests.back().value, 600U);
}

// Words whose answers end in LF: every cut must be told.
TEST(FourLetterWords, CutAtAnyByteIsTold) {
  struct Word {
    Parsed (*parse)(std::string_view);
    std::string path;
  };
  for (const auto& [parse, path] :
       {Word{parse_ruok, kDefault + "ruok"}, Word{parse_isro, kDefault + "isro"},
        Word{parse_dirs, "apache-3.8.0-debian/leader.dirs"}, Word{parse_wchs, kDefault + "wchs"},
        Word{parse_cons, kDefault + "cons"}, Word{parse_srvr, kDefault + "srvr"},
        Word{parse_srvr, kDefault + "stat"}, Word{parse_srvr, "apache-3.4/srvr"},
        Word{parse_srvr, "clickhouse-keeper/srvr"}, Word{parse_conf, "apache-3.4/conf"},
        Word{parse_conf, "apache-3.8.0-debian/standalone.conf"},
        Word{parse_isro, "apache-3.8.0-debian/looking.isro"}}) {
    const std::string text = golden(path);
    EXPECT_EQ(parse(text).state, SourceState::kOk) << path;
    EXPECT_EQ(parse(std::string_view()).state, SourceState::kClosed) << path;
    for (std::size_t length = 1; length < text.size(); ++length)
      EXPECT_EQ(parse(std::string_view(text).substr(0, length)).state, SourceState::kTruncated)
          << path << " " << length;
  }
}

TEST(ParseHash, CutIsToldExceptBetweenLines) {
  const std::string text = golden(kDefault + "hash");
  for (std::size_t length = 1; length < text.size(); ++length) {
    const Parsed parsed = parse_hash(std::string_view(text).substr(0, length));
    if (text[length - 1] == '\n') {
      EXPECT_EQ(answer_of<DigestsAnswer>(parsed).digests.size(), 1U);
    } else {
      EXPECT_EQ(parsed.state, SourceState::kTruncated) << length;
    }
  }
}

}  // namespace
}  // namespace wk::exporter
