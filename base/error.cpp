#include "base/error.h"

#include "base/check.h"

namespace wk {

const char* name(Errc code) {
  switch (code) {
    case Errc::kInvalidInput:
      return "invalid_input";
    case Errc::kTooLarge:
      return "too_large";
    case Errc::kTruncated:
      return "truncated";
    case Errc::kUnresolved:
      return "unresolved";
    case Errc::kRefused:
      return "refused";
    case Errc::kUnreachable:
      return "unreachable";
    case Errc::kTimedOut:
      return "timed_out";
    case Errc::kClosed:
      return "closed";
    case Errc::kTls:
      return "tls_failure";
    case Errc::kIo:
      return "io";
    case Errc::kNotFound:
      return "not_found";
    case Errc::kNotAllowed:
      return "not_allowed";
    case Errc::kNoSpace:
      return "no_space";
    case Errc::kCancelled:
      return "cancelled";
  }
  return "io";
}

void throw_exception_from_error(const Error& error, const boost::source_location& location) {
  // Reading the value of a failed Result is a broken invariant of the caller, not an operating fault.
  check_failed("Result::value() of an error", location.file_name(), static_cast<int>(location.line()),
               error.message);
}

}  // namespace wk
