#include "jute/txn_records.h"

#include <fmt/format.h>

#include <utility>

namespace wk::jute {

namespace {

constexpr std::size_t kDigestBytes = 12;

template <typename T>
TxnBody read_body(Reader& in) {
  T body;
  read(in, body);
  return body;
}

TxnBody read_create(Reader& in) {
  CreateTxn create;
  read(in, create.path);
  read(in, create.data);
  read(in, create.acl);
  read(in, create.ephemeral);
  if (in.remaining() > 0) read(in, create.parent_cversion);
  return create;
}

// A writer with closeSessionTxn.enabled=false leaves the list out but still appends its digest. No list of
// non-empty paths has the form "two elements in twelve bytes", so the two cannot be mistaken for each other.
bool only_a_digest_is_left(const Reader& in) {
  if (in.remaining() != kDigestBytes) return false;
  Reader ahead = in;
  return ahead.read_int() == kDigestVersion;
}

TxnBody read_close_session(Reader& in, const TxnDecoding& decoding) {
  CloseSessionTxn close;
  if (decoding.close_session_paths && in.remaining() > 0 && !only_a_digest_is_left(in))
    read(in, close.paths_to_delete);
  return close;
}

// Types that may stand alone and as part of a multi; nothing for others.
std::optional<TxnBody> read_simple_body(Reader& in, OpCode type) {
  switch (type) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
      return read_create(in);
    case OpCode::kCreateTtl:
      return read_body<CreateTtlTxn>(in);
    case OpCode::kCreateContainer:
      return read_body<CreateContainerTxn>(in);
    case OpCode::kDelete:
    case OpCode::kDeleteContainer:
      return read_body<DeleteTxn>(in);
    case OpCode::kSetData:
      return read_body<SetDataTxn>(in);
    case OpCode::kError:
      return read_body<ErrorTxn>(in);
    default:
      return std::nullopt;
  }
}

std::optional<TxnBody> read_body(Reader& in, OpCode type, const TxnDecoding& decoding) {
  switch (type) {
    case OpCode::kReconfig:
      return read_body<SetDataTxn>(in);
    case OpCode::kSetAcl:
      return read_body<SetAclTxn>(in);
    case OpCode::kCreateSession:
      return read_body<CreateSessionTxn>(in);
    case OpCode::kCloseSession:
      return read_close_session(in, decoding);
    case OpCode::kMulti:
      return read_body<MultiTxn>(in);
    default:
      return read_simple_body(in, type);
  }
}

Error unsupported(OpCode type) {
  return Error{Errc::kInvalidInput,
               fmt::format("Unsupported Txn with type={}", static_cast<std::int32_t>(type))};
}

}  // namespace

Result<TxnBody> decode_multi_part(const MultiPartTxn& part, const TxnDecoding& decoding) {
  Reader in(std::as_bytes(std::span(part.body.data(), part.body.size())), decoding.max_string_bytes);
  std::optional<TxnBody> body =
      part.type == OpCode::kCheck ? read_body<CheckVersionTxn>(in) : read_simple_body(in, part.type);
  if (!body) return unsupported(part.type);
  if (auto status = in.status(); !status) return std::move(status).error();
  return *std::move(body);
}

Result<Txn> decode_txn(std::span<const std::byte> payload, const TxnDecoding& decoding) {
  Reader in(payload, decoding.max_string_bytes);
  Txn txn;
  read(in, txn.header);
  if (auto status = in.status(); !status) return std::move(status).error();
  std::optional<TxnBody> body = read_body(in, txn.header.type, decoding);
  if (!body) return unsupported(txn.header.type);
  txn.body = *std::move(body);
  if (in.ok() && in.remaining() >= kDigestBytes) {
    TxnDigest& digest = txn.digest.emplace();
    digest.version = in.read_int();
    digest.tree_digest = static_cast<std::uint64_t>(in.read_long());
  }
  if (auto status = in.status(); !status) return std::move(status).error();
  if (const auto* multi = std::get_if<MultiTxn>(&txn.body))
    for (const MultiPartTxn& part : multi->parts)
      if (auto checked = decode_multi_part(part, decoding); !checked) return std::move(checked).error();
  return txn;
}

void write_txn(Writer& out, const TxnHeader& header, const TxnBody& body,
               const std::optional<TxnDigest>& digest) {
  write(out, header);
  std::visit(
      [&out](const auto& record) {
        if constexpr (std::is_same_v<std::decay_t<decltype(record)>, CloseSessionTxn>) {
          if (record.paths_to_delete) write(out, *record.paths_to_delete);
        } else {
          write(out, record);
        }
      },
      body);
  if (digest) write(out, *digest);
}

void write(Writer& out, const TxnDigest& digest) {
  out.write_int(digest.version);
  out.write_long(static_cast<std::int64_t>(digest.tree_digest));
}

}  // namespace wk::jute
