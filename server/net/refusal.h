// Why the client port takes no connection, or ends one by itself.
//
// Thread: any; plain values.
#pragma once

#include <cstdint>

namespace wk::net {

/// Why a connection was not taken or not kept, for the log; the counters are in ClientPortStats.
enum class Refusal : std::uint8_t {
  kAddressLimit,
  kTotalLimit,
  kNoDescriptor,  ///< the process may open no more files for clients
  kFrameTooLong,  ///< `number` is the length
  kHttp,
  kTlsHello,
  kUnansweredTooLong,
  kDoesNotRead,  ///< `number` bytes are unsent
};

}  // namespace wk::net
