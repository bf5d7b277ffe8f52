// How a request ends: with a server's answer, whatever it says, or with the fault that prevented one.
//
// Thread: any; plain values.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "jute/records.h"

namespace wk::client {

/// Why a request got no answer from a server.
enum class FaultKind {
  kConnectionLoss,  ///< no connection, or it was lost before the reply: a write may or may not have happened
  kTimedOut,  ///< the request's own deadline passed: likewise; the connection stays, a late reply is dropped
  kSessionExpired,  ///< the session is over
  kAuthFailed,      ///< the session was given up because credentials were refused
  kClosed,          ///< close() was called
  kLimit,  ///< not sent: a limit was reached (outstanding requests, watches, frame size, write queue)
  kMalformedReply,  ///< the reply could not be decoded; the connection is dropped
};

/// Short stable name, fit for a label value: "connection_loss", …
const char* name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kConnectionLoss;
  std::string message;  ///< for an operator: what, where, what to do
};

[[noreturn]] void throw_exception_from_error(const Fault& fault, const boost::source_location& location);

/// The answer of a server.
template <typename T>
struct Reply {
  jute::ErrorCode error = jute::ErrorCode::kOk;
  Zxid zxid{};  ///< last one the server had applied when it answered
  T value{};    ///< meaningful when `error` is kOk
};

/// An answer, whatever it says, or the fault that prevented one.
template <typename T>
using Outcome = boost::system::result<Reply<T>, Fault>;

template <typename T>
using Callback = std::function<void(Outcome<T>)>;

}  // namespace wk::client
