// Fuzz target: every record decoder of jute/records.h on arbitrary bytes.
//
// The first byte chooses the record, the rest is its wire form. What decodes must encode, and the encoding
// must decode to the same record again; anything else than a fault or that is a crash.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "jute/records.h"

namespace wk::jute {
namespace {

template <typename T>
void decode_and_encode(std::span<const std::byte> input) {
  const auto first = decode<T>(input);
  if (!first) return;
  std::vector<std::byte> output;
  Writer out(output);
  write(out, *first);
  WK_CHECK(out.status(), "a decoded record is within the limits of the encoder");
  const auto second = decode<T>(output);
  WK_CHECK(second && *second == *first, "decoding and encoding agree");
}

template <typename... Records>
void decode_chosen(std::size_t choice, std::span<const std::byte> input) {
  using Decoder = void (*)(std::span<const std::byte>);
  static constexpr std::array<Decoder, sizeof...(Records)> kDecoders{&decode_and_encode<Records>...};
  kDecoders[choice % kDecoders.size()](input);
}

}  // namespace
}  // namespace wk::jute

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wk::jute;
  if (size == 0) return 0;
  const auto input = std::as_bytes(std::span(data, size));
  decode_chosen<ConnectRequest, ConnectResponse, RequestHeader, ReplyHeader, Stat, Id, Acl, CreateRequest,
                CreateTtlRequest, CreateResponse, Create2Response, DeleteRequest, ReadRequest, StatResponse,
                GetDataResponse, SetDataRequest, GetAclRequest, GetAclResponse, SetAclRequest,
                GetChildrenResponse, GetChildren2Response, SyncRecord, CheckVersionRequest, SetWatches,
                SetWatches2, AddWatchRequest, ErrorResponse, WatcherEvent, AuthPacket, MultiHeader,
                MultiRequest, MultiResponse>(data[0], input.subspan(1));
  return 0;
}
