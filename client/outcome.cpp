#include "client/outcome.h"

#include "base/check.h"

namespace wk::client {

const char* name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kConnectionLoss:
      return "connection_loss";
    case FaultKind::kTimedOut:
      return "timed_out";
    case FaultKind::kSessionExpired:
      return "session_expired";
    case FaultKind::kAuthFailed:
      return "auth_failed";
    case FaultKind::kClosed:
      return "closed";
    case FaultKind::kLimit:
      return "limit";
    case FaultKind::kMalformedReply:
      return "malformed_reply";
  }
  return "connection_loss";
}

void throw_exception_from_error(const Fault& fault, const boost::source_location& location) {
  check_failed("Outcome::value() of a fault", location.file_name(), static_cast<int>(location.line()),
               fault.message);
}

}  // namespace wk::client
