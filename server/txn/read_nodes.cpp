// Reads of nodes, and of what the server knows about the requester.
#include <string>

#include "jute/records.h"
#include "server/session/authentication.h"
#include "server/tree/path.h"
#include "server/txn/reading.h"

namespace wk::txn {

namespace {

using jute::ErrorCode;
using jute::OpCode;

bool holds_nul(std::string_view path) { return path.find('\0') != std::string_view::npos; }

// The node when it is there and may be read.
ErrorCode find_readable(const Reading& reading, std::string_view path, tree::Znode& node) {
  node = reading.tree().find(path);
  if (!node) return ErrorCode::kNoNode;
  return reading.permits(node, jute::kPermRead) ? ErrorCode::kOk : ErrorCode::kNoAuth;
}

void write_names(jute::Writer& out, const tree::Znode& node) {
  out.write_count(node.num_children());
  for (tree::Znode child = node.first_child(); child; child = child.next_sibling())
    out.write_string(child.name());
}

ErrorCode read_listing(Reading& reading, bool with_stat) {
  const auto request = reading.decode<jute::ReadRequestView>();
  if (!request) return ErrorCode::kMarshallingError;
  tree::Znode node;
  if (const ErrorCode error = find_readable(reading, request->path, node); error != ErrorCode::kOk)
    return error;
  if (request->watch)
    reading.watches().add(request->path, reading.request().connection, tree::WatchKind::kChild);
  write_names(reading.out(), node);
  if (with_stat) write(reading.out(), node.stat());
  return ErrorCode::kOk;
}

// Hashes of other people's passwords are nobody's business.
void write_masked(jute::Writer& out, const jute::AclListView& acl) {
  out.write_count(acl.size());
  for (const jute::AclView& entry : acl) {
    out.write_int(entry.perms);
    out.write_string(entry.id.scheme);
    const std::size_t colon = entry.id.id ? entry.id.id->find(':') : std::string_view::npos;
    if (entry.id.scheme == "digest" && colon != std::string_view::npos)
      out.write_string(std::string(entry.id.id->substr(0, colon)) + ":x");
    else
      out.write_string(entry.id.id);
  }
}

// True for what stands for "all": nothing, blanks, or the root. Source: String.trim(), which cuts every
// character up to the space.
bool means_everything(const std::optional<std::string_view>& prefix) {
  if (!prefix) return true;
  std::string_view rest = *prefix;
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
  return rest.empty() || rest == tree::kRootPath;
}

void read_part(Reading& reading, OpCode op, const jute::ReadRequestView& request) {
  tree::Znode node;
  jute::Writer& out = reading.out();
  if (const ErrorCode error = find_readable(reading, request.path, node); error != ErrorCode::kOk) {
    write(out, jute::MultiHeader{OpCode::kError, false, error});
    write(out, jute::ErrorResponse{error});
    return;
  }
  write(out, jute::MultiHeader{op, false, ErrorCode::kOk});
  if (op == OpCode::kGetChildren) {
    write_names(out, node);
  } else {
    out.write_string(node.data());
    write(out, node.stat());
  }
}

// Bytes that the rest of a multiRead will add to the reply at least, up to where that is more than there may
// be: a name is counted as one byte.
std::size_t least_bytes(const Reading& reading, jute::Reader in) {
  constexpr std::size_t kHeaderBytes = 9;
  constexpr std::size_t kErrorBytes = 4;
  constexpr std::size_t kLengthBytes = 4;
  constexpr std::size_t kStatBytes = 68;
  std::size_t bytes = 0;
  while (bytes <= kMaxMultiReadBytes) {
    jute::MultiHeader header;
    jute::ReadRequestView request;
    read(in, header);
    if (!in.ok() || header.done) break;
    read(in, request);
    if (!in.ok()) break;
    tree::Znode node;
    bytes += kHeaderBytes;
    if (find_readable(reading, request.path, node) != ErrorCode::kOk)
      bytes += kErrorBytes;
    else if (header.op == OpCode::kGetChildren)
      bytes += kLengthBytes + node.num_children() * (kLengthBytes + 1);
    else
      bytes += kLengthBytes + node.data().value_or("").size() + kStatBytes;
  }
  return bytes;
}

}  // namespace

ErrorCode read_nothing(Reading& /*reading*/) { return ErrorCode::kOk; }

ErrorCode read_exists(Reading& reading) {
  const auto request = reading.decode<jute::ReadRequestView>();
  if (!request) return ErrorCode::kMarshallingError;
  if (holds_nul(request->path)) return ErrorCode::kBadArguments;
  const tree::Znode node = reading.tree().find(request->path);
  if (node && !reading.permits(node, jute::kPermRead)) return ErrorCode::kNoAuth;
  if (request->watch)
    reading.watches().add(node ? request->path : reading.text(request->path), reading.request().connection,
                          tree::WatchKind::kData);
  if (!node) return ErrorCode::kNoNode;
  write(reading.out(), node.stat());
  return ErrorCode::kOk;
}

ErrorCode read_data(Reading& reading) {
  const auto request = reading.decode<jute::ReadRequestView>();
  if (!request) return ErrorCode::kMarshallingError;
  tree::Znode node;
  if (const ErrorCode error = find_readable(reading, request->path, node); error != ErrorCode::kOk)
    return error;
  if (request->watch)
    reading.watches().add(request->path, reading.request().connection, tree::WatchKind::kData);
  reading.out().write_string(node.data());
  write(reading.out(), node.stat());
  return ErrorCode::kOk;
}

ErrorCode read_acl(Reading& reading) {
  const auto request = reading.decode<jute::PathView>();
  if (!request) return ErrorCode::kMarshallingError;
  const tree::Znode node = reading.tree().find(request->path);
  if (!node) return ErrorCode::kNoNode;
  if (!reading.permits(node, jute::kPermRead | jute::kPermAdmin)) return ErrorCode::kNoAuth;
  const jute::AclListView acl = reading.tree().acls().list(node.acl());
  if (reading.permits(node, jute::kPermAdmin))
    write(reading.out(), acl);
  else
    write_masked(reading.out(), acl);
  write(reading.out(), node.stat());
  return ErrorCode::kOk;
}

ErrorCode read_children(Reading& reading) { return read_listing(reading, false); }
ErrorCode read_children_and_stat(Reading& reading) { return read_listing(reading, true); }

ErrorCode read_all_children_number(Reading& reading) {
  const auto request = reading.decode<jute::PathView>();
  if (!request) return ErrorCode::kMarshallingError;
  tree::Znode node;
  if (const ErrorCode error = find_readable(reading, request->path, node); error != ErrorCode::kOk)
    return error;
  // Asked for by its empty alias, the root counts as its own descendant.
  const std::uint32_t itself = request->path.empty() ? 1 : 0;
  reading.out().write_int(static_cast<std::int32_t>(node.num_descendants() + itself));
  return ErrorCode::kOk;
}

ErrorCode read_ephemerals(Reading& reading) {
  const auto request = reading.decode<jute::OptionalPathView>();
  if (!request) return ErrorCode::kMarshallingError;
  const bool everything = means_everything(request->path);
  // Java compares texts: a malformed prefix is no beginning of any path.
  const std::string prefix(everything ? std::string_view{} : reading.text(*request->path));
  std::vector<std::string> paths;
  const tree::DataTree& tree = reading.tree();
  for (tree::Znode node = tree.first_ephemeral(reading.request().session); node;
       node = tree.next_ephemeral(node)) {
    if (node.path_starts_with(prefix)) paths.push_back(node.path());
  }
  reading.out().write_count(paths.size());
  for (const std::string& path : paths) reading.out().write_string(path);
  return ErrorCode::kOk;
}

ErrorCode read_multi(Reading& reading) {
  // Once a reply is long, it is worth a look whether it will get too long, before more is copied.
  constexpr std::size_t kLongBytes = 1U << 20;
  jute::Reader in = reading.reader();
  bool looked_ahead = false;
  for (;;) {
    jute::MultiHeader header;
    read(in, header);
    if (!in.ok()) return ErrorCode::kMarshallingError;
    if (header.done) break;
    if (header.op != OpCode::kGetData && header.op != OpCode::kGetChildren)
      return ErrorCode::kMarshallingError;
    jute::ReadRequestView request;
    read(in, request);
    if (!in.ok()) return ErrorCode::kMarshallingError;
    read_part(reading, header.op, request);
    if (reading.out_bytes() > kMaxMultiReadBytes) return ErrorCode::kMarshallingError;
    if (looked_ahead || reading.out_bytes() <= kLongBytes) continue;
    looked_ahead = true;
    if (reading.out_bytes() + least_bytes(reading, in) > kMaxMultiReadBytes)
      return ErrorCode::kMarshallingError;
  }
  write(reading.out(), jute::MultiHeader{OpCode::kError, true, ErrorCode::kSystemError});
  return ErrorCode::kOk;
}

ErrorCode read_sync(Reading& reading) {
  const auto request = reading.decode<jute::OptionalPathView>();
  if (!request) return ErrorCode::kMarshallingError;
  if (request->path)
    reading.out().write_string(reading.text(*request->path));
  else
    reading.out().write_string(std::nullopt);
  return ErrorCode::kOk;
}

ErrorCode read_who_am_i(Reading& reading) {
  reading.out().write_count(reading.request().identities.size());
  for (const jute::Id& identity : reading.request().identities) {
    reading.out().write_string(identity.scheme);
    reading.out().write_string(session::Authentication::user_name(identity));
  }
  return ErrorCode::kOk;
}

}  // namespace wk::txn
