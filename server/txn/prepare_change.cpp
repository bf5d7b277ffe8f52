// The operations that change or remove one node.
#include "server/tree/owner.h"
#include "server/tree/path.h"
#include "server/txn/preparation.h"

namespace wk::txn {

namespace {

using jute::ErrorCode;
using jute::OpCode;

bool version_matches(std::int32_t expected, std::int32_t current) {
  return expected == -1 || expected == current;
}

std::int32_t next(std::int32_t version) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(version) + 1);
}

bool can_be_deleted(std::string_view path) { return has_parent(path) && !tree::is_reserved_path(path); }

// True when the clean-up task may remove the node as it will be. Differs: Apache deletes any node that is no
// ephemeral, also one that took the place of the container, and a TTL node that was written to in the
// meantime.
bool is_due(const Preparation& preparation, const NodeChange& node) {
  const std::int64_t owner = node.stat.ephemeral_owner;
  const auto kind = tree::owner_kind(owner, preparation.owner_rules());
  if (kind == tree::OwnerKind::kContainer) return true;
  return kind == tree::OwnerKind::kTtl && tree::ttl_ms(owner) != 0 &&
         tree::idle_ms(node.stat, preparation.time_ms()) > tree::ttl_ms(owner);
}

template <typename Record>
ErrorCode decoded(Preparation& preparation, ErrorCode (*handler)(Preparation&, const Record&)) {
  const auto request = preparation.decode<Record>();
  return request ? handler(preparation, *request) : ErrorCode::kMarshallingError;
}

ErrorCode prepare_acl(Preparation& preparation, const jute::SetAclRequestView& request) {
  if (preparation.request().session_check != ErrorCode::kOk) return preparation.request().session_check;
  if (!request.path || !tree::is_valid_path(*request.path)) return ErrorCode::kBadArguments;
  const std::string_view path = *request.path;
  const tree::NormalisedAcl acl = preparation.normalise(request.acl);
  if (acl.error != ErrorCode::kOk) return acl.error;
  const auto node = preparation.find(path);
  if (!node) return ErrorCode::kNoNode;
  if (!preparation.permits(*node, jute::kPermAdmin)) return ErrorCode::kNoAuth;
  if (!version_matches(request.version, node->stat.aversion)) return ErrorCode::kBadVersion;
  if (!preparation.has_room(path.size() + acl.list.encoded().size())) return ErrorCode::kMarshallingError;

  NodeChange changed = *node;
  changed.stat.aversion = next(node->stat.aversion);
  preparation.set_acl(changed, acl.list);
  preparation.emit(OpCode::kSetAcl, jute::SetAclTxn{path, acl.list, changed.stat.aversion});
  preparation.put(path, *node, std::move(changed));
  return ErrorCode::kOk;
}

ErrorCode prepare_container_deletion(Preparation& preparation, const jute::PathView& request) {
  if (!can_be_deleted(request.path)) return ErrorCode::kBadArguments;
  const auto node = preparation.find(request.path);
  if (!node) return ErrorCode::kNoNode;
  if (node->child_count > 0) return ErrorCode::kNotEmpty;
  if (!is_due(preparation, *node)) return ErrorCode::kBadVersion;
  const std::string_view parent_path = tree::parent_of(request.path);
  const auto parent = preparation.find(parent_path);
  if (!parent) return ErrorCode::kNoNode;
  preparation.put_deletion(request.path, *node, parent_path, *parent);
  preparation.emit(OpCode::kDeleteContainer, jute::DeleteTxn{request.path});
  return ErrorCode::kOk;
}

}  // namespace

ErrorCode prepare_deletion(Preparation& preparation, const jute::PathVersionView& request) {
  if (preparation.request().session_check != ErrorCode::kOk) return preparation.request().session_check;
  if (!request.path) return ErrorCode::kMarshallingError;
  const std::string_view path = *request.path;
  if (!can_be_deleted(path)) return ErrorCode::kBadArguments;
  const std::string_view parent_path = tree::parent_of(path);
  const auto parent = preparation.find(parent_path);
  if (!parent) return ErrorCode::kNoNode;
  if (!preparation.permits(*parent, jute::kPermDelete)) return ErrorCode::kNoAuth;
  const auto node = preparation.find(path);
  if (!node) return ErrorCode::kNoNode;
  if (!version_matches(request.version, node->stat.version)) return ErrorCode::kBadVersion;
  if (node->child_count > 0) return ErrorCode::kNotEmpty;
  preparation.put_deletion(path, *node, parent_path, *parent);
  preparation.emit(OpCode::kDelete, jute::DeleteTxn{path});
  return ErrorCode::kOk;
}

ErrorCode prepare_data(Preparation& preparation, const jute::SetDataRequestView& request) {
  if (preparation.request().session_check != ErrorCode::kOk) return preparation.request().session_check;
  if (!request.path || !tree::is_valid_path(*request.path)) return ErrorCode::kBadArguments;
  const std::string_view path = *request.path;
  const auto node = preparation.find(path);
  if (!node) return ErrorCode::kNoNode;
  if (!preparation.permits(*node, jute::kPermWrite)) return ErrorCode::kNoAuth;
  if (!version_matches(request.version, node->stat.version)) return ErrorCode::kBadVersion;
  if (!preparation.has_room(path.size() + request.data.value_or("").size()))
    return ErrorCode::kMarshallingError;

  NodeChange changed = *node;
  changed.stat.version = next(node->stat.version);
  changed.stat.mtime_ms = preparation.time_ms();
  changed.stat.mzxid = preparation.zxid();
  preparation.emit(OpCode::kSetData, jute::SetDataTxn{path, request.data, changed.stat.version});
  preparation.put_data(path, node, std::move(changed), request.data);
  return ErrorCode::kOk;
}

ErrorCode prepare_check(Preparation& preparation, const jute::PathVersionView& request) {
  if (preparation.request().session_check != ErrorCode::kOk) return preparation.request().session_check;
  if (!request.path || !tree::is_valid_path(*request.path)) return ErrorCode::kBadArguments;
  const auto node = preparation.find(*request.path);
  if (!node) return ErrorCode::kNoNode;
  if (!preparation.permits(*node, jute::kPermRead)) return ErrorCode::kNoAuth;
  if (!version_matches(request.version, node->stat.version)) return ErrorCode::kBadVersion;
  preparation.emit(OpCode::kCheck, jute::CheckVersionTxn{*request.path, next(node->stat.version)});
  return ErrorCode::kOk;
}

ErrorCode prepare_delete(Preparation& preparation) { return decoded(preparation, prepare_deletion); }
ErrorCode prepare_set_data(Preparation& preparation) { return decoded(preparation, prepare_data); }
ErrorCode prepare_set_acl(Preparation& preparation) { return decoded(preparation, prepare_acl); }
ErrorCode prepare_delete_container(Preparation& preparation) {
  return decoded(preparation, prepare_container_deletion);
}

ErrorCode prepare_reconfig(Preparation& preparation) {
  if (!preparation.decode<jute::ReconfigRequestView>()) return ErrorCode::kMarshallingError;
  if (!preparation.settings().reconfig) return ErrorCode::kReconfigDisabled;
  if (preparation.request().session_check != ErrorCode::kOk) return preparation.request().session_check;
  // A quorum of one has no membership to change; so answers a standalone server.
  return ErrorCode::kUnimplemented;
}

}  // namespace wk::txn
