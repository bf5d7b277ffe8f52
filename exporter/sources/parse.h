// From one raw answer to facts: the door between the poller, which moves bytes, and the parsers of this
// folder.
//
// Thread: any; pure, linear in the size of the answer, which the caller bounds (answer_limit()).
#pragma once

#include <cstddef>
#include <string_view>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// Most that is kept of the answer to a probe, in bytes; the caller reports kTooLarge beyond it. Lists of
/// connections may be long, everything else is a few ten kilobytes in practice.
std::size_t answer_limit(Probe probe);

/// True of a line that may be left out of an answer which would pass answer_limit() with it.
bool is_needless(Probe probe, std::string_view line);

/// Parses the whole answer to `probe`: all bytes up to the end of the stream for a four-letter word, or the
/// body of an HTTP answer without framing and compression, with its status. `http_status` is ignored for
/// four-letter words.
Parsed parse(Probe probe, int http_status, std::string_view text);

}  // namespace wk::exporter
