// The command line of watchkeeperd.
//
// Thread: start-up. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "server/config/settings.h"

namespace wk::node {

struct Options {
  enum class Action { kRun, kCheck, kPurge, kVersion, kHelp } action = Action::kRun;
  std::string file;                    ///< zoo.cfg; empty when arguments or the environment say everything
  std::vector<std::string> arguments;  ///< PORT DATADIR [TICKTIME [MAXCNXNS]]
  std::vector<config::Override> overrides;
  std::size_t snapshots_to_retain = 0;  ///< of kPurge, at least 3
  bool environment = false;
  bool lenient = false;
  bool accept_loss = false;  ///< start although transactions are lost
  std::string log_level = "info";
  std::optional<LogFormat> log_format;  ///< wins over the configuration
};

/// \return  Errc::kInvalidInput with what is wrong and the usage
Result<Options> parse_options(std::span<const char* const> arguments);

std::string usage();

}  // namespace wk::node
