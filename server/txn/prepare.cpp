#include "server/txn/prepare.h"

#include "base/check.h"
#include "server/txn/operation.h"
#include "server/txn/preparation.h"

namespace wk::txn {

Prepared prepare(const Request& request, Zxid zxid, std::int64_t wall_ms, const Settings& settings,
                 const tree::DataTree& tree, Outstanding& outstanding, std::vector<std::byte>& log) {
  const Operation* operation = find_operation(request.op);
  WK_CHECK(operation != nullptr && operation->prepare != nullptr, "only writes are prepared");
  Prepared prepared;
  prepared.offset = log.size();
  Preparation preparation(request, zxid, wall_ms, settings, tree, outstanding, log);
  prepared.error = preparation.run(operation->prepare);
  prepared.size = log.size() - prepared.offset;
  return prepared;
}

}  // namespace wk::txn
