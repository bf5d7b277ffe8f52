// What may run out here, how much of it is in use, and how long the rest lasts.
//
// Thread: core.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "exporter/model/internals.h"
#include "server/config/config.h"
#include "server/net/client_port.h"
#include "server/node/forecast.h"
#include "server/node/surroundings.h"
#include "server/node/surveys.h"
#include "server/replica/replica.h"

namespace wk::node {

class Limits {
 public:
  struct Sources {
    const config::ClientLimits& configured;
    const replica::Replica& replica;
    const net::ClientPort& port;
    const Surroundings& surroundings;
    const Surveys& surveys;
  };
  explicit Limits(const Sources& sources) : from_(sources) {}

  /// Those that exist and are known, in a fixed order. Looks at each address that has connections: to be
  /// called every few seconds.
  [[nodiscard]] std::vector<exporter::Limit> look(const Moment& now);

 private:
  const Sources from_;
  std::map<std::string_view, Forecast> forecasts_;  ///< of those that only grow while all is well
};

}  // namespace wk::node
