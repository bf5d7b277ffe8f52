// Fuzz target: the reader of transaction logs on arbitrary files.
//
// The input is cut into one or two log files by its first two bytes. Properties: no crash; transactions come
// in rising order and are found in the file where the reader says; what was accepted can be mended, and then
// reads the same again with nothing left to mend; a copy of the payloads reads the same.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "tests/unit/server/storage/log_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wk::storage;
  if (size < 2) return 0;
  const auto input = std::as_bytes(std::span(data + 2, size - 2));
  const std::size_t cut = std::min<std::size_t>(input.size(), std::size_t{data[0]} * 16);
  Image image{{kFolder + "/log.1", Bytes(input.begin(), input.end() - static_cast<std::ptrdiff_t>(cut))}};
  if (cut > 0) image[kFolder + "/log.5"] = Bytes(input.end() - static_cast<std::ptrdiff_t>(cut), input.end());
  const LogReadOptions options{
      .payload_bytes_max = 4096, .accept_loss = data[1] % 2 == 1, .continues_state = data[1] / 2 % 2 == 1};
  MemoryFileSystem files(image);
  const ReadLog first = read_log(files, 1 + data[1] / 64, options);
  WK_CHECK(std::is_sorted(first.zxids.begin(), first.zxids.end()), "out of order");
  WK_CHECK(!options.accept_loss || !first.error, "refused although every loss is accepted");
  if (first.error) return 0;
  WK_CHECK(first.end.records == first.zxids.size(), "the end does not count what was handed out");
  WK_CHECK(mend_log(files, kFolder, first.end), "what was accepted cannot be mended");
  const ReadLog second = read_log(files, 1 + data[1] / 64, options);
  WK_CHECK(!second.error && second.zxids == first.zxids && second.payloads == first.payloads,
           "mending changed it");
  WK_CHECK(first.end.mend == LogEnd::Mend::kNothing || second.end.mend == LogEnd::Mend::kNothing ||
               second.end.mend_file != first.end.mend_file,
           "mending did not mend");
  return 0;
}
