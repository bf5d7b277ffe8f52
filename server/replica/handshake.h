// The first frame of a connection: a ConnectRequest, which opens a session or resumes one.
//
// Thread: core. Source: ZooKeeperServer.java (processConnectRequest, reopenSession, finishSessionInit);
// reference "Order of checks on ConnectRequest". Differs: the password is checked before the connection that
// holds the session is closed, so that a stranger who guesses an id cannot cut a client off.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "base/time.h"
#include "jute/views.h"
#include "server/replica/outbox.h"
#include "server/replica/pipeline.h"
#include "server/replica/state.h"
#include "server/session/identity.h"

namespace wk::replica {

class Handshake {
 public:
  /// \param started  seeds the session ids
  Handshake(State& state, Outbox& outbox, Pipeline& pipeline, const Moment& started);

  /// The first frame of `connection`, which may be gone afterwards.
  void on_frame(Connection& connection, std::span<const std::byte> payload, const Moment& now);

  /// The session of `connection` speaks from now on: answers the ConnectRequest.
  void complete(Connection& connection, std::chrono::steady_clock::time_point received);

 private:
  void open(Connection& connection, const Moment& now);
  void resume(Connection& connection, const jute::ConnectRequestView& request, const Moment& now);
  void refuse(Connection& connection, const Moment& now);

  State& state_;
  Outbox& outbox_;
  Pipeline& pipeline_;
  session::IdGenerator ids_;
};

}  // namespace wk::replica
