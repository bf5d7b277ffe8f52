// Every metric of ZooKeeper 3.9 as this member counts it, under ZooKeeper's names and in its units.
//
// One list for mntr and for /metrics. Metrics of parts that do not exist here (Netty, the AdminServer,
// throttles) are zero, as they are on an Apache server that does not use them; gauges of the quorum are
// absent when standalone. Thread: core. Source: ServerMetrics.java; reference metrics.md, sections 4 and 5.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "exporter/model/facts.h"
#include "server/net/client_port.h"
#include "server/node/node_stats.h"
#include "server/node/surroundings.h"
#include "server/replica/replica.h"

namespace wk::node {

struct MeasurementSources {
  const replica::Replica& replica;
  const net::ClientPort& port;
  const NodeStats& node;
  const RestoreFacts& restored;
  const Surroundings& surroundings;
  std::uint64_t words = 0;  ///< four-letter words since the statistics began
};

/// Sorted by name and key, unique.
std::vector<exporter::Measurement> measurements(const MeasurementSources& from, const Moment& now);

/// The text of mntr: version and state, then one `zk_NAME TAB VALUE` line each.
std::string mntr_text(const std::string& version, std::string_view state,
                      const std::vector<exporter::Measurement>& measurements);

}  // namespace wk::node
