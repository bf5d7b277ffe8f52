// gzip of whole bodies.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace wk::exporter {

/// `text` as one gzip member (RFC 1952), by libdeflate: a third of zlib's time. Level 1 to 12; expositions
/// shrink to a tenth at level 1 already.
std::string gzip(std::string_view text, int level = 1);

}  // namespace wk::exporter
