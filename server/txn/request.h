// One request as the pure core serves it. The bytes and identities belong to the caller and must outlive the
// call that they are given to. Thread: core. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/ids.h"
#include "jute/codes.h"
#include "jute/records.h"

namespace wk::txn {

struct Request {
  jute::OpCode op = jute::OpCode::kPing;
  SessionId session{};        ///< 0: made by this server (clean-up)
  std::int32_t cxid = 0;      ///< the RequestHeader's xid
  ConnectionId connection{};  ///< 0: no connection here
  /// Who speaks: the connection's identities when the request was received.
  std::span<const jute::Id> identities{};
  /// What follows the RequestHeader.
  std::span<const std::byte> body{};
  /// Outcome of the session check, to be told at the place of Apache's order: kOk, kSessionExpired or
  /// kSessionMoved. closeSession and deleteContainer do not ask.
  jute::ErrorCode session_check = jute::ErrorCode::kOk;
};

}  // namespace wk::txn
