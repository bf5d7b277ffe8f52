// Turns a request into a transaction: all checks, in Apache's order, against the tree as it will be when
// every transaction that is on its way has been applied.
//
// prepare() never fails: what a client may not do becomes an error transaction, which is logged and
// replicated like any other and tells the client its error when it is applied. So a call yields one log
// payload and uses one zxid. Only a body that cannot be decoded, unless it is a multi's, makes no
// transaction: it is answered in its turn, and the zxid is free. Thread: core. Pure: time, zxid and
// configuration are arguments. Source: PrepRequestProcessor.java; reference "Validation order; the first
// failing check wins". Differs: where 3.9.5 lets a request through that breaks the members that apply it; see
// the handlers and reference "Inputs on which 3.9.5 misbehaves".
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "jute/codes.h"
#include "server/tree/data_tree.h"
#include "server/txn/outstanding.h"
#include "server/txn/request.h"
#include "server/txn/settings.h"

namespace wk::txn {

struct Prepared {
  /// What the client will be told; of a multi that fails, the first failing part's error (its reply says
  /// kOk).
  jute::ErrorCode error = jute::ErrorCode::kOk;
  /// The payload in the vector that was given; of size 0 when there is no transaction.
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// Appends one transaction's payload (TxnHeader, body, digest) to `log` and records its changes; nothing when
/// the body cannot be decoded.
/// closeSession: the caller marks the session as closing afterwards.
/// \param request  its operation has Service::kWrite
/// \param zxid     above every zxid prepared before and above the tree's last applied one
/// \param wall_ms  since 1970: ctime and mtime of what is made
Prepared prepare(const Request& request, Zxid zxid, std::int64_t wall_ms, const Settings& settings,
                 const tree::DataTree& tree, Outstanding& outstanding, std::vector<std::byte>& log);

}  // namespace wk::txn
