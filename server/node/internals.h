// Copies what the parts of this server count about themselves into the form that is published.
//
// Thread: core; called once a second. Its cost does not depend on how many clients or znodes there are.
#pragma once

#include <memory>

#include "base/time.h"
#include "exporter/model/internals.h"
#include "server/net/client_port.h"
#include "server/node/node_stats.h"
#include "server/node/surroundings.h"
#include "server/replica/replica.h"

namespace wk::node {

struct InternalsSources {
  const replica::Replica& replica;
  const net::ClientPort& port;
  const NodeStats& node;
  const Surroundings& surroundings;
  std::size_t reply_bytes_max = 0;  ///< jute.maxbuffer
};

/// All numbers; what stands out is the business of Standouts.
std::shared_ptr<exporter::ServerInternals> internals(const InternalsSources& from, const Moment& now);

}  // namespace wk::node
