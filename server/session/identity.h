// What a client proves a session with: the session's id and the password derived from it.
//
// Pure. Thread: any. Source: ZooKeeperServer.java (generatePasswd, checkPasswd), SessionTrackerImpl.java
// (initializeNextSessionId); reference "Session id", "Session password".
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ids.h"

namespace wk::session {

inline constexpr std::size_t kPasswordBytes = 16;
using Password = std::array<char, kPasswordBytes>;

/// The password of a session: a checksum that every server of an ensemble (Apache's too) computes alike, so
/// that a session can move; not a secret. Java's linear congruential generator seeded with the id.
Password password_of(SessionId id);

/// True when `id` is not zero and `password` is exactly password_of(id).
bool password_matches(SessionId id, std::string_view password);

/// Hands out session ids: low byte of the server's id on top, then 40 bits of the time the generator was
/// made, then a counter from zero. Differs: seeded with the wall clock where Apache 3.9 takes time since
/// boot, whose ids can repeat after a reboot; callers still skip ids that exist.
class IdGenerator {
 public:
  /// \param server  its own id in an ensemble; a standalone server uses 1, as Apache does
  IdGenerator(ServerId server, std::chrono::system_clock::time_point started);

  SessionId next();

 private:
  std::uint64_t next_;
};

}  // namespace wk::session
