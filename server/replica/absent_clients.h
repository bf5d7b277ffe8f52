// Sessions that have lost their connection and wait for their client to come back, or to expire: who it was,
// and how the connection ended.
//
// Bounded: beyond kCapacity nothing more is remembered until some have come back or expired. Pure. Thread:
// core.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/ids.h"
#include "jute/codes.h"
#include "server/replica/io.h"

namespace wk::replica {

class AbsentClients {
 public:
  static constexpr std::size_t kCapacity = 65'536;

  struct Absence {
    std::string address;                                 ///< of the client, without port
    jute::OpCode last_op = jute::OpCode::kNotification;  ///< answered last; kNotification: none
    std::chrono::steady_clock::time_point since{};
    /// Why this server closed the connection; nullopt: it was the client or the network.
    std::optional<CloseReason> closed{};
  };

  void left(SessionId session, Absence absence) {
    if (absences_.size() < kCapacity || absences_.contains(session.value))
      absences_.insert_or_assign(session.value, std::move(absence));
  }
  /// It came back, or is no more.
  void forget(SessionId session) {
    if (!absences_.empty()) absences_.erase(session.value);
  }
  /// nullptr when nothing is known of it.
  [[nodiscard]] const Absence* find(SessionId session) const {
    const auto found = absences_.find(session.value);
    return found == absences_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::size_t size() const { return absences_.size(); }

 private:
  boost::unordered_flat_map<std::int64_t, Absence> absences_;
};

}  // namespace wk::replica
