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
/// \return  Errc::kInvalidInput; the message is what is wrong, then "; ", then a correct example
Result<ServerLine> parse_server_line(ServerId id, std::string_view value);

}  // namespace wk::config
