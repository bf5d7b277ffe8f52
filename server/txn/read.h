// Answers the requests that change nothing but watches, from the tree as it is.
//
// Nothing is allocated but what the reply's vector and the watch table grow by.
// Thread: core. Pure.
// Source: FinalRequestProcessor.java, DataTree.java; reference "Per-operation semantics", "Watches".
#pragma once

#include <cstddef>
#include <vector>

#include "jute/codes.h"
#include "server/tree/data_tree.h"
#include "server/tree/watch_table.h"
#include "server/txn/events.h"
#include "server/txn/operation.h"
#include "server/txn/request.h"
#include "server/txn/settings.h"

namespace wk::txn {

/// What a read() works on.
struct ReadTarget {
  const tree::DataTree& tree;
  tree::WatchTable& watches;
  EventSink& events;  ///< gets the catch-up of setWatches, before the reply
  const Settings& settings;
};

/// Serves an operation of Service::kRead or kSync and appends the body of its reply, when that has one and is
/// kOk. The session was checked by the caller; a check that failed is its answer.
/// \param operation  the row of request.op
/// \return  for the ReplyHeader; kMarshallingError for what cannot be decoded
jute::ErrorCode read(const Operation& operation, const Request& request, const ReadTarget& target,
                     std::vector<std::byte>& body);

}  // namespace wk::txn
