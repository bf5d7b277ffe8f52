// The end of a connection, with everything that hangs on it: its watches, its queue, its session's way to a
// client.
//
// Thread: core.
#pragma once

#include <optional>

#include "base/ids.h"
#include "server/replica/io.h"
#include "server/replica/outbox.h"
#include "server/replica/state.h"

namespace wk::replica {

/// The connection is no more. Its session lives on until it expires or a client resumes it. Unknown ids are
/// ignored. \param closed  why this server ended it; nullopt: it was the client or the network
void forget_connection(State& state, ConnectionId id, std::optional<CloseReason> closed = std::nullopt);

/// Asks the shell to close the connection and forgets it; `connection` is gone afterwards.
void close_connection(State& state, Outbox& outbox, Connection& connection, CloseReason reason);

}  // namespace wk::replica
