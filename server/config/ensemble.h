// Who the members are: `server.N`, `group.N` and `weight.N` lines, in zoo.cfg or in the dynamic file, with
// the checks that need all of them.
//
// Source: quorum/QuorumPeerConfig.java; reference/configuration.md, section 1.4. Thread: any; pure but for
// the files that `read` opens.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "server/config/config.h"
#include "server/config/settings.h"

namespace wk::config {

/// Content of a small file: Errc::kNotFound when it does not exist.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

/// What the start script of a container decides where the files of a server do not.
struct ContainerDefaults {
  std::optional<std::string> my_id;  ///< ZOO_MY_ID as written; without it the id is 1
  std::uint16_t client_port = 2181;
};

/// Fills `config.ensemble`, `my_id`, `distributed` and, where a server line tells it, `client`. `config` must
/// already have its files, client address and data directory.
/// \param container  of a server whose settings come from the environment of a container
void read_ensemble(Settings& settings, const FileReader& read,
                   const std::optional<ContainerDefaults>& container, Diagnostics& diagnostics,
                   Config& config);

}  // namespace wk::config
