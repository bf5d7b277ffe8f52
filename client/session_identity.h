// What makes a session the same one on every server: id, password, timeout, and the newest zxid it has seen.
//
// Thread: one owner. Pure. Source: ClientCnxn.java (primeConnection, onConnected); reference "Framing and
// handshake", "Sessions".
#pragma once

#include <chrono>
#include <string>

#include "base/ids.h"
#include "jute/records.h"

namespace wk::client {

class SessionIdentity {
 public:
  /// What a server's answer to the handshake means.
  enum class Grant {
    kCreated,  ///< a new session
    kResumed,  ///< the one that was asked for
    kRefused,  ///< that one has expired, or a new one was refused
    kForeign,  ///< another one than asked for: the peer breaks the protocol
  };

  /// The first frame on a connection. Asks for this session once a server with a quorum has confirmed it,
  /// else for a new one. \param timeout  wanted; the server clamps it
  jute::ConnectRequest ask(std::chrono::milliseconds timeout, bool allow_read_only);
  /// Takes the answer to the newest ask() over, when it grants a session.
  Grant take(jute::ConnectResponse answer);
  /// The id in the newest ask(); 0: a new session.
  [[nodiscard]] SessionId asked() const { return asked_; }

  /// A reply bore this zxid. Values of 0 and below (as a signed number) tell nothing.
  void saw(Zxid zxid);

  /// The session is over: the next ask() is for a new one. The timeout granted last stays readable.
  void forget();
  /// The session is over and no other follows: only the id goes.
  void close() { id_ = SessionId{}; }

  /// 0 when there is none.
  [[nodiscard]] SessionId id() const { return id_; }
  /// Granted at the last handshake; 0 before the first.
  [[nodiscard]] std::chrono::milliseconds negotiated_timeout() const { return negotiated_timeout_; }
  /// Servers that are behind it refuse the session.
  [[nodiscard]] Zxid last_zxid_seen() const { return last_zxid_seen_; }

 private:
  SessionId id_;
  SessionId asked_;
  std::string password_;
  std::chrono::milliseconds negotiated_timeout_{0};
  Zxid last_zxid_seen_;
  bool resumable_ = false;  ///< a server with a quorum has confirmed the session
};

}  // namespace wk::client
