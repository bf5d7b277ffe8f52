// The page at "/": what is the matter, member by member, and where everything else is. Plain HTML without
// scripts.
//
// Thread: any; pure. Every text from outside is escaped.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/time.h"
#include "exporter/catalogue/catalogue.h"
#include "exporter/model/view.h"
#include "exporter/web/http.h"

namespace wk::exporter {

/// `text` for element content and quoted attributes.
std::string html_escaped(std::string_view text);

/// \param longest_interval  of all ensembles; decides when a snapshot counts as stale
Response landing_page(const Snapshot& snapshot, const BuildInfo& build,
                      std::chrono::nanoseconds longest_interval, Moment now);

}  // namespace wk::exporter
