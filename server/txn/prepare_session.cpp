// Sessions come and go by transactions of their own.
#include "base/check.h"
#include "server/tree/path.h"
#include "server/txn/preparation.h"

namespace wk::txn {

using jute::ErrorCode;
using jute::OpCode;

ErrorCode prepare_create_session(Preparation& preparation) {
  jute::Reader in = preparation.reader();
  jute::CreateSessionTxn txn;
  read(in, txn);
  if (!in.ok()) return ErrorCode::kMarshallingError;
  preparation.emit(OpCode::kCreateSession, txn);
  return ErrorCode::kOk;
}

ErrorCode prepare_close_session(Preparation& preparation) {
  const std::vector<std::string> paths = preparation.ephemerals();
  for (const std::string& path : paths) {
    const auto node = preparation.find(path);
    const std::string_view parent_path = tree::parent_of(path);
    const auto parent = preparation.find(parent_path);
    WK_CHECK(node && parent, "an ephemeral to be deleted is not there");
    preparation.put_deletion(path, *node, parent_path, *parent);
  }
  preparation.emit(OpCode::kCloseSession);
  if (!preparation.settings().close_session_paths) return ErrorCode::kOk;
  // A list that no reader of the log would accept is cut: applying deletes what it does not name as well,
  // since those nodes still belong to the session.
  const std::size_t most_bytes = preparation.settings().max_string_bytes / 2;
  std::size_t count = 0;
  for (std::size_t bytes = 0; count < paths.size() && bytes + 4 + paths[count].size() <= most_bytes; ++count)
    bytes += 4 + paths[count].size();
  preparation.writer().write_count(count);
  for (std::size_t i = 0; i < count; ++i) preparation.writer().write_string(paths[i]);
  return ErrorCode::kOk;
}

}  // namespace wk::txn
