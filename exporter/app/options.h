// The command line of watchkeeper-exporter.
//
// Thread: main, before any other exists. Pure: reads no file, prints nothing.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "exporter/app/settings.h"
#include "exporter/model/target.h"

namespace wk::exporter {

struct Options {
  enum class Action {
    kRun,
    kCheck,    ///< validate the configuration and exit
    kHelp,     ///< print `text` and exit
    kVersion,  ///< print the version and exit
  } action = Action::kRun;
  std::string text;                      ///< for kHelp
  std::optional<EnsembleSpec> ensemble;  ///< of --zookeeper; absent when --config.file names the ensembles
  std::string config_file;               ///< empty when --zookeeper names the ensemble
  std::string web_config_file;
  Settings settings;
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
};

/// \param arguments  without the program's name
/// \return           Errc::kInvalidInput with one line that names flag, value and remedy (exit status 2)
Result<Options> parse_options(std::span<const char* const> arguments);

}  // namespace wk::exporter
