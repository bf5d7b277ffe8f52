// The one-shot watches of one session: who waits for what, and what to register again after a reconnect.
//
// Thread: one owner. Pure. Calls no handler itself: it hands them out.
// Source: ZKWatchManager.java, ClientCnxn.java (primeConnection); reference "Watches".
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "jute/records.h"

namespace wk::client {

/// Called once for a watch: with the event that fired it, or with EventType::kNone when the session is over
/// (KeeperState::kExpired, kAuthFailed or kClosed) and it never will fire.
using WatchHandler = std::function<void(const jute::WatcherEvent&)>;

/// Ceiling of the path text in one SetWatches record, in bytes; a single longer path travels alone.
inline constexpr std::size_t kSetWatchesMaxBytes = 128 * 1024;

class WatchTable {
 public:
  enum class Kind {
    kData,   ///< left by getData, or by exists on a node that is there
    kExist,  ///< left by exists on a node that is not there
    kChild,  ///< left by getChildren
  };

  void add(Kind kind, const std::string& path, WatchHandler handler);

  /// Removes and returns the handlers that an event of the server fires, in the order they were added.
  std::vector<WatchHandler> take(const jute::WatcherEvent& event);
  /// Removes and returns all handlers: the session is over.
  std::vector<WatchHandler> take_all();

  /// What registers every watch again on a new connection, cut so that no record's paths pass
  /// kSetWatchesMaxBytes. \param last_seen  the server reports at once what changed above it
  [[nodiscard]] std::vector<jute::SetWatches> registrations(Zxid last_seen) const;

  /// Handlers held, all kinds.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  using Handlers = std::unordered_map<std::string, std::vector<WatchHandler>>;

  void take_from(Handlers& handlers, const std::string& path, std::vector<WatchHandler>& taken);

  Handlers data_;
  Handlers exist_;
  Handlers child_;
  std::size_t size_ = 0;
};

}  // namespace wk::client
