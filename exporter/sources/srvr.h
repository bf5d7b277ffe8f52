// The four-letter words srvr and stat: what a server tells even when nothing is whitelisted, and the only
// words that tell the zxid. The lines of clients that stat adds are skipped; cons tells more of them.
//
// Thread: any; pure functions. Source: StatCommand.java, ServerStats.java (toString); reference "metrics",
// section 12.2.
#pragma once

#include <string_view>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// StatusAnswer with role, zxid, latencies, packets, connections, outstanding requests, znodes and, of a
/// leader, proposal sizes. kTruncated when version, zxid, mode or node count is missing, when the text does
/// not end in LF, or when an Apache leader of 3.6 or later lacks its proposal sizes.
Parsed parse_srvr(std::string_view text);

}  // namespace wk::exporter
