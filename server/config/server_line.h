// The value of a `server.N` line.
//
// Source: quorum/QuorumPeer.QuorumServer. Thread: any; pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "server/config/config.h"

namespace wk::config {

/// Reads `host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort]`, with several
/// addresses separated by `|` before the semicolon. IPv6 addresses stand in brackets. Ports are 0 … 65535.
/// A separator with nothing behind it counts for nothing, as Java's String.split has it; blanks around the
/// role, too. The client address is that of every interface without a host, and loopback with an empty one.
/// \return  Errc::kInvalidInput; the message is what is wrong, then "; ", then a correct example
Result<ServerLine> parse_server_line(ServerId id, std::string_view value);

}  // namespace wk::config
