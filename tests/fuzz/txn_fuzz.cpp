// Fuzz target: transactions of the log, and the views that a server reads requests through.
//
// The first byte chooses what the rest is. Properties: no crash; what was decoded can be encoded, and what
// was encoded decodes to the same bytes again.
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/check.h"
#include "jute/reader.h"
#include "jute/records.h"
#include "jute/txn_records.h"
#include "jute/views.h"
#include "jute/writer.h"

namespace {

using namespace wk::jute;
using Bytes = std::vector<std::byte>;

template <typename View>
void check_view(std::span<const std::byte> input) {
  View view{};
  Reader in(input);
  read(in, view);
  if (!in.ok()) return;
  Bytes once;
  Writer first(once);
  write(first, view);
  WK_CHECK(first.ok(), "what was decoded cannot be encoded");
  View again{};
  Reader back(once);
  read(back, again);
  WK_CHECK(back.ok() && back.remaining() == 0, "what was encoded cannot be decoded");
  Bytes twice;
  Writer second(twice);
  write(second, again);
  WK_CHECK(once == twice, "encoding is not stable");
}

Bytes encoded(const Txn& txn) {
  Bytes bytes;
  Writer out(bytes);
  write_txn(out, txn.header, txn.body, txn.digest);
  WK_CHECK(out.ok(), "a decoded transaction cannot be encoded");
  return bytes;
}

void check_txn(std::span<const std::byte> input, bool close_session_paths) {
  const TxnDecoding decoding{.close_session_paths = close_session_paths, .max_string_bytes = 4096};
  const auto txn = decode_txn(input, decoding);
  if (!txn) {
    WK_CHECK(!txn.error().message.empty(), "an error without words");
    return;
  }
  if (const auto* const multi = std::get_if<MultiTxn>(&txn->body))
    for (const MultiPartTxn& part : multi->parts)
      WK_CHECK(decode_multi_part(part, decoding), "a checked part of a multi cannot be decoded");
  // Only the length tells whether closeSession has a list, a digest, or both; ignored trailing bytes are part
  // of it.
  if (std::holds_alternative<CloseSessionTxn>(txn->body)) return;
  const Bytes once = encoded(*txn);
  const auto again = decode_txn(once, decoding);
  WK_CHECK(again, "an encoded transaction cannot be decoded");
  WK_CHECK(encoded(*again) == once, "encoding a transaction is not stable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto input = std::as_bytes(std::span(data + 1, size - 1));
  switch (data[0] % 16) {
    case 0:
      check_view<CreateRequestView>(input);
      break;
    case 1:
      check_view<CreateTtlRequestView>(input);
      break;
    case 2:
      check_view<PathVersionView>(input);
      break;
    case 3:
      check_view<SetDataRequestView>(input);
      break;
    case 4:
      check_view<SetAclRequestView>(input);
      break;
    case 5:
      check_view<SetWatchesView>(input);
      break;
    case 6:
      check_view<SetWatches2View>(input);
      break;
    case 7:
      check_view<AuthPacketView>(input);
      break;
    case 8:
      check_view<ConnectRequestView>(input);
      break;
    case 9:
      check_view<ReconfigRequestView>(input);
      break;
    case 10:
      check_view<AddWatchRequestView>(input);
      break;
    case 11:
      check_txn(input, false);
      break;
    default:
      check_txn(input, true);
      break;
  }
  return 0;
}
