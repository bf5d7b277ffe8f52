// What a parser makes of one answer: the state that the text itself tells, and the facts when it is whole.
//
// The poller knows the states below TCP, TLS and HTTP; the parsers know those that only the text shows (not
// whitelisted, not serving, truncated, malformed). Thread: any; plain values.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "exporter/model/facts.h"
#include "exporter/sources/text.h"

namespace wk::exporter {

/// Longest text for people that an answer may carry on, in bytes.
inline constexpr std::size_t kDetailLimit = 256;

struct Parsed {
  SourceState state = SourceState::kMalformed;
  std::string detail;  ///< empty for kOk; otherwise what is wrong, printable, at most kDetailLimit bytes
  Answer answer;       ///< monostate unless state is kOk
};

inline Parsed parsed_ok(Answer answer) { return {SourceState::kOk, {}, std::move(answer)}; }

inline Parsed parsed_failure(SourceState state, std::string_view detail) {
  return {state, clean_text(detail, kDetailLimit), std::monostate{}};
}

}  // namespace wk::exporter
