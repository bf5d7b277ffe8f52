// How long the reply to a read will get that cannot be answered yet.
//
// What waits behind a write is answered in one step once the write is applied; knowing beforehand about how
// much that will be is what keeps the step's memory bounded. Thread: core. Pure.
#pragma once

#include <cstddef>
#include <span>

#include "base/ids.h"
#include "server/tree/data_tree.h"
#include "server/txn/operation.h"

namespace wk::txn {

/// Bytes of the reply to a request of Service::kRead or kSync, at most for data and access lists, and about
/// for lists of names, whose length is only guessed from their number. Costs a look-up in the tree for each
/// path of the request.
/// \param session         of the requester
/// \param body            the request's record; what cannot be decoded is answered with an error
/// \param longest_change  bytes of the longest transaction that may be applied before the request is served
std::size_t expected_reply_bytes(const Operation& operation, SessionId session,
                                 std::span<const std::byte> body, const tree::DataTree& tree,
                                 std::size_t longest_change);

}  // namespace wk::txn
