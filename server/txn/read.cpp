#include "server/txn/read.h"

#include "base/check.h"
#include "server/txn/reading.h"

namespace wk::txn {

jute::ErrorCode read(const Operation& operation, const Request& request, const ReadTarget& target,
                     std::vector<std::byte>& body) {
  WK_CHECK(operation.read != nullptr, "only reads are read");
  if (request.session_check != jute::ErrorCode::kOk) return request.session_check;
  const std::size_t start = body.size();
  Reading reading(request, target, body);
  const jute::ErrorCode error = operation.read(reading);
  if (error != jute::ErrorCode::kOk) body.resize(start);
  return error;
}

}  // namespace wk::txn
