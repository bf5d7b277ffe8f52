#include "server/replica/connections.h"

#include <string>
#include <utility>

#include "base/check.h"

namespace wk::replica {

Connection& Connections::add(ConnectionId id, std::string_view address, const Moment& now) {
  auto connection = std::make_unique<Connection>();
  connection->id = id;
  connection->address = address;
  connection->identities.push_back({"ip", std::string(address)});
  connection->stats.established = now;
  const auto [entry, added] = table_.emplace(id.value, std::move(connection));
  WK_CHECK(added, "a connection id was used twice");
  entry->second->place = places_.size();
  places_.push_back(entry->second.get());
  ++stages_[static_cast<std::size_t>(entry->second->stage)];
  return *entry->second;
}

const Connection* Connections::find(ConnectionId id) const {
  if (last_ != nullptr && last_->id == id) return last_;
  const auto entry = table_.find(id.value);
  if (entry == table_.end()) return nullptr;
  last_ = entry->second.get();
  return last_;
}

Connection* Connections::find(ConnectionId id) {
  return const_cast<Connection*>(std::as_const(*this).find(id));
}

void Connections::remove(ConnectionId id) {
  if (last_ != nullptr && last_->id == id) last_ = nullptr;
  const auto entry = table_.find(id.value);
  if (entry == table_.end()) return;
  --stages_[static_cast<std::size_t>(entry->second->stage)];
  if (entry->second->paused) --paused_;
  places_[entry->second->place] = places_.back();
  places_.back()->place = entry->second->place;
  places_.pop_back();
  table_.erase(entry);
}

void Connections::set_stage(Connection& connection, Connection::Stage stage) {
  --stages_[static_cast<std::size_t>(connection.stage)];
  ++stages_[static_cast<std::size_t>(stage)];
  connection.stage = stage;
}

void Connections::set_paused(Connection& connection, bool paused) {
  if (connection.paused == paused) return;
  connection.paused = paused;
  paused_ += paused ? 1U : std::size_t{0} - 1U;
}

void Connections::reset_stats() {
  for (auto& [id, connection] : table_) {
    const Moment established = connection->stats.established;
    connection->stats = ConnectionStats{};
    connection->stats.established = established;
  }
}

}  // namespace wk::replica
