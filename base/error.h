// Operating faults as values: what happened, where, what was expected and what was found.
//
// Use Result<T> for faults that the owner decides about (socket, file, malformed input). Outcomes that are
// part of the protocol are jute::ErrorCode; broken invariants are WK_CHECK (base/check.h). Thread: any; plain
// values.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

namespace wk {

/// What kind of operating fault happened. Each value is what a caller can act on, not a description.
enum class Errc {
  kInvalidInput,  ///< bytes or text that the format does not allow
  kTooLarge,      ///< a documented limit was passed
  kTruncated,     ///< input ended before it was complete
  kUnresolved,    ///< a host name could not be resolved
  kRefused,       ///< nobody listens at that address and port
  kUnreachable,   ///< no route, or the network refused
  kTimedOut,      ///< the deadline passed
  kClosed,        ///< the peer closed the connection
  kTls,           ///< TLS handshake or certificate failure
  kIo,            ///< any other fault of the operating system
  kNotFound,      ///< the thing asked for is not there
  kNotAllowed,    ///< the peer or the configuration forbids it
  kNoSpace,       ///< the device or the quota is full; free space and try again
  kCancelled,     ///< given up by this process (shutting down)
};

/// Short stable name of a fault, fit for a label value: "refused", "timed_out", …
const char* name(Errc code);

/// A fault with a message for an operator: what happened, where (file and line, or peer and port), what to
/// do.
struct Error {
  Errc code = Errc::kIo;
  std::string message;
};

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& location);

/// Value or Error; dropping it unread is a compiler warning, hence an error here.
template <typename T>
using Result = boost::system::result<T, Error>;

}  // namespace wk
