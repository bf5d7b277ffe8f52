// The lines `server.N=…` of a membership, as conf and the dynamic configuration print them.
//
// Thread: any; pure functions. Source: quorum/QuorumPeer.java (QuorumServer: constructor and toString).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporter/model/facts.h"

namespace wk::exporter {

/// Most entries of a membership that are kept.
inline constexpr std::size_t kMembershipLimit = 1024;

/// One entry from the id and what stands behind "=":
///   HOST:QUORUM:ELECTION[:participant|:observer][|HOST:QUORUM:ELECTION[…]]…[;[CLIENTHOST:]CLIENTPORT]
/// with IPv6 addresses in brackets. Of several addresses the first one counts. A client port without a host,
/// or with a wildcard host, is told with the quorum address' host, since that is where a client finds it.
/// Nothing when id, host or a port cannot be read.
std::optional<MembershipEntry> parse_membership_entry(std::string_view id, std::string_view text);

/// "HOST:PORT" of a member's client port, from an address that may be a bare port, have a wildcard host, or
/// be empty.
std::string client_address(std::string_view address, std::string_view quorum_host);

}  // namespace wk::exporter
