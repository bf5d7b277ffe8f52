// The four-letter word mntr: one "zk_KEY TAB VALUE" a line, in every provider's and dialect's spelling.
//
// A line is split at its last TAB, never at blanks: keys of the Prometheus provider hold blanks, quotes and
// braces. Thread: any; pure functions. Source: reference "metrics", section 2; MonitorCommand.java.
#pragma once

#include <span>
#include <string_view>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// StatusAnswer. kTruncated when the text does not end in LF, lacks zk_version or zk_server_state, lacks one
/// of the gauges that every server since 3.4 and every dialect prints, or holds half a summary. A server with
/// the null provider prints only texts; its answer is kOk without measurements.
Parsed parse_mntr(std::string_view text);

/// True of a line of a metric by top-level node. Any client that may create such a node adds ten of them,
/// which stay until the server is restarted; of many, only the first few are of use
/// (StatusBuilder::kNamespaceLimit). Source: ServerMetrics.java, WRITE_PER_NAMESPACE, READ_PER_NAMESPACE and
/// the quotas.
bool is_namespace_line(std::string_view line);

/// One of the gauges that every serving member prints: what a whole answer is told by.
bool is_core_gauge(std::string_view name);
/// True when `status` holds each of them, or the answer named it (`named`): a value may be of no use.
bool has_core_gauges(const StatusAnswer& status, std::span<const std::string_view> named = {});

}  // namespace wk::exporter
