// Transactions: what the leader writes to the log, sends in proposals, and every member applies.
//
// A payload is TxnHeader, then the body that the header's type asks for, then (when the writer keeps digests
// and the transaction is not an error) a TxnDigest. Bodies are views into the payload (see jute/views.h).
// Thread: any; plain values. Pure.
// Source: zookeeper.jute (module txn), SerializeUtils.java; reference storage-formats.md "Payload".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "jute/codes.h"
#include "jute/views.h"

namespace wk::jute {

/// Bytes of a TxnHeader.
inline constexpr std::size_t kTxnHeaderBytes = 32;
/// The digest's formula that this code knows. Source: DigestCalculator.java.
inline constexpr std::int32_t kDigestVersion = 2;

struct TxnHeader {
  SessionId session_id{};  ///< 0: made by a server (clean-up of containers and TTL nodes)
  std::int32_t cxid = 0;   ///< the request's xid
  Zxid zxid{};
  std::int64_t time_ms = 0;  ///< since 1970, the leader's clock
  OpCode type = OpCode::kError;

  static constexpr auto kFields = std::tuple(&TxnHeader::session_id, &TxnHeader::cxid, &TxnHeader::zxid,
                                             &TxnHeader::time_ms, &TxnHeader::type);
  friend bool operator==(const TxnHeader&, const TxnHeader&) = default;
};

/// create and create2. A log of 3.3 and older lacks parent_cversion: it is read as -1, "the parent's plus
/// one".
struct CreateTxn {
  std::string_view path{};
  std::optional<std::string_view> data{};
  std::optional<AclListView> acl{};
  bool ephemeral = false;
  std::int32_t parent_cversion = -1;  ///< the parent's raw cversion after this transaction

  static constexpr auto kFields = std::tuple(&CreateTxn::path, &CreateTxn::data, &CreateTxn::acl,
                                             &CreateTxn::ephemeral, &CreateTxn::parent_cversion);
};

struct CreateContainerTxn {
  std::string_view path{};
  std::optional<std::string_view> data{};
  std::optional<AclListView> acl{};
  std::int32_t parent_cversion = -1;

  static constexpr auto kFields = std::tuple(&CreateContainerTxn::path, &CreateContainerTxn::data,
                                             &CreateContainerTxn::acl, &CreateContainerTxn::parent_cversion);
};

struct CreateTtlTxn {
  CreateContainerTxn create{};
  std::int64_t ttl_ms = 0;

  static constexpr auto kFields = std::tuple(&CreateTtlTxn::create, &CreateTtlTxn::ttl_ms);
};

/// delete and deleteContainer.
struct DeleteTxn {
  std::string_view path{};

  static constexpr auto kFields = std::tuple(&DeleteTxn::path);
};

/// setData and reconfig.
struct SetDataTxn {
  std::string_view path{};
  std::optional<std::string_view> data{};
  std::int32_t version = 0;  ///< the new version

  static constexpr auto kFields = std::tuple(&SetDataTxn::path, &SetDataTxn::data, &SetDataTxn::version);
};

struct SetAclTxn {
  std::string_view path{};
  std::optional<AclListView> acl{};
  std::int32_t version = 0;  ///< the new aversion

  static constexpr auto kFields = std::tuple(&SetAclTxn::path, &SetAclTxn::acl, &SetAclTxn::version);
};

/// check, only inside multi.
struct CheckVersionTxn {
  std::string_view path{};
  std::int32_t version = 0;  ///< the node's version plus one, as Apache logs it

  static constexpr auto kFields = std::tuple(&CheckVersionTxn::path, &CheckVersionTxn::version);
};

struct CreateSessionTxn {
  std::int32_t timeout_ms = 0;

  static constexpr auto kFields = std::tuple(&CreateSessionTxn::timeout_ms);
};

/// Absent body (3.5 and older, or closeSessionTxn.enabled=false): no list; then the tree says what to delete.
struct CloseSessionTxn {
  std::optional<PathListView> paths_to_delete{};

  static constexpr auto kFields = std::tuple(&CloseSessionTxn::paths_to_delete);
};

struct ErrorTxn {
  ErrorCode error = ErrorCode::kOk;

  static constexpr auto kFields = std::tuple(&ErrorTxn::error);
};

/// One part of a multi: its body is a buffer of its own.
struct MultiPartTxn {
  OpCode type = OpCode::kError;
  std::string_view body{};

  static constexpr auto kFields = std::tuple(&MultiPartTxn::type, &MultiPartTxn::body);
};

/// multi. One part of type kError makes the whole a no-op whose parts tell the outcome.
struct MultiTxn {
  ListView<MultiPartTxn> parts{};

  static constexpr auto kFields = std::tuple(&MultiTxn::parts);
};

/// Digest of the whole tree after the transaction.
struct TxnDigest {
  std::int32_t version = kDigestVersion;
  std::uint64_t tree_digest = 0;
  friend bool operator==(const TxnDigest&, const TxnDigest&) = default;
};

using TxnBody = std::variant<ErrorTxn, CreateTxn, CreateContainerTxn, CreateTtlTxn, DeleteTxn, SetDataTxn,
                             SetAclTxn, CheckVersionTxn, CreateSessionTxn, CloseSessionTxn, MultiTxn>;

struct Txn {
  TxnHeader header{};
  TxnBody body{};
  std::optional<TxnDigest> digest{};
};

/// How to read what the bytes themselves do not tell.
struct TxnDecoding {
  /// `zookeeper.closeSessionTxn.enabled`: closeSession carries its list of paths when there are bytes for
  /// one.
  bool close_session_paths = true;
  /// Longest string or buffer to accept.
  std::size_t max_string_bytes = kMaxStringBytes;
};

/// Decodes a payload. The parts of a multi are checked too.
/// \return  kTruncated, kTooLarge or kInvalidInput with the offset; an unknown type is kInvalidInput
/// "Unsupported
///          Txn with type=N", with which Apache refuses to start
Result<Txn> decode_txn(std::span<const std::byte> payload, const TxnDecoding& decoding = {});

/// Decodes the body of one part of a multi. Same errors.
Result<TxnBody> decode_multi_part(const MultiPartTxn& part, const TxnDecoding& decoding = {});

/// Appends header and body; `digest` follows when it is given.
void write_txn(Writer& out, const TxnHeader& header, const TxnBody& body,
               const std::optional<TxnDigest>& digest);

void write(Writer& out, const TxnDigest& digest);

}  // namespace wk::jute
