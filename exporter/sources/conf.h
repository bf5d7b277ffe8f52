// The four-letter word conf: KEY=VALUE lines, and since 3.5 the membership with its version.
//
// Thread: any; pure functions. Source: ConfCommand.java, ServerConfig in ZooKeeperServer.dumpConf.
#pragma once

#include <string_view>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// Most KEY=VALUE entries that are kept, and the longest key or value in bytes.
inline constexpr std::size_t kConfigurationEntryLimit = 256;
inline constexpr std::size_t kConfigurationTextLimit = 1024;

/// ConfigurationAnswer. Each kind of server ends its answer in its own way: a quorum member of 3.5 and later
/// with "version=HEX" (without LF), one of 3.4 with peerType, a standalone server with serverId; ClickHouse
/// Keeper and RaftKeeper (server_id, my_id) with any key. kTruncated when that end is missing. Two cuts
/// cannot be told, for nothing in the text shows them: one within the digits of the version, and one right
/// behind "serverId=0" of a member whose id is 0.
Parsed parse_conf(std::string_view text);

}  // namespace wk::exporter
