#include "server/replica/departure.h"

namespace wk::replica {

void forget_connection(State& state, ConnectionId id, std::optional<CloseReason> closed) {
  Connection* connection = state.connections.find(id);
  if (connection == nullptr) return;
  while (!connection->pending.empty()) {
    const Pending pending = connection->pending.pop();
    if (pending.waits_for_turn()) state.waiting.left(pending);
  }
  state.watches.remove_connection(id);
  session::SessionTable& sessions = state.database->sessions;
  if (sessions.connection(connection->session) == id) {
    sessions.bind(connection->session, ConnectionId{});
    if (sessions.state(connection->session) == session::SessionState::kOpen)
      state.notable.absent.left(connection->session,
                                {connection->address, connection->stats.last_op, state.now.steady, closed});
  }
  state.connections.remove(id);
}

void close_connection(State& state, Outbox& outbox, Connection& connection, CloseReason reason) {
  const ConnectionId id = connection.id;
  outbox.close(id, reason);
  forget_connection(state, id, reason);
}

}  // namespace wk::replica
