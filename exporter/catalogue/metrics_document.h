// docs/METRICS.md and the list of names, generated from the catalogue.
//
// Thread: any; pure.
#pragma once

#include <string>

namespace wk::exporter {

/// The whole of docs/METRICS.md.
std::string metrics_document();

/// One line a row of every family: name, type (gauge, counter, histogram, summary, untyped) and family,
/// separated by one blank, in the order of the tables. Names of zk sets hold "<sid>".
std::string metrics_names();

}  // namespace wk::exporter
