// Who waits for what: the watches of this server's connections.
//
// Two kinds of watch, data and child, on exact path strings; a connection has at most one watch of a kind and
// mode on a path. Paths and connections are numbered, and a watch is one 32-bit number at its path and one at
// its connection, so that both a change of a znode and the end of a connection cost what they concern and no
// more. Thread: core. Source: watch/WatchManager.java, DataTree.java; reference client-protocol.md "Watches".
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "jute/codes.h"
#include "jute/views.h"
#include "server/tree/block_pool.h"
#include "server/tree/hash_index.h"
#include "server/tree/id_set.h"
#include "server/tree/slab.h"

namespace wk::tree {

enum class WatchKind : std::uint8_t {
  kData,   ///< set by exists, getData, addWatch
  kChild,  ///< set by getChildren, getChildren2, addWatch with mode persistent
};

/// Stands for the null path, which a client may watch by addWatch and setWatches2 and which nothing ever
/// happens to. It is no UTF-8, so no other watched path is equal to it.
inline constexpr std::string_view kNullPath = "\xff";

/// What `wchs` counts, for one kind.
struct WatchCounts {
  /// Connections that have set a watch. As in Apache, one whose watches have all fired still counts, until it
  /// ends; one that removed its last watch does not.
  std::size_t connections = 0;
  std::size_t paths = 0;
  std::size_t watches = 0;  ///< pairs of path and connection
  friend bool operator==(const WatchCounts&, const WatchCounts&) = default;
};

class WatchTable {
 public:
  /// Connections with watches at one time; more abort the process; descriptors run out long before.
  static constexpr std::size_t kMaxConnections = IdSet<3>::kMaxKey;

  /// \param hash_seed  random, unknown to clients; see hash_string()
  explicit WatchTable(std::uint64_t hash_seed);
  ~WatchTable();
  WatchTable(const WatchTable&) = delete;
  WatchTable& operator=(const WatchTable&) = delete;

  /// Adds a one-shot watch (of exists, getData, getChildren, setWatches); once is enough.
  void add(std::string_view path, ConnectionId connection, WatchKind kind);
  /// Adds a watch that stays (of addWatch, setWatches2): persistent ones of both kinds, or a recursive data
  /// watch.
  void add(std::string_view path, ConnectionId connection, jute::AddWatchMode mode);

  /// True when checkWatches finds a watch of that type. Unknown types find none.
  [[nodiscard]] bool contains(std::string_view path, ConnectionId connection, jute::WatcherType type) const;
  /// Removes the watches that removeWatches means; false when there was none.
  bool remove(std::string_view path, ConnectionId connection, jute::WatcherType type);
  /// Removes everything of a connection that is gone.
  void remove_connection(ConnectionId connection);

  // What happened to a znode. Each appends the connections to notify, everyone once, in no particular order,
  // and takes their one-shot watches away; returns how many.

  /// NodeCreated or NodeDataChanged at `path`: data watches on it, recursive ones on it and above.
  std::size_t fire_data(std::string_view path, std::vector<ConnectionId>& notified);
  /// NodeDeleted at `path`: the same, then child watches on it of connections not notified yet.
  std::size_t fire_deleted(std::string_view path, std::vector<ConnectionId>& notified);
  /// NodeChildrenChanged at `path`, the parent ("/" for the root): child watches on it.
  std::size_t fire_children(std::string_view path, std::vector<ConnectionId>& notified);

  [[nodiscard]] WatchCounts counts(WatchKind kind) const;
  /// Watches of both kinds, as zk_watch_count tells them.
  [[nodiscard]] std::size_t size() const { return tables_[0].watches + tables_[1].watches; }

  /// Bytes of memory held for paths, their index and watchers; the sets that join them are not counted.
  [[nodiscard]] std::size_t allocated_bytes() const;

  /// Calls `visit(path, watchers)` for the watched paths in at most `most` places of a kind from `place` on;
  /// 0 begins. \return  where to go on, also after changes; 0 at the end
  template <typename Visit>
  [[nodiscard]] std::uint32_t visit_paths(WatchKind kind, std::uint32_t place, std::size_t most,
                                          Visit&& visit) const {
    const Paths& paths = tables_[static_cast<std::size_t>(kind)].paths;
    const std::uint64_t begin = place == 0 ? 1 : place;
    const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(paths.end(), begin + most));
    for (auto id = static_cast<std::uint32_t>(begin); id < end; ++id)
      // The set of a record that is free is empty.
      if (const WatchedPath& watched = paths[id]; !watched.watchers.empty())
        visit(std::string_view(watched.text, watched.length), std::size_t{watched.watchers.size()});
    return end >= paths.end() ? 0 : end;
  }

  /// Every watch of a kind, path by path. For `wchp`.
  void for_each_by_path(
      WatchKind kind, const std::function<void(std::string_view path, ConnectionId connection)>& visit) const;
  /// Every watch of a kind, connection by connection. For `wchc`.
  void for_each_by_connection(
      WatchKind kind, const std::function<void(ConnectionId connection, std::string_view path)>& visit) const;

 private:
  /// Modes of a watch; a watch on (path, connection) can have several.
  enum Mode : std::uint32_t { kStandard = 1, kPersistent = 2, kRecursive = 4 };

  struct WatchedPath {
    char* text = nullptr;
    std::uint32_t length = 0;
    std::uint32_t hash = 0;
    std::uint32_t chain = 0;
    std::uint32_t recursive = 0;  ///< watches with mode kRecursive
    IdSet<3> watchers{};          ///< keys: watcher numbers; payload: modes
  };
  struct Watcher {
    ConnectionId connection{};
    std::uint64_t notified = 0;  ///< number of the firing that notified it last
    IdSet<0> paths[2]{};         ///< by kind; keys: path numbers
    bool counted[2] = {false, false};
    std::uint32_t link = 0;
  };
  using Paths = Slab<WatchedPath, &WatchedPath::chain>;
  using Watchers = Slab<Watcher, &Watcher::link>;

  /// The watches of one kind.
  struct Table {
    Paths paths;
    HashIndex<Paths> index;
    std::size_t watches = 0;      ///< pairs of path and connection
    std::size_t connections = 0;  ///< watchers counted
    std::size_t recursive = 0;    ///< watches with mode kRecursive
  };

  [[nodiscard]] std::uint32_t find_path(const Table& table, std::string_view path) const;
  [[nodiscard]] std::uint32_t find_watcher(ConnectionId connection) const;
  std::uint32_t path_number(Table& table, std::string_view path);
  std::uint32_t watcher_number(ConnectionId connection);
  void drop_path_if_unwatched(Table& table, std::uint32_t path);
  void add_mode(WatchKind kind, std::string_view path, ConnectionId connection, Mode mode);
  [[nodiscard]] bool has_mode(WatchKind kind, std::string_view path, ConnectionId connection,
                              std::uint32_t modes) const;
  bool remove_modes(WatchKind kind, std::string_view path, ConnectionId connection, std::uint32_t modes);
  std::size_t fire(WatchKind kind, std::string_view path, std::vector<ConnectionId>& notified);
  void notify(Watcher& watcher, std::vector<ConnectionId>& notified) const;

  std::uint64_t hash_seed_;
  std::array<Table, 2> tables_{};  ///< by kind
  Watchers watchers_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_connection_;
  BlockPool texts_;
  std::uint64_t firing_ = 0;                                   ///< number of the present one
  std::vector<std::pair<std::uint32_t, std::uint32_t>> stay_;  ///< kept for its memory
};

}  // namespace wk::tree
