// Settings from the environment, as the container images of ZooKeeper take them.
//
// ZOO_DATA_DIR, ZOO_TICK_TIME and the other names of the official image; ZOO_MY_ID; ZOO_SERVERS (lines
// separated by blanks); ZOO_CFG_EXTRA (key=value pairs separated by blanks); ZOO_CFG_<key with _ for every
// dot> for any key, as other images have it. Reference: reference/configuration.md, sections 17 and 18.
// Thread: any; pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/config/ensemble.h"
#include "server/config/settings.h"

namespace wk::config {

using Environment = std::map<std::string, std::string>;

/// What the variables set, later entries stronger; empty variables count as absent. Variables that begin with
/// ZOO_ and mean nothing here are told as notes.
std::vector<Override> overrides_from_environment(const Environment& environment, Diagnostics& diagnostics);

/// What the image's entry point decides where neither files nor variables do: the id of ZOO_MY_ID, or 1, and
/// the port 2181. Source: docker-entrypoint.sh of 31z4/zookeeper-docker.
/// Differs: no myid file is written.
ContainerDefaults defaults_from_environment(const Environment& environment);

}  // namespace wk::config
