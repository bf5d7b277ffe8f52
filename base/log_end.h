// How a program ends that logs: what is queued is written if somebody takes it, and nobody waits for ever for
// a reader of standard error that reads no more.
//
// Thread: any.
#pragma once

#include <chrono>
#include <string_view>

namespace wk {

/// How long standard error may take for what is queued.
inline constexpr std::chrono::seconds kLogPatience{1};

/// Writes what is queued, and ends logging; nothing may be logged any more. Main calls it last.
/// \return  false when standard error does not take it in time: the log's thread still waits, so that only
///          _exit() or std::abort() may follow
[[nodiscard]] bool end_logging();

/// end_logging(), then ends the process at once with this status: no destructor runs, no thread is waited
/// for.
[[noreturn]] void leave(int status);

/// Writes to standard error if it takes that at once; for those who cannot log any more.
void say(std::string_view text);

}  // namespace wk
