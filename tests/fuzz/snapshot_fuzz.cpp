// Fuzz target: the reader of snapshots on arbitrary files, plain and compressed.
//
// The first byte chooses the compression. Properties: no crash, memory in proportion to the input, and what
// is accepted as a plain file is, encoded again, that very file (but for version and dbid, which nobody
// checks).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "tests/unit/server/storage/log_fixture.h"
#include "tests/unit/server/storage/snapshot_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wk::storage;
  if (size < 1) return 0;
  const auto compression = static_cast<Compression>(data[0] % 3);
  const auto input = std::as_bytes(std::span(data + 1, size - 1));
  const std::string name = snapshot_name(wk::Zxid{1}, compression);
  MemoryFileSystem files(Image{{join(kFolder, name), Bytes(input.begin(), input.end())}});
  Collector collector;
  const auto content = read_snapshot(files, kFolder, *parse_snapshot_name(name), &collector, 1 << 16);
  if (!content || compression != Compression::kNone) return 0;
  const Bytes again = encode(collector.read, content->tail);
  WK_CHECK(again.size() == input.size(), "encoding again gives another size");
  // The seals of a file with another version or dbid differ; everything in front of the first is the same.
  const bool same_head = std::equal(again.begin(), again.begin() + 16, input.begin());
  WK_CHECK(!same_head || std::equal(again.begin(), again.end(), input.begin()),
           "encoding again gives another file");
  return 0;
}
