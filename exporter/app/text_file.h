// Reads a small text file whole: configuration and secrets.
//
// Thread: start-up. Blocks on the disk.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace wk::exporter {

/// \param limit  bytes; a longer file is Errc::kTooLarge
/// \return       the content; Errc::kNotFound, Errc::kNotAllowed, Errc::kIo (directories and devices
/// included). The
///               message is "what; remedy" without the name of the file, which the caller knows.
Result<std::string> read_text_file(const std::string& path, std::size_t limit);

}  // namespace wk::exporter
