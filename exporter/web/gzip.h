// gzip of whole bodies.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace wk::exporter {

/// `text` as one gzip member (RFC 1952). Level 1 to 9; expositions shrink to a tenth at level 1 already.
std::string gzip(std::string_view text, int level = 1);

}  // namespace wk::exporter
