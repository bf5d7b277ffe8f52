// Logging front: spdlog to standard error, text or JSON, one event a line.
//
// Callers use spdlog's own functions (spdlog::info("…")). Control characters in arguments that a peer chose
// must be passed through printable(), so that no peer can forge a log line. Thread: start_logging once from
// main before other threads exist; printable from any.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace wk {

enum class LogFormat { kText, kJson };

/// Routes spdlog's default logger to standard error through its bounded asynchronous queue (oldest lines are
/// overwritten when the sink stalls; a slow terminal never stalls the program).
/// \param level  one of trace, debug, info, warn, error, critical
/// \return       Errc::kInvalidInput with the accepted words when `level` is none of them
Result<void> start_logging(std::string_view level, LogFormat format);

/// `text` with control characters and bytes outside ASCII replaced by \xNN, cut at `limit` characters with
/// "…" added.
std::string printable(std::string_view text, std::size_t limit = 256);

}  // namespace wk
