// All parts or none.
#include <optional>
#include <variant>

#include "server/txn/preparation.h"

namespace wk::txn {

namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;

struct Deletion {
  jute::PathVersionView request{};
};
struct Check {
  jute::PathVersionView request{};
};
using Part = std::variant<Creation, Deletion, Check, jute::SetDataRequestView>;

bool has_known_mode_without_ttl(const jute::CreateRequestView& request) {
  return request.mode >= CreateMode::kPersistent && request.mode <= CreateMode::kContainer;
}

// Stand-alone requests with a null path are refused by their checks. A multi is malformed then, wherever the
// part stands: Apache looks for the parents of all paths before the first check.
void refuse_null(jute::Reader& in, const std::optional<std::string_view>& path) {
  if (!path) in.fail(Errc::kInvalidInput, "null where a path must be");
}

// Mode and list are looked at while decoding, as Apache builds an Op from the record: then the whole request
// is malformed.
Part read_create(jute::Reader& in, OpCode op) {
  Creation creation;
  creation.op = op;
  read(in, creation.request);
  refuse_null(in, creation.request.path);
  if (!has_known_mode_without_ttl(creation.request))
    in.fail(Errc::kInvalidInput, "mode that a create cannot have");
  if (!creation.request.acl) in.fail(Errc::kInvalidInput, "null where a vector must be");
  return creation;
}

// Without a TTL mode this is a plain create in Apache's multi, whose ttl nobody reads.
Part read_create_ttl(jute::Reader& in) {
  jute::CreateTtlRequestView request;
  read(in, request);
  refuse_null(in, request.create.path);
  Creation creation;
  creation.request = request.create;
  if (request.create.mode == CreateMode::kPersistentWithTtl ||
      request.create.mode == CreateMode::kPersistentSequentialWithTtl) {
    creation.op = OpCode::kCreateTtl;
    creation.ttl_ms = request.ttl_ms;
  }
  return creation;
}

template <typename T>
Part read_path_version(jute::Reader& in) {
  T part;
  read(in, part.request);
  refuse_null(in, part.request.path);
  return part;
}

Part read_set_data(jute::Reader& in) {
  jute::SetDataRequestView request;
  read(in, request);
  refuse_null(in, request.path);
  return request;
}

// The next part; nothing behind the last one and after a fault.
std::optional<Part> take_part(jute::Reader& in) {
  jute::MultiHeader header;
  read(in, header);
  if (!in.ok() || header.done) return std::nullopt;
  switch (header.op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
      return read_create(in, header.op);
    case OpCode::kCreateTtl:
      return read_create_ttl(in);
    case OpCode::kDelete:
      return read_path_version<Deletion>(in);
    case OpCode::kCheck:
      return read_path_version<Check>(in);
    case OpCode::kSetData:
      return read_set_data(in);
    default:
      in.fail(Errc::kInvalidInput, "operation that a multi cannot hold");
      return std::nullopt;
  }
}

// Nothing for a malformed request.
std::optional<std::size_t> count_parts(jute::Reader in) {
  std::size_t count = 0;
  while (take_part(in)) ++count;
  return in.ok() ? std::optional(count) : std::nullopt;
}

ErrorCode prepare_part(Preparation& preparation, const Part& part) {
  if (const auto* creation = std::get_if<Creation>(&part)) return prepare_creation(preparation, *creation);
  if (const auto* deletion = std::get_if<Deletion>(&part))
    return prepare_deletion(preparation, deletion->request);
  if (const auto* check = std::get_if<Check>(&part)) return prepare_check(preparation, check->request);
  return prepare_data(preparation, std::get<jute::SetDataRequestView>(part));
}

}  // namespace

ErrorCode prepare_multi(Preparation& preparation) {
  const auto count = count_parts(preparation.reader());
  if (!count) return ErrorCode::kMarshallingError;
  jute::Reader in = preparation.reader();
  preparation.writer().write_count(*count);
  bool failed = false;
  for (std::size_t i = 0; i < *count; ++i) {
    const auto part = take_part(in);
    preparation.begin_part();
    const ErrorCode error = failed ? ErrorCode::kRuntimeInconsistency : prepare_part(preparation, *part);
    // Not an outcome of the part but a request that Apache's code trips over, or one too long.
    if (error == ErrorCode::kMarshallingError) return error;
    if (error != ErrorCode::kOk && !failed) {
      preparation.fail_multi(error);
      failed = true;
    }
    preparation.end_part(error);
    if (!preparation.has_room(0)) return ErrorCode::kMarshallingError;
  }
  preparation.emit(OpCode::kMulti);
  return ErrorCode::kOk;
}

}  // namespace wk::txn
