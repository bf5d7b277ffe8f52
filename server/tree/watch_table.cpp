#include "server/tree/watch_table.h"

#include <cstring>

#include "base/check.h"
#include "server/tree/path.h"

namespace wk::tree {
namespace {

constexpr std::uint32_t kNone = 0;
constexpr std::uint32_t kAllModes = 7;
constexpr std::array kKinds{WatchKind::kData, WatchKind::kChild};

constexpr std::size_t index_of(WatchKind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

WatchTable::WatchTable(std::uint64_t hash_seed) : hash_seed_(hash_seed) {}

WatchTable::~WatchTable() {
  while (!by_connection_.empty()) remove_connection({by_connection_.begin()->first});
}

std::uint32_t WatchTable::find_path(const Table& table, std::string_view path) const {
  if (table.paths.size() == 0) return kNone;
  return table.index.find(table.paths, hash_string(path, hash_seed_), [&](std::uint32_t number) {
    const WatchedPath& watched = table.paths[number];
    return std::string_view(watched.text, watched.length) == path;
  });
}

std::uint32_t WatchTable::find_watcher(ConnectionId connection) const {
  const auto found = by_connection_.find(connection.value);
  return found == by_connection_.end() ? kNone : found->second;
}

std::uint32_t WatchTable::path_number(Table& table, std::string_view path) {
  if (const std::uint32_t known = find_path(table, path); known != kNone) return known;
  const std::uint32_t number = table.paths.allocate();
  WatchedPath& watched = table.paths[number];
  if (!path.empty()) {
    watched.text = texts_.allocate(path.size());
    std::memcpy(watched.text, path.data(), path.size());
  }
  watched.length = static_cast<std::uint32_t>(path.size());
  watched.hash = hash_string(path, hash_seed_);
  table.index.insert(table.paths, number);
  return number;
}

std::uint32_t WatchTable::watcher_number(ConnectionId connection) {
  const auto [found, is_new] = by_connection_.try_emplace(connection.value, kNone);
  if (!is_new) return found->second;
  WK_CHECK(watchers_.size() < kMaxConnections, "more connections with watches than 29 bits can number");
  found->second = watchers_.allocate();
  watchers_[found->second].connection = connection;
  return found->second;
}

void WatchTable::drop_path_if_unwatched(Table& table, std::uint32_t number) {
  WatchedPath& watched = table.paths[number];
  if (!watched.watchers.empty()) return;
  table.index.erase(table.paths, number);
  if (watched.text != nullptr) texts_.release(watched.text, watched.length);
  table.paths.release(number);
}

void WatchTable::add(std::string_view path, ConnectionId connection, WatchKind kind) {
  add_mode(kind, path, connection, kStandard);
}

void WatchTable::add(std::string_view path, ConnectionId connection, jute::AddWatchMode mode) {
  if (mode == jute::AddWatchMode::kPersistentRecursive) {
    add_mode(WatchKind::kData, path, connection, kRecursive);
  } else {
    for (const WatchKind kind : kKinds) add_mode(kind, path, connection, kPersistent);
  }
}

void WatchTable::add_mode(WatchKind kind, std::string_view path, ConnectionId connection, Mode mode) {
  Table& table = tables_[index_of(kind)];
  const std::uint32_t path_id = path_number(table, path);
  const std::uint32_t watcher_id = watcher_number(connection);
  WatchedPath& watched = table.paths[path_id];
  Watcher& watcher = watchers_[watcher_id];
  const std::uint32_t before = watched.watchers.payload(watcher_id);
  if ((before & mode) != 0) return;
  watched.watchers.put(watcher_id, before | mode);
  if (mode == kRecursive) {
    ++watched.recursive;
    ++table.recursive;
  }
  if (before != 0) return;
  watcher.paths[index_of(kind)].put(path_id, 0);
  ++table.watches;
  if (!std::exchange(watcher.counted[index_of(kind)], true)) ++table.connections;
}

bool WatchTable::has_mode(WatchKind kind, std::string_view path, ConnectionId connection,
                          std::uint32_t modes) const {
  const Table& table = tables_[index_of(kind)];
  const std::uint32_t watcher_id = find_watcher(connection);
  if (watcher_id == kNone) return false;
  const std::uint32_t path_id = find_path(table, path);
  return path_id != kNone && (table.paths[path_id].watchers.payload(watcher_id) & modes) != 0;
}

bool WatchTable::contains(std::string_view path, ConnectionId connection, jute::WatcherType type) const {
  switch (type) {
    case jute::WatcherType::kChildren:
      return has_mode(WatchKind::kChild, path, connection, kStandard);
    case jute::WatcherType::kData:
      return has_mode(WatchKind::kData, path, connection, kStandard);
    case jute::WatcherType::kAny:
      return has_mode(WatchKind::kChild, path, connection, kAllModes) ||
             has_mode(WatchKind::kData, path, connection, kAllModes);
    case jute::WatcherType::kPersistent:
      return has_mode(WatchKind::kData, path, connection, kPersistent);
    case jute::WatcherType::kPersistentRecursive:
      return has_mode(WatchKind::kData, path, connection, kRecursive);
  }
  return false;
}

bool WatchTable::remove(std::string_view path, ConnectionId connection, jute::WatcherType type) {
  const auto both = [&](std::uint32_t modes) {
    const bool child = remove_modes(WatchKind::kChild, path, connection, modes);
    const bool data = remove_modes(WatchKind::kData, path, connection, modes);
    return child || data;
  };
  switch (type) {
    case jute::WatcherType::kChildren:
      return remove_modes(WatchKind::kChild, path, connection, kStandard);
    case jute::WatcherType::kData:
      return remove_modes(WatchKind::kData, path, connection, kStandard);
    case jute::WatcherType::kAny:
      return both(kAllModes);
    case jute::WatcherType::kPersistent:
      return both(kPersistent);
    case jute::WatcherType::kPersistentRecursive:
      return remove_modes(WatchKind::kData, path, connection, kRecursive);
  }
  return false;
}

bool WatchTable::remove_modes(WatchKind kind, std::string_view path, ConnectionId connection,
                              std::uint32_t modes) {
  Table& table = tables_[index_of(kind)];
  const std::uint32_t watcher_id = find_watcher(connection);
  const std::uint32_t path_id = watcher_id == kNone ? kNone : find_path(table, path);
  if (path_id == kNone) return false;
  WatchedPath& watched = table.paths[path_id];
  const std::uint32_t before = watched.watchers.payload(watcher_id);
  const std::uint32_t left = before & ~modes;
  if (left == before) return false;
  if (((before ^ left) & kRecursive) != 0) {
    --watched.recursive;
    --table.recursive;
  }
  if (left != 0) {
    watched.watchers.put(watcher_id, left);
    return true;
  }
  watched.watchers.erase(watcher_id);
  --table.watches;
  drop_path_if_unwatched(table, path_id);
  Watcher& watcher = watchers_[watcher_id];
  watcher.paths[index_of(kind)].erase(path_id);
  if (watcher.paths[index_of(kind)].empty()) {
    watcher.counted[index_of(kind)] = false;
    --table.connections;
  }
  return true;
}

void WatchTable::remove_connection(ConnectionId connection) {
  const auto found = by_connection_.find(connection.value);
  if (found == by_connection_.end()) return;
  const std::uint32_t watcher_id = found->second;
  Watcher& watcher = watchers_[watcher_id];
  for (const WatchKind kind : kKinds) {
    Table& table = tables_[index_of(kind)];
    IdSet<0>& paths = watcher.paths[index_of(kind)];
    paths.for_each([&](std::uint32_t path_id, std::uint32_t) {
      WatchedPath& watched = table.paths[path_id];
      if ((watched.watchers.payload(watcher_id) & kRecursive) != 0) {
        --watched.recursive;
        --table.recursive;
      }
      watched.watchers.erase(watcher_id);
      drop_path_if_unwatched(table, path_id);
    });
    table.watches -= paths.size();
    if (watcher.counted[index_of(kind)]) --table.connections;
    paths.clear();
  }
  by_connection_.erase(found);
  watchers_.release(watcher_id);
}

std::size_t WatchTable::fire_data(std::string_view path, std::vector<ConnectionId>& notified) {
  ++firing_;
  return fire(WatchKind::kData, path, notified);
}

std::size_t WatchTable::fire_deleted(std::string_view path, std::vector<ConnectionId>& notified) {
  ++firing_;
  const std::size_t data = fire(WatchKind::kData, path, notified);
  return data + fire(WatchKind::kChild, path, notified);
}

std::size_t WatchTable::fire_children(std::string_view path, std::vector<ConnectionId>& notified) {
  ++firing_;
  return fire(WatchKind::kChild, path, notified);
}

void WatchTable::notify(Watcher& watcher, std::vector<ConnectionId>& notified) const {
  if (std::exchange(watcher.notified, firing_) != firing_) notified.push_back(watcher.connection);
}

std::size_t WatchTable::fire(WatchKind kind, std::string_view path, std::vector<ConnectionId>& notified) {
  Table& table = tables_[index_of(kind)];
  const std::size_t before = notified.size();
  if (const std::uint32_t path_id = find_path(table, path); path_id != kNone) {
    WatchedPath& watched = table.paths[path_id];
    const std::uint32_t watches = watched.watchers.size();
    stay_.clear();
    watched.watchers.for_each([&](std::uint32_t watcher_id, std::uint32_t modes) {
      Watcher& watcher = watchers_[watcher_id];
      notify(watcher, notified);
      if (const std::uint32_t left = modes & ~kStandard; left != 0)
        stay_.emplace_back(watcher_id, left);
      else
        watcher.paths[index_of(kind)].erase(path_id);
    });
    table.watches -= watches - stay_.size();
    if (stay_.empty()) {
      watched.watchers.clear();
      drop_path_if_unwatched(table, path_id);
    } else if (stay_.size() < watches) {
      watched.watchers.clear();
      for (const auto& [watcher_id, modes] : stay_) watched.watchers.put(watcher_id, modes);
    } else {
      for (const auto& [watcher_id, modes] : stay_) watched.watchers.put(watcher_id, modes);
    }
  }
  if (table.recursive > 0 && !path.empty() && path != kRootPath) {
    for (std::string_view above = path; !above.empty();) {
      above = parent_of(above);
      const std::uint32_t path_id = find_path(table, above.empty() ? kRootPath : above);
      if (path_id == kNone || table.paths[path_id].recursive == 0) continue;
      table.paths[path_id].watchers.for_each([&](std::uint32_t watcher_id, std::uint32_t modes) {
        if ((modes & kRecursive) != 0) notify(watchers_[watcher_id], notified);
      });
    }
  }
  return notified.size() - before;
}

WatchCounts WatchTable::counts(WatchKind kind) const {
  const Table& table = tables_[index_of(kind)];
  return {.connections = table.connections, .paths = table.paths.size(), .watches = table.watches};
}

std::size_t WatchTable::allocated_bytes() const {
  std::size_t bytes = watchers_.allocated_bytes() + texts_.allocated_bytes();
  for (const Table& table : tables_) bytes += table.paths.allocated_bytes() + table.index.allocated_bytes();
  return bytes;
}

void WatchTable::for_each_by_path(
    WatchKind kind, const std::function<void(std::string_view path, ConnectionId connection)>& visit) const {
  const Table& table = tables_[index_of(kind)];
  for (std::uint32_t path_id = 1; path_id < table.paths.end(); ++path_id) {
    // A freed record has no watchers.
    const WatchedPath& watched = table.paths[path_id];
    watched.watchers.for_each([&](std::uint32_t watcher_id, std::uint32_t) {
      visit({watched.text, watched.length}, watchers_[watcher_id].connection);
    });
  }
}

void WatchTable::for_each_by_connection(
    WatchKind kind, const std::function<void(ConnectionId connection, std::string_view path)>& visit) const {
  const Table& table = tables_[index_of(kind)];
  for (const auto& [connection, watcher_id] : by_connection_) {
    watchers_[watcher_id].paths[index_of(kind)].for_each(
        [&, id = connection](std::uint32_t path_id, std::uint32_t) {
          const WatchedPath& watched = table.paths[path_id];
          visit({id}, {watched.text, watched.length});
        });
  }
}

}  // namespace wk::tree
