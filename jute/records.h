// The records of ZooKeeper's client protocol, each with its encoder and decoder.
//
// A record lists its members in wire order in kFields; write(Writer&, record) and read(Reader&, record) are
// generated from that list, so both directions cannot drift apart. Types say what the wire allows:
//   std::string                  ustring or buffer that must not be null (null is a decoding fault, which a
//   server
//                                answers with MARSHALLINGERROR as Apache does)
//   std::optional<std::string>   ustring or buffer for which null and empty are two things
//   std::vector<T>, optional<…>  likewise for vectors
//   std::optional<bool>          a last byte that may be absent
// Bytes after a record's last member are ignored, as Apache ignores them.
// Thread: any; plain values. Pure.
// Source: zookeeper.jute; reference "Opcodes and headers".
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "jute/codes.h"
#include "jute/reader.h"
#include "jute/writer.h"

namespace wk::jute {

// ----------------------------------------------------------------------------------------------------------
// handshake

/// First frame of a client; has no RequestHeader in front.
struct ConnectRequest {
  std::int32_t protocol_version = 0;
  Zxid last_zxid_seen{};
  std::int32_t timeout_ms = 0;  ///< wanted session timeout; the server clamps it
  SessionId session_id{};       ///< 0 asks for a new session
  std::optional<std::string> password{};
  std::optional<bool> read_only{};  ///< absent: a client of 3.3 or older style

  static constexpr auto kFields = std::tuple(
      &ConnectRequest::protocol_version, &ConnectRequest::last_zxid_seen, &ConnectRequest::timeout_ms,
      &ConnectRequest::session_id, &ConnectRequest::password, &ConnectRequest::read_only);
  friend bool operator==(const ConnectRequest&, const ConnectRequest&) = default;
};

/// First frame of a server; has no ReplyHeader in front. timeout_ms 0 or session id 0: the session is gone.
struct ConnectResponse {
  std::int32_t protocol_version = 0;
  std::int32_t timeout_ms = 0;
  SessionId session_id{};
  std::optional<std::string> password{};
  std::optional<bool> read_only{};  ///< present exactly when the request had its own

  static constexpr auto kFields =
      std::tuple(&ConnectResponse::protocol_version, &ConnectResponse::timeout_ms,
                 &ConnectResponse::session_id, &ConnectResponse::password, &ConnectResponse::read_only);
  friend bool operator==(const ConnectResponse&, const ConnectResponse&) = default;
};

// ------------------------------------------------------------------------------------------------------------
// headers

/// In front of every request; ping and closeSession consist of it alone.
struct RequestHeader {
  std::int32_t xid = 0;
  OpCode op = OpCode::kNotification;

  static constexpr auto kFields = std::tuple(&RequestHeader::xid, &RequestHeader::op);
  friend bool operator==(const RequestHeader&, const RequestHeader&) = default;
};

struct ReplyHeader {
  std::int32_t xid = 0;
  Zxid zxid{};  ///< last applied; the wire's -1 (events before 3.9, unknown operations) is 0xffffffffffffffff
  ErrorCode error = ErrorCode::kOk;

  static constexpr auto kFields = std::tuple(&ReplyHeader::xid, &ReplyHeader::zxid, &ReplyHeader::error);
  friend bool operator==(const ReplyHeader&, const ReplyHeader&) = default;
};

// ------------------------------------------------------------------------------------------------------
// shared parts

struct Stat {
  Zxid czxid{};
  Zxid mzxid{};
  std::int64_t ctime_ms = 0;  ///< since 1970, the leader's clock
  std::int64_t mtime_ms = 0;
  std::int32_t version = 0;
  std::int32_t cversion = 0;
  std::int32_t aversion = 0;
  SessionId ephemeral_owner{};  ///< 0: not an ephemeral
  std::int32_t data_length_bytes = 0;
  std::int32_t num_children = 0;
  Zxid pzxid{};

  static constexpr auto kFields = std::tuple(
      &Stat::czxid, &Stat::mzxid, &Stat::ctime_ms, &Stat::mtime_ms, &Stat::version, &Stat::cversion,
      &Stat::aversion, &Stat::ephemeral_owner, &Stat::data_length_bytes, &Stat::num_children, &Stat::pzxid);
  friend bool operator==(const Stat&, const Stat&) = default;
};

/// Who: "world"/"anyone", "digest"/"user:hash", "ip"/"10.0.0.0/8", …
struct Id {
  std::optional<std::string> scheme{};
  std::optional<std::string> id{};

  static constexpr auto kFields = std::tuple(&Id::scheme, &Id::id);
  friend bool operator==(const Id&, const Id&) = default;
};

struct Acl {
  std::int32_t perms = 0;  ///< kPerm… bits
  Id id{};

  static constexpr auto kFields = std::tuple(&Acl::perms, &Acl::id);
  friend bool operator==(const Acl&, const Acl&) = default;
};

// -----------------------------------------------------------------------------------------------------------
// requests

/// create, create2, createContainer.
struct CreateRequest {
  std::string path{};
  std::optional<std::string> data{};
  std::optional<std::vector<Acl>> acl{};
  CreateMode mode = CreateMode::kPersistent;

  static constexpr auto kFields =
      std::tuple(&CreateRequest::path, &CreateRequest::data, &CreateRequest::acl, &CreateRequest::mode);
  friend bool operator==(const CreateRequest&, const CreateRequest&) = default;
};

/// createTTL.
struct CreateTtlRequest {
  CreateRequest create{};
  std::int64_t ttl_ms = 0;  ///< 1 … 2^40-1

  static constexpr auto kFields = std::tuple(&CreateTtlRequest::create, &CreateTtlRequest::ttl_ms);
  friend bool operator==(const CreateTtlRequest&, const CreateTtlRequest&) = default;
};

struct CreateResponse {
  std::string path{};

  static constexpr auto kFields = std::tuple(&CreateResponse::path);
  friend bool operator==(const CreateResponse&, const CreateResponse&) = default;
};

/// create2, createContainer, createTTL.
struct Create2Response {
  std::string path{};
  Stat stat{};

  static constexpr auto kFields = std::tuple(&Create2Response::path, &Create2Response::stat);
  friend bool operator==(const Create2Response&, const Create2Response&) = default;
};

struct DeleteRequest {
  std::string path{};
  std::int32_t version = -1;  ///< -1 matches any

  static constexpr auto kFields = std::tuple(&DeleteRequest::path, &DeleteRequest::version);
  friend bool operator==(const DeleteRequest&, const DeleteRequest&) = default;
};

/// exists, getData, getChildren, getChildren2: records of one shape in zookeeper.jute.
struct ReadRequest {
  std::string path{};
  bool watch = false;

  static constexpr auto kFields = std::tuple(&ReadRequest::path, &ReadRequest::watch);
  friend bool operator==(const ReadRequest&, const ReadRequest&) = default;
};

/// exists, setData, setACL.
struct StatResponse {
  Stat stat{};

  static constexpr auto kFields = std::tuple(&StatResponse::stat);
  friend bool operator==(const StatResponse&, const StatResponse&) = default;
};

struct GetDataResponse {
  std::optional<std::string> data{};
  Stat stat{};

  static constexpr auto kFields = std::tuple(&GetDataResponse::data, &GetDataResponse::stat);
  friend bool operator==(const GetDataResponse&, const GetDataResponse&) = default;
};

struct SetDataRequest {
  std::string path{};
  std::optional<std::string> data{};
  std::int32_t version = -1;

  static constexpr auto kFields =
      std::tuple(&SetDataRequest::path, &SetDataRequest::data, &SetDataRequest::version);
  friend bool operator==(const SetDataRequest&, const SetDataRequest&) = default;
};

struct GetAclRequest {
  std::string path{};

  static constexpr auto kFields = std::tuple(&GetAclRequest::path);
  friend bool operator==(const GetAclRequest&, const GetAclRequest&) = default;
};

struct GetAclResponse {
  std::vector<Acl> acl{};
  Stat stat{};

  static constexpr auto kFields = std::tuple(&GetAclResponse::acl, &GetAclResponse::stat);
  friend bool operator==(const GetAclResponse&, const GetAclResponse&) = default;
};

struct SetAclRequest {
  std::string path{};
  std::optional<std::vector<Acl>> acl{};
  std::int32_t version = -1;  ///< compared with Stat::aversion

  static constexpr auto kFields =
      std::tuple(&SetAclRequest::path, &SetAclRequest::acl, &SetAclRequest::version);
  friend bool operator==(const SetAclRequest&, const SetAclRequest&) = default;
};

struct GetChildrenResponse {
  std::vector<std::string> children{};

  static constexpr auto kFields = std::tuple(&GetChildrenResponse::children);
  friend bool operator==(const GetChildrenResponse&, const GetChildrenResponse&) = default;
};

struct GetChildren2Response {
  std::vector<std::string> children{};
  Stat stat{};

  static constexpr auto kFields = std::tuple(&GetChildren2Response::children, &GetChildren2Response::stat);
  friend bool operator==(const GetChildren2Response&, const GetChildren2Response&) = default;
};

/// sync: request and response; the server echoes the path, null included.
struct SyncRecord {
  std::optional<std::string> path{};

  static constexpr auto kFields = std::tuple(&SyncRecord::path);
  friend bool operator==(const SyncRecord&, const SyncRecord&) = default;
};

/// check, only inside multi.
struct CheckVersionRequest {
  std::string path{};
  std::int32_t version = -1;

  static constexpr auto kFields = std::tuple(&CheckVersionRequest::path, &CheckVersionRequest::version);
  friend bool operator==(const CheckVersionRequest&, const CheckVersionRequest&) = default;
};

// -------------------------------------------------------------------------------------------- watches,
// authentication

struct SetWatches {
  Zxid relative_zxid{};  ///< changes above it are reported at once
  std::vector<std::string> data_watches{};
  std::vector<std::string> exist_watches{};
  std::vector<std::string> child_watches{};

  static constexpr auto kFields = std::tuple(&SetWatches::relative_zxid, &SetWatches::data_watches,
                                             &SetWatches::exist_watches, &SetWatches::child_watches);
  friend bool operator==(const SetWatches&, const SetWatches&) = default;
};

struct SetWatches2 {
  SetWatches standard{};
  std::vector<std::string> persistent_watches{};
  std::vector<std::string> persistent_recursive_watches{};

  static constexpr auto kFields = std::tuple(&SetWatches2::standard, &SetWatches2::persistent_watches,
                                             &SetWatches2::persistent_recursive_watches);
  friend bool operator==(const SetWatches2&, const SetWatches2&) = default;
};

struct AddWatchRequest {
  std::optional<std::string> path{};
  AddWatchMode mode = AddWatchMode::kPersistent;

  static constexpr auto kFields = std::tuple(&AddWatchRequest::path, &AddWatchRequest::mode);
  friend bool operator==(const AddWatchRequest&, const AddWatchRequest&) = default;
};

/// Body of an addWatch reply (always 0) and of a failed part of a multi.
struct ErrorResponse {
  ErrorCode error = ErrorCode::kOk;

  static constexpr auto kFields = std::tuple(&ErrorResponse::error);
  friend bool operator==(const ErrorResponse&, const ErrorResponse&) = default;
};

/// Body behind a ReplyHeader with xid -1.
struct WatcherEvent {
  EventType type = EventType::kNone;
  KeeperState state = KeeperState::kSyncConnected;
  std::string path{};

  static constexpr auto kFields = std::tuple(&WatcherEvent::type, &WatcherEvent::state, &WatcherEvent::path);
  friend bool operator==(const WatcherEvent&, const WatcherEvent&) = default;
};

struct AuthPacket {
  std::int32_t type = 0;  ///< always 0
  std::string scheme{};
  std::optional<std::string> auth{};  ///< for digest: "user:password" in the clear

  static constexpr auto kFields = std::tuple(&AuthPacket::type, &AuthPacket::scheme, &AuthPacket::auth);
  friend bool operator==(const AuthPacket&, const AuthPacket&) = default;
};

// --------------------------------------------------------------------------------------------------------------
// multi

/// Stands in front of every part of a multi, both directions; `done` in the closing one.
struct MultiHeader {
  OpCode op = OpCode::kError;
  bool done = false;
  ErrorCode error = ErrorCode::kSystemError;  ///< -1 in requests and in the closing header

  static constexpr auto kFields = std::tuple(&MultiHeader::op, &MultiHeader::done, &MultiHeader::error);
  friend bool operator==(const MultiHeader&, const MultiHeader&) = default;
};

/// One part of a multi: `op` says which alternative is held. create, create2, createContainer: CreateRequest.
struct MultiOperation {
  OpCode op = OpCode::kCheck;
  std::variant<CheckVersionRequest, CreateRequest, CreateTtlRequest, DeleteRequest, SetDataRequest> request{};
  friend bool operator==(const MultiOperation&, const MultiOperation&) = default;
};

/// multi: all parts happen or none. A part of another kind is a decoding fault.
struct MultiRequest {
  std::vector<MultiOperation> operations{};
  friend bool operator==(const MultiRequest&, const MultiRequest&) = default;
};

/// Result of one part. `op` says what is there: kCreate path; kCreate2 path and stat; kSetData stat; kDelete
/// and kCheck nothing; kError the error (kOk: rolled back; kRuntimeInconsistency: stood behind the one that
/// failed).
struct MultiResult {
  OpCode op = OpCode::kError;
  ErrorCode error = ErrorCode::kOk;
  std::string path{};
  Stat stat{};
  friend bool operator==(const MultiResult&, const MultiResult&) = default;
};

struct MultiResponse {
  std::vector<MultiResult> results{};
  friend bool operator==(const MultiResponse&, const MultiResponse&) = default;
};

// -------------------------------------------------------------------------------------------------- encode
// and decode

/// A structure that lists its members in kFields.
template <typename T>
concept Record = requires {
  T::kFields;
};

void write(Writer& out, std::int32_t value);
void write(Writer& out, std::int64_t value);
void write(Writer& out, bool value);
void write(Writer& out, Zxid value);
void write(Writer& out, SessionId value);
void write(Writer& out, const std::string& value);
void write(Writer& out, const std::optional<std::string>& value);
void write(Writer& out, const std::optional<bool>& value);
void write(Writer& out, const MultiRequest& value);
void write(Writer& out, const MultiResponse& value);

void read(Reader& in, std::int32_t& value);
void read(Reader& in, std::int64_t& value);
void read(Reader& in, bool& value);
void read(Reader& in, Zxid& value);
void read(Reader& in, SessionId& value);
void read(Reader& in, std::string& value);
void read(Reader& in, std::optional<std::string>& value);
void read(Reader& in, std::optional<bool>& value);
void read(Reader& in, MultiRequest& value);
void read(Reader& in, MultiResponse& value);

template <typename T>
requires std::is_enum_v<T>
void write(Writer& out, T value) { out.write_int(static_cast<std::int32_t>(value)); }

template <typename T>
requires std::is_enum_v<T>
void read(Reader& in, T& value) { value = static_cast<T>(in.read_int()); }

template <typename T>
void write(Writer& out, const std::vector<T>& values);
template <typename T>
void write(Writer& out, const std::optional<std::vector<T>>& values);
template <typename T>
void read(Reader& in, std::vector<T>& values);
template <typename T>
void read(Reader& in, std::optional<std::vector<T>>& values);

template <Record T>
void write(Writer& out, const T& record) {
  std::apply([&](auto... member) { (write(out, record.*member), ...); }, T::kFields);
}

template <Record T>
void read(Reader& in, T& record) {
  std::apply([&](auto... member) { (read(in, record.*member), ...); }, T::kFields);
}

/// Smallest number of bytes that one T takes on the wire; what bounds the count of a vector<T>.
template <typename T>
constexpr std::size_t min_wire_bytes() {
  if constexpr (Record<T>)
    return std::apply(
        [](auto... member) {
          return (min_wire_bytes<std::decay_t<decltype(std::declval<T>().*member)>>() + ...);
        },
        T::kFields);
  else if constexpr (std::is_same_v<T, bool>)
    return 1;
  else if constexpr (std::is_same_v<T, std::int64_t> || std::is_same_v<T, Zxid> ||
                     std::is_same_v<T, SessionId>)
    return 8;
  else
    return 4;  // int, enumerations, and the length in front of strings and vectors
}

template <typename T>
void write(Writer& out, const std::vector<T>& values) {
  out.write_count(values.size());
  for (const T& value : values) write(out, value);
}

template <typename T>
void write(Writer& out, const std::optional<std::vector<T>>& values) {
  if (values)
    write(out, *values);
  else
    out.write_count(std::nullopt);
}

template <typename T>
void read(Reader& in, std::optional<std::vector<T>>& values) {
  values.reset();
  const auto count = in.read_count(min_wire_bytes<T>());
  if (!count) return;
  values.emplace();
  for (std::size_t i = 0; i < *count && in.ok(); ++i) read(in, values->emplace_back());
}

template <typename T>
void read(Reader& in, std::vector<T>& values) {
  std::optional<std::vector<T>> maybe{};
  read(in, maybe);
  if (maybe)
    values = *std::move(maybe);
  else
    in.fail(Errc::kInvalidInput, "null where a vector must be");
}

/// Decodes one record from the start of `bytes`.
/// \return  kTruncated, kTooLarge or kInvalidInput with the offset when the bytes are no such record
template <typename T>
Result<T> decode(std::span<const std::byte> bytes) {
  Reader in(bytes);
  T record;
  read(in, record);
  if (auto status = in.status(); !status) return std::move(status).error();
  return record;
}

}  // namespace wk::jute
