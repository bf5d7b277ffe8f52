// Content negotiation: which exposition format and which encoding a client asked for, and what it has
// already.
//
// A header that makes no sense never fails a scrape: what cannot be understood is passed over, and the answer
// is then the format that every Prometheus reads (text 0.0.4, not compressed). Thread: any; pure functions.
// Source: RFC 9110, 12.5.1 (Accept), 12.5.3 (Accept-Encoding) and 13.1.2
// (If-None-Match).
#pragma once

#include <cstddef>
#include <string_view>

#include "exporter/web/exposition.h"

namespace wk::exporter {

/// Elements of one Accept, Accept-Encoding or If-None-Match header that are looked at; the rest is passed
/// over.
inline constexpr std::size_t kNegotiationElementsMax = 64;

/// The format with the highest q-value among those we write; the first named wins between equals. `*/*` and
/// `text/*` stand for text 0.0.4. Without a usable element: text 0.0.4.
ExpositionFormat choose_format(std::string_view accept);

/// True when gzip is named (or covered by `*`) with a q-value above 0. An empty header accepts nothing.
bool accepts_gzip(std::string_view accept_encoding);

/// True when `if_none_match` names `etag` (with its quotes, not weak) or is `*`. A weak tag of the client
/// matches the strong one.
bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace wk::exporter
