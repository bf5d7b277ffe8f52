#include "server/txn/apply.h"

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "jute/records.h"
#include "server/tree/owner.h"
#include "server/tree/path.h"

namespace wk::txn {

namespace {

using jute::ErrorCode;
using jute::EventType;
using jute::OpCode;

jute::TxnDecoding decoding(const Settings& settings) {
  return {.close_session_paths = settings.close_session_paths, .max_string_bytes = settings.max_string_bytes};
}

// What one transaction, or one part of one, came to.
struct Outcome {
  ErrorCode error = ErrorCode::kOk;
  std::string_view path{};
  tree::Znode node{};  ///< made or changed; lives until the next change
};

// One payload being carried out.
class Application {
 public:
  Application(const ApplyTarget& target, const jute::TxnHeader& header) : target_(target), header_(header) {}

  Outcome run(const jute::TxnBody& body) {
    return std::visit([&](const auto& record) { return run(record); }, body);
  }

  // Applies the parts, or none of them when one is an error, and appends the reply's body to `reply`.
  ErrorCode run_multi(const jute::MultiTxn& multi, jute::Writer* reply, bool& rolled_back);

 private:
  Outcome run(const jute::CreateTxn& txn) {
    const std::int64_t owner = txn.ephemeral ? header_.session_id.value : 0;
    return create({txn.path, txn.data, txn.acl, txn.parent_cversion}, owner);
  }
  Outcome run(const jute::CreateContainerTxn& txn) { return create(txn, tree::kContainerOwner); }
  Outcome run(const jute::CreateTtlTxn& txn) {
    const auto owner = tree::ttl_owner(txn.ttl_ms);
    if (!owner) return {ErrorCode::kBadArguments, txn.create.path, {}};
    return create(txn.create, *owner);
  }
  Outcome run(const jute::DeleteTxn& txn) { return remove(txn.path); }
  Outcome run(const jute::SetDataTxn& txn);
  Outcome run(const jute::SetAclTxn& txn);
  Outcome run(const jute::CheckVersionTxn& txn) { return {ErrorCode::kOk, txn.path, {}}; }
  Outcome run(const jute::ErrorTxn& txn) { return {txn.error, {}, {}}; }
  Outcome run(const jute::CreateSessionTxn& txn);
  Outcome run(const jute::CloseSessionTxn& txn);
  // A multi goes through run_multi(), and never stands inside another one.
  Outcome run(const jute::MultiTxn& /*txn*/) { return {}; }

  Outcome create(const jute::CreateContainerTxn& txn, std::int64_t owner);
  Outcome remove(std::string_view path);

  // Tells the connections in notified_ that may read by `acl`.
  void notify(tree::AclId acl, EventType type, std::string_view path);
  void notify_parent(std::string_view parent_path);

  const ApplyTarget& target_;
  const jute::TxnHeader& header_;
  std::vector<ConnectionId> notified_;
};

void Application::notify(tree::AclId acl, EventType type, std::string_view path) {
  if (notified_.empty()) return;
  const tree::AclCache& acls = target_.tree.acls();
  // Whoever nobody knows may read what everyone may read: then no connection has to be looked at.
  if (!acls.permits(acl, jute::kPermRead, {}, target_.settings.acl))
    std::erase_if(notified_, [&](ConnectionId connection) {
      return !acls.permits(acl, jute::kPermRead, target_.events.identities(connection), target_.settings.acl);
    });
  if (!notified_.empty()) target_.events.fired(notified_, type, path, header_.zxid);
  notified_.clear();
}

void Application::notify_parent(std::string_view parent_path) {
  if (parent_path.empty()) parent_path = tree::kRootPath;
  target_.watches.fire_children(parent_path, notified_);
  if (notified_.empty()) return;
  notify(target_.tree.find(parent_path).acl(), EventType::kNodeChildrenChanged, parent_path);
}

Outcome Application::create(const jute::CreateContainerTxn& txn, std::int64_t owner) {
  const auto created = target_.tree.create_node({.path = txn.path,
                                                 .data = txn.data,
                                                 .acl = txn.acl,
                                                 .owner = owner,
                                                 .parent_cversion = txn.parent_cversion,
                                                 .zxid = header_.zxid,
                                                 .time_ms = header_.time_ms});
  if (created.error == ErrorCode::kOk && target_.watches.size() != 0) {
    target_.watches.fire_data(txn.path, notified_);
    notify(created.node.acl(), EventType::kNodeCreated, txn.path);
    notify_parent(tree::parent_of(txn.path));
  }
  return {created.error, txn.path, created.node};
}

Outcome Application::remove(std::string_view path) {
  // The filter needs the node's list, which goes with the node: so who is told is found out first.
  const tree::Znode node = target_.watches.size() == 0 ? tree::Znode() : target_.tree.find(path);
  if (node) {
    target_.watches.fire_deleted(path, notified_);
    notify(node.acl(), EventType::kNodeDeleted, path);
    notify_parent(tree::parent_of(path));
  }
  return {target_.tree.delete_node(path, header_.zxid), path, {}};
}

Outcome Application::run(const jute::SetDataTxn& txn) {
  const auto set = target_.tree.set_data(txn.path, txn.data, txn.version, header_.zxid, header_.time_ms);
  if (set.error == ErrorCode::kOk && target_.watches.size() != 0) {
    target_.watches.fire_data(txn.path, notified_);
    notify(set.node.acl(), EventType::kNodeDataChanged, txn.path);
  }
  return {set.error, txn.path, set.node};
}

Outcome Application::run(const jute::SetAclTxn& txn) {
  const auto set = target_.tree.set_acl(txn.path, txn.acl, txn.version);
  return {set.error, txn.path, set.node};
}

Outcome Application::run(const jute::CreateSessionTxn& txn) {
  target_.sessions.commit_open(header_.session_id, txn.timeout_ms);
  return {};
}

Outcome Application::run(const jute::CloseSessionTxn& txn) {
  // Missing ones are no fault: a snapshot may have been taken in between.
  if (txn.paths_to_delete)
    for (const std::string_view path : *txn.paths_to_delete) remove(path);
  while (const tree::Znode left = target_.tree.first_ephemeral(header_.session_id)) remove(left.path());
  target_.tree.forget_session(header_.session_id);
  target_.sessions.commit_close(header_.session_id);
  return {};
}

bool is_failure(const jute::MultiTxn& multi) {
  for (const jute::MultiPartTxn& part : multi.parts)
    if (part.type == OpCode::kError) return true;
  return false;
}

void write_error_part(jute::Writer& out, ErrorCode error) {
  write(out, jute::MultiHeader{OpCode::kError, false, error});
  write(out, jute::ErrorResponse{error});
}

void write_result_part(jute::Writer& out, OpCode type, const Outcome& outcome) {
  const auto head = [&out](OpCode result) { write(out, jute::MultiHeader{result, false, ErrorCode::kOk}); };
  switch (type) {
    case OpCode::kCreate:
      head(OpCode::kCreate);
      return out.write_string(outcome.path);
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTtl:
      head(OpCode::kCreate2);
      out.write_string(outcome.path);
      return write(out, outcome.node.stat());
    case OpCode::kSetData:
      head(OpCode::kSetData);
      return write(out, outcome.node.stat());
    case OpCode::kCheck:
      return head(OpCode::kCheck);
    default:
      return head(OpCode::kDelete);
  }
}

ErrorCode Application::run_multi(const jute::MultiTxn& multi, jute::Writer* reply, bool& rolled_back) {
  rolled_back = is_failure(multi);
  ErrorCode answer = ErrorCode::kOk;
  // Of a failed multi the parts before the failing one did nothing wrong, those behind it were not looked at.
  ErrorCode of_others = ErrorCode::kOk;
  for (const jute::MultiPartTxn& part : multi.parts) {
    const auto body = jute::decode_multi_part(part, decoding(target_.settings));
    WK_CHECK(body.has_value(), "a part of a multi that was checked cannot be decoded any more");
    Outcome outcome{of_others, {}, {}};
    if (!rolled_back || part.type == OpCode::kError) outcome = run(*body);
    if (part.type == OpCode::kError) of_others = ErrorCode::kRuntimeInconsistency;
    if (outcome.error == ErrorCode::kSessionMoved) answer = ErrorCode::kSessionMoved;
    if (reply == nullptr) continue;
    if (rolled_back || outcome.error != ErrorCode::kOk)
      write_error_part(*reply, outcome.error);
    else
      write_result_part(*reply, part.type, outcome);
  }
  if (reply != nullptr) write(*reply, jute::MultiHeader{OpCode::kError, true, ErrorCode::kSystemError});
  return answer;
}

void write_reply(jute::Writer& out, OpCode op, const Outcome& outcome) {
  switch (op) {
    case OpCode::kCreate:
      return out.write_string(outcome.path);
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTtl:
      out.write_string(outcome.path);
      return write(out, outcome.node.stat());
    case OpCode::kSetData:
    case OpCode::kSetAcl:
      return write(out, outcome.node.stat());
    case OpCode::kReconfig:
      out.write_string(outcome.node.data());
      return write(out, outcome.node.stat());
    default:
      return;
  }
}

}  // namespace

Result<Applied> apply(std::span<const std::byte> payload, const ApplyTarget& target,
                      const ReplyTo* reply_to) {
  auto txn = jute::decode_txn(payload, decoding(target.settings));
  if (!txn) return std::move(txn).error();
  Applied applied;
  applied.header = txn->header;
  Application application(target, txn->header);
  std::optional<jute::Writer> reply{};
  if (reply_to != nullptr) reply.emplace(reply_to->body, jute::kLongestString);
  if (const auto* multi = std::get_if<jute::MultiTxn>(&txn->body)) {
    applied.error = application.run_multi(*multi, reply ? &*reply : nullptr, applied.rolled_back);
  } else {
    const Outcome outcome = application.run(txn->body);
    applied.error = outcome.error;
    if (reply && outcome.error == ErrorCode::kOk) write_reply(*reply, reply_to->op, outcome);
  }
  if (txn->digest && target.settings.digest && txn->digest->version == jute::kDigestVersion)
    applied.digest_mismatch = txn->digest->tree_digest != target.tree.digest();
  return applied;
}

}  // namespace wk::txn
