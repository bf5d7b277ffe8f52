// What the first four bytes of a connection are.
//
// Source: server/ServerCnxn.java (cmd2String), NIOServerCnxn.checkFourLetterWord. Thread: any; pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wk::net {

/// Every four-letter word of 3.9. kTelnetClose is what a telnet client sends to close: ff f4 ff fd.
enum class FourLetterWord : std::uint8_t {
  kConf,
  kCons,
  kCrst,
  kDirs,
  kDump,
  kEnvi,
  kGtmk,
  kHash,
  kIsro,
  kMntr,
  kRuok,
  kSrst,
  kSrvr,
  kStat,
  kStmk,
  kWchc,
  kWchp,
  kWchs,
  kTelnetClose
};
inline constexpr std::size_t kFourLetterWordCount = 19;

/// "conf", …; "telnet close" for kTelnetClose, as Apache calls it.
std::string_view name(FourLetterWord word);

struct FirstBytes {
  enum class Kind : std::uint8_t {
    kFrame,  ///< a length, good or bad
    kWord,
    kHttp,      ///< a browser or an HTTP probe
    kTlsHello,  ///< a TLS client
  };
  Kind kind = Kind::kFrame;
  FourLetterWord word = FourLetterWord::kRuok;  ///< of kWord
};

FirstBytes classify(std::span<const std::byte, 4> bytes);

}  // namespace wk::net
