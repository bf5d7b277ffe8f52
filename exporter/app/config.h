// The configuration file: YAML with one or several ensembles. Reference: docs/EXPORTER.md, "Configuration
// file".
//
// Every error is one line, `FILE:LINE:COLUMN: key "x": what; remedy`, so that an editor can jump there. No
// message shows a password. A file is taken whole or not at all. Thread: main, at start-up. parse_config() is
// pure but for what ConfigFiles does.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "exporter/app/settings.h"
#include "exporter/app/tls_files.h"
#include "exporter/model/target.h"

namespace wk::exporter {

inline constexpr std::size_t kConfigFileMax = std::size_t{1} << 20;
inline constexpr std::size_t kSecretFileMax = 4096;

struct Config {
  std::vector<EnsembleSpec> ensembles;  ///< 1 … kEnsembleLimit, names unique; members unique in each
  Settings settings;
};

/// How parse_config() reaches the files that a configuration names.
struct ConfigFiles {
  std::function<Result<std::string>(const std::string& path)> read_secret;
  std::function<std::optional<TlsFileFault>(const TlsSpec&)> check_tls;
};

/// \param text  at most kConfigFileMax bytes
/// \param file  its path, for messages; relative paths inside are relative to its directory
/// \return      Errc::kInvalidInput or Errc::kTooLarge with one line
Result<Config> parse_config(std::string_view text, const std::string& file, const ConfigFiles& files);

/// Reads and parses the file with the disk behind it; the error of a file that cannot be read is `FILE: what;
/// remedy`.
Result<Config> load_config(const std::string& file);

}  // namespace wk::exporter
