// Why sessions expired: a record of each of the newest, made at the moment of the decision from what is known
// then, and counted when its end is in the log.
//
// The verdict rests on one question: would the session have lived if this server had not stood still? It
// stood still between two inputs of the core that were further apart than its ticks allow, and it counts only
// when that lasted beyond the session's timeout. Pure. Thread:
// core.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "jute/codes.h"
#include "server/replica/io.h"
#include "server/replica/still_times.h"

namespace wk::replica {

struct State;

enum class ExpiryCause : std::uint8_t {
  kServerStoodStill,  ///< without the time in which this server stood still it would live
  kNothingHeard,      ///< its connection was there, and nothing came: the client or the network
  kNotBack,           ///< its connection had ended, by the client or the network, and no other came
  kClosedByServer,    ///< this server had closed its connection, and no other came
  kNeverSeen,         ///< not seen since this server started: it lived on the timeout that a start grants
};
inline constexpr std::size_t kExpiryCauses = 5;
/// Stable name, fit for a label value: "server_stood_still", "nothing_heard", …
const char* name(ExpiryCause cause);

struct ExpiredSession {
  SessionId id{};
  std::string address;  ///< of its client, without port; empty when not known
  std::chrono::milliseconds timeout{0};
  Moment at{};                                                 ///< the decision
  jute::OpCode last_op = jute::OpCode::kNotification;          ///< answered last; kNotification: not known
  std::chrono::nanoseconds silence{0};                         ///< since the last packet
  std::chrono::nanoseconds longest_gap{0};                     ///< between two packets before that
  std::size_t ephemerals = 0;                                  ///< removed with it
  std::optional<std::chrono::nanoseconds> without_connection;  ///< how long; nullopt: it had one
  std::optional<CloseReason> closed;                           ///< of kClosedByServer
  StillTimes::Overlap stood_still;                             ///< of the silence: this server
  StillTimes::Overlap slow_syncs;                              ///< of the silence: long syncs of its log
  ExpiryCause cause = ExpiryCause::kNothingHeard;
};

class ExpiredSessions {
 public:
  static constexpr std::size_t kCapacity = 100;

  /// Its end is on the way to the log.
  void decided(ExpiredSession session);
  /// It has ended: counted and kept from now on. Unknown ids are ignored.
  void ended(SessionId id);
  /// The log had no room for its end, so it lives on.
  void lives_on(SessionId id) { decided_.erase(id.value); }
  /// Newest last.
  [[nodiscard]] const std::deque<ExpiredSession>& newest() const { return newest_; }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::uint64_t total(ExpiryCause cause) const {
    return causes_[static_cast<std::size_t>(cause)];
  }

 private:
  boost::unordered_flat_map<std::int64_t, ExpiredSession> decided_;  // bounded as Expiry's transactions are
  std::deque<ExpiredSession> newest_;
  std::uint64_t total_ = 0;
  std::array<std::uint64_t, kExpiryCauses> causes_{};
};

/// What is known of an open session whose time has come.
ExpiredSession investigate(const State& state, SessionId id, const Moment& now);

}  // namespace wk::replica
