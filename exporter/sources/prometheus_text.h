// The text exposition of the Prometheus provider (3.6 to 3.9: 0.0.4 with trailing commas; 3.10:
// client_java 1.x or OpenMetrics) and of ClickHouse Keeper's endpoint.
//
// Own reader, because no library of the house reads expositions; it takes what these endpoints print and
// drops the rest. The text does not tell version or, except by presence, role: leader_uptime is only there on
// a leader; quorum_size only in an ensemble; synced_observers (also 0) on followers, not on observers.
// Thread: any; pure functions. Source: reference "metrics", sections 3, 8, 10, 12.2 and 15.
#pragma once

#include <string_view>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// StatusAnswer. kNotServing when the scrape is whole and ZooKeeper's, but all gauges of a serving member are
/// gone (only counters, summaries and outstanding_tls_handshake stay); kTruncated when the text does not end
/// in LF or only some of those gauges are missing; kMalformed when no metric of ZooKeeper's or ClickHouse
/// Keeper's is in it. Differs: ClickHouseAsyncMetrics_Uptime is not taken as `uptime`, for it is the age of
/// the process, not of the role.
Parsed parse_prometheus_text(std::string_view text);

}  // namespace wk::exporter
