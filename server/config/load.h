// From zoo.cfg, overrides and files beside it to a Config, with every remark worth making.
//
// All errors are found, not only the first one. Reference: reference/configuration.md, sections 1.1 to 1.5.
// Thread: start-up; pure but for the files that `read` opens.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "server/config/config.h"
#include "server/config/diagnostic.h"
#include "server/config/ensemble.h"
#include "server/config/settings.h"

namespace wk::config {

struct LoadRequest {
  std::string file;                 ///< zoo.cfg; empty when all comes from overrides
  std::vector<Override> overrides;  ///< later ones win
  bool lenient = false;             ///< take " #" behind a value as the beginning of a comment
  /// Present when the settings come from the environment of a container.
  std::optional<ContainerDefaults> container = std::nullopt;
};

struct Loaded {
  LogFormat log_format = LogFormat::kText;  ///< also when there is no configuration: remarks are logged in it
  std::optional<Config> config;             ///< present when no diagnostic is an error
  Diagnostics diagnostics;
};

Loaded load(const LoadRequest& request, const FileReader& read);

/// The words that are answered unless a whitelist is configured: cheap, and they only read.
std::vector<std::string> default_four_letter_words();

/// The overrides that `PORT DATADIR [TICKTIME [MAXCNXNS]]` stands for.
/// Source: server/ServerConfig.parse(String[]): connections are unlimited unless the last argument is given.
/// \return  Errc::kInvalidInput for fewer than two or more than four arguments
Result<std::vector<Override>> overrides_from_arguments(const std::vector<std::string>& arguments);

}  // namespace wk::config
