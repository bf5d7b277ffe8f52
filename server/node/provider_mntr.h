// mntr as a server prints it that has the Prometheus provider: the provider's samples, not ZooKeeper's own
// lines.
//
// The samples are those of /metrics, from the same catalogue. Thread: any; pure.
// Source: PrometheusMetricsProvider.java (dump); reference metrics.md, section 2.5; captured from Apache
// ZooKeeper 3.9.5. Differs: nothing tells of a Java virtual machine; label values are escaped.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "exporter/catalogue/process_stats.h"
#include "exporter/model/facts.h"

namespace wk::node {

/// Version and state, then a line `zk_NAME{LABELS} TAB VALUE` for each sample, values as Java's doubles.
std::string provider_mntr_text(std::string_view version, std::string_view state,
                               const exporter::StatusAnswer& status, const exporter::ProcessStats& process,
                               const Moment& now);

}  // namespace wk::node
