// Where fired watches go, and who listens. Implemented by the owner of the connections.
//
// Thread: core. Calls come from inside apply() and read(), in the order in which the events must reach each
// connection.
#pragma once

#include <span>
#include <string_view>

#include "base/ids.h"
#include "jute/codes.h"
#include "jute/records.h"

namespace wk::txn {

/// The header zxid of events that no transaction caused (the catch-up of setWatches): -1 on the wire.
inline constexpr Zxid kNoZxid{~std::uint64_t{0}};

class EventSink {
 public:
  /// The identities that a connection has now; empty for a connection that is gone. Valid until the next
  /// call.
  virtual std::span<const jute::Id> identities(ConnectionId connection) = 0;

  /// One event for all of `watchers`, who may read the node that it speaks of. `path` and `watchers` are only
  /// valid during the call. \param zxid  of the transaction, or kNoZxid
  virtual void fired(std::span<const ConnectionId> watchers, jute::EventType type, std::string_view path,
                     Zxid zxid) = 0;

 protected:
  EventSink() = default;
  EventSink(const EventSink&) = default;
  EventSink& operator=(const EventSink&) = default;
  ~EventSink() = default;
};

}  // namespace wk::txn
