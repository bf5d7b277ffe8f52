// Rows of what only the inside of a Watchkeeper server knows.
//
// Thread: any; pure.
#pragma once

#include <vector>

#include "exporter/catalogue/catalogue.h"

namespace wk::exporter {

/// Adds the native rows that are taken from ServerInternals; they have samples only where a server publishes
/// them, in its own /metrics.
void append_inside_rows(std::vector<CatalogueRow>& rows);

}  // namespace wk::exporter
