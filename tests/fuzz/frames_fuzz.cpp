// Fuzz target: the frame cutter gives the same frames however a stream is cut into reads.
//
// The input is a stream; its first byte says into pieces of which size it is cut. Properties: no crash; the
// frames and the bad length at the end, if any, are those of the stream as a whole; nothing above the limit
// is handed out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/check.h"
#include "server/net/frame_cutter.h"

namespace {

constexpr std::int32_t kPayloadMax = 1000;

struct Cut {
  std::vector<std::vector<std::byte>> frames;
  std::optional<std::int32_t> bad_length;
};

Cut cut(std::span<const std::byte> stream, std::size_t piece) {
  wk::net::FrameCutter cutter(kPayloadMax);
  Cut result;
  while (!stream.empty() && !result.bad_length) {
    const std::size_t size = std::min(piece, stream.size());
    result.bad_length = cutter.feed(stream.first(size), [&](std::span<const std::byte> payload) {
      WK_CHECK(payload.size() <= kPayloadMax, "a frame above the limit");
      result.frames.emplace_back(payload.begin(), payload.end());
      return true;
    });
    stream = stream.subspan(size);
    WK_CHECK(cutter.partial_bytes() <= kPayloadMax + 4 || result.bad_length, "more is kept than a frame has");
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto stream = std::as_bytes(std::span(data + 1, size - 1));
  const Cut whole = cut(stream, std::max<std::size_t>(stream.size(), 1));
  const Cut pieces = cut(stream, std::size_t{data[0]} + 1);
  WK_CHECK(whole.frames == pieces.frames, "frames depend on how the stream is cut");
  WK_CHECK(whole.bad_length == pieces.bad_length, "the bad length depends on how the stream is cut");
  return 0;
}
