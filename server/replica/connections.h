// The table of client connections.
//
// Addresses of entries are stable until remove(). Thread: core.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "server/replica/connection.h"

namespace wk::replica {

class Connections {
 public:
  /// Adds a connection with the one identity everybody has: `ip` and its address. The id must be new.
  Connection& add(ConnectionId id, std::string_view address, const Moment& now);
  /// nullptr when it is not, or no longer, there.
  [[nodiscard]] Connection* find(ConnectionId id);
  [[nodiscard]] const Connection* find(ConnectionId id) const;
  void remove(ConnectionId id);
  void set_stage(Connection& connection, Connection::Stage stage);
  void set_paused(Connection& connection, bool paused);
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] std::size_t count(Connection::Stage stage) const {
    return stages_[static_cast<std::size_t>(stage)];
  }
  /// Connections that are not read from, see Flow.
  [[nodiscard]] std::size_t paused_count() const { return paused_; }
  /// One of them; who is in which place changes with remove(). \param place  below size()
  [[nodiscard]] const Connection& at(std::size_t place) const { return *places_[place]; }
  /// Calls `visit(const Connection&)` for each, in no order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [id, connection] : table_) visit(static_cast<const Connection&>(*connection));
  }
  /// Sets the counters of every connection to zero, as `crst` asks.
  void reset_stats();

 private:
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Connection>> table_;
  std::vector<Connection*> places_;
  std::array<std::size_t, Connection::kStages> stages_{};
  std::size_t paused_ = 0;
  // The connection of the last look-up: frames come in bursts of one connection.
  mutable Connection* last_ = nullptr;
};

}  // namespace wk::replica
