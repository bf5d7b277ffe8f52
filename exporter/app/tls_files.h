// Whether the PEM files of a TLS setting can be used, before anything is started with them.
//
// Thread: start-up. Blocks on the disk.
#pragma once

#include <optional>
#include <string>

#include "exporter/model/target.h"

namespace wk::exporter {

/// What is wrong with one of the files.
struct TlsFileFault {
  enum class File { kCa, kCertificate, kKey } file = File::kCa;
  std::string message;  ///< "what; remedy", with the path
};

/// The first fault: a file that cannot be read, holds no PEM of its kind, or a key that is not the
/// certificate's.
std::optional<TlsFileFault> check_tls_files(const TlsSpec& tls);

}  // namespace wk::exporter
