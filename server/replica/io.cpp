#include "server/replica/io.h"

namespace wk::replica {
namespace {

// The content goes, and so does the memory when one huge output has made it large.
void clear_arena(std::vector<std::byte>& arena) {
  if (arena.capacity() > Output::kArenaKeep)
    std::vector<std::byte>().swap(arena);
  else
    arena.clear();
}

}  // namespace

const char* name(CloseReason reason) {
  switch (reason) {
    case CloseReason::kClientAsked:
      return "client_asked";
    case CloseReason::kSessionRefused:
      return "session_refused";
    case CloseReason::kSessionExpired:
      return "session_expired";
    case CloseReason::kSessionTakenOver:
      return "session_taken_over";
    case CloseReason::kMalformed:
      return "malformed";
    case CloseReason::kUnknownOperation:
      return "unknown_operation";
    case CloseReason::kAuthFailed:
      return "auth_failed";
    case CloseReason::kClientAhead:
      return "client_ahead";
    case CloseReason::kNoLogSpace:
      return "no_log_space";
    case CloseReason::kFrameTooLong:
      return "frame_too_long";
    case CloseReason::kDoesNotRead:
      return "does_not_read";
    case CloseReason::kUnanswered:
      return "unanswered";
  }
  return "unknown";
}

void Output::clear() {
  clear_arena(bytes);
  sends.clear();
  closes.clear();
  flows.clear();
  clear_arena(log_bytes);
  appends.clear();
  start_snapshot.reset();
  applied = 0;
  more_work = false;
}

}  // namespace wk::replica
