// Reads a data folder with our readers and writes the same content with our writers, for tests that hold the
// two against each other and against Apache ZooKeeper (tests/interop/test_storage_files.py).
//
//   storage_probe recode SOURCE TARGET PREALLOCATION_BYTES
//
// SOURCE and TARGET are version-2 folders; TARGET exists. Every log and snapshot of SOURCE is written anew
// under its own name. Prints one line for each file and each finding; exit status 1 when anything is refused.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "server/storage/file_names.h"
#include "server/storage/log_reader.h"
#include "server/storage/snapshot_encoder.h"
#include "server/storage/snapshot_reader.h"
#include "server/storage/snapshot_writer.h"
#include "server/storage/transaction_log.h"
#include "tests/unit/server/storage/snapshot_fixture.h"

namespace wk::storage {
namespace {

Result<void> recode_logs(FileSystem& files, const std::string& source, const std::string& target,
                         std::uint64_t preallocation) {
  auto reader = LogReader::open(files, source, Zxid{1}, {});
  if (!reader) return reader.error();
  std::optional<TransactionLog> log;
  std::string file;
  for (;;) {
    const auto record = reader->next();
    if (!record) return record.error();
    if (!*record) break;
    if (!log) {
      const Zxid before{(*record)->zxid.value - 1};
      log.emplace(files, target, before, TransactionLogSettings{.preallocation_bytes = preallocation});
    }
    if (file != (*record)->file) {
      if (const auto rolled = log->roll(); !rolled) return rolled.error();
      file = (*record)->file;
    }
    if (const auto appended = log->append((*record)->zxid, (*record)->payload); !appended)
      return appended.error();
    // Apache flushes each record where one client waits for each answer.
    if (const auto synced = log->sync(); !synced) return synced.error();
  }
  fmt::print("log {} records, last {}\n", reader->end().records, reader->end().last.to_string());
  for (const std::string& finding : reader->end().findings) fmt::print("finding {}\n", finding);
  return {};
}

Result<void> recode_snapshots(FileSystem& files, const std::string& source, const std::string& target) {
  const auto entries = files.list(source);
  if (!entries) return entries.error();
  for (const SnapshotName& name : snapshots_of(*entries)) {
    Collector collector;
    const auto content = read_snapshot(files, source, name, &collector);
    if (!content) return content.error();
    const auto written =
        write_snapshot(files, target, name.zxid, name.compression, encode(collector.read, content->tail));
    if (!written) return written.error();
    fmt::print("{} {} nodes, {} sessions\n", name.name, content->nodes, content->sessions);
  }
  return {};
}

}  // namespace
}  // namespace wk::storage

int main(int count, char** arguments) {
  using namespace wk::storage;
  if (count != 5 || std::string(arguments[1]) != "recode") {
    fmt::print(stderr, "usage: storage_probe recode SOURCE TARGET PREALLOCATION_BYTES\n");
    return 2;
  }
  FileSystem& files = posix_file_system();
  auto done = recode_logs(files, arguments[2], arguments[3], std::strtoull(arguments[4], nullptr, 10));
  if (done) done = recode_snapshots(files, arguments[2], arguments[3]);
  if (done) return 0;
  fmt::print("refused {}\n", done.error().message);
  return 1;
}
