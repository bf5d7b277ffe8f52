#include "server/net/first_bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace wk::net {
namespace {

FirstBytes of(std::string_view text) {
  EXPECT_EQ(text.size(), 4U);
  std::array<std::byte, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes.at(i) = static_cast<std::byte>(text.at(i));
  return classify(bytes);
}

TEST(FirstBytes, EveryWordIsKnownByItsName) {
  constexpr std::array<std::string_view, 18> kWords{"conf", "cons", "crst", "dirs", "dump", "envi",
                                                    "gtmk", "hash", "isro", "mntr", "ruok", "srst",
                                                    "srvr", "stat", "stmk", "wchc", "wchp", "wchs"};
  for (const std::string_view word : kWords) {
    const FirstBytes first = of(word);
    EXPECT_EQ(first.kind, FirstBytes::Kind::kWord) << word;
    EXPECT_EQ(name(first.word), word);
  }
}

TEST(FirstBytes, TelnetCloseIsAWord) {
  const FirstBytes first = of("\xff\xf4\xff\xfd");
  EXPECT_EQ(first.kind, FirstBytes::Kind::kWord);
  EXPECT_EQ(first.word, FourLetterWord::kTelnetClose);
  EXPECT_EQ(name(first.word), "telnet close");
}

TEST(FirstBytes, WordsAreCaseSensitiveAndOldOnesUnknown) {
  for (const std::string_view word : {"RUOK", "Stat", "reqs", "kill", "ruo\n", "\nruo"})
    EXPECT_EQ(of(word).kind, FirstBytes::Kind::kFrame) << word;
}

TEST(FirstBytes, HttpMethods) {
  for (const std::string_view start :
       {"GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE", "CONN", "TRAC", "PATC"})
    EXPECT_EQ(of(start).kind, FirstBytes::Kind::kHttp) << start;
  EXPECT_EQ(of("GETX").kind, FirstBytes::Kind::kFrame);
  EXPECT_EQ(of("get ").kind, FirstBytes::Kind::kFrame);
}

TEST(FirstBytes, TlsHelloOfEveryVersion) {
  using namespace std::string_view_literals;
  for (const std::string_view hello : {"\x16\x03\x01\x02"sv, "\x16\x03\x03\x00"sv, "\x16\x03\x00\xff"sv})
    EXPECT_EQ(of(hello).kind, FirstBytes::Kind::kTlsHello);
  EXPECT_EQ(of("\x16\x02\x01\x02"sv).kind, FirstBytes::Kind::kFrame);
}

TEST(FirstBytes, LengthsAreFrames) {
  using namespace std::string_view_literals;
  for (const std::string_view length :
       {"\0\0\0\0"sv, "\0\0\0\x2d"sv, "\0\x0f\xff\xff"sv, "\xff\xff\xff\xff"sv})
    EXPECT_EQ(of(length).kind, FirstBytes::Kind::kFrame);
}

}  // namespace
}  // namespace wk::net
