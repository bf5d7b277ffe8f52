#include "server/net/first_bytes.h"

#include <algorithm>

namespace wk::net {
namespace {

constexpr std::array<std::string_view, kFourLetterWordCount> kNames{
    "conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro",        "mntr",
    "ruok", "srst", "srvr", "stat", "stmk", "wchc", "wchp", "wchs", "telnet close"};
constexpr std::string_view kTelnetCloseBytes = "\xff\xf4\xff\xfd";
constexpr std::array<std::string_view, 9> kHttpMethods{"GET ", "POST", "HEAD", "PUT ", "OPTI",
                                                       "DELE", "CONN", "TRAC", "PATC"};
constexpr std::string_view kTlsHandshake = "\x16\x03";

}  // namespace

std::string_view name(FourLetterWord word) { return kNames.at(static_cast<std::size_t>(word)); }

FirstBytes classify(std::span<const std::byte, 4> bytes) {
  std::array<char, 4> text{};
  std::ranges::transform(bytes, text.begin(), [](std::byte b) { return static_cast<char>(b); });
  const std::string_view first(text.data(), text.size());
  if (first == kTelnetCloseBytes) return {FirstBytes::Kind::kWord, FourLetterWord::kTelnetClose};
  if (const auto found = std::ranges::find(kNames, first); found != kNames.end())
    return {FirstBytes::Kind::kWord, static_cast<FourLetterWord>(found - kNames.begin())};
  if (std::ranges::find(kHttpMethods, first) != kHttpMethods.end()) return {FirstBytes::Kind::kHttp, {}};
  if (first.starts_with(kTlsHandshake)) return {FirstBytes::Kind::kTlsHello, {}};
  return {FirstBytes::Kind::kFrame, {}};
}

}  // namespace wk::net
