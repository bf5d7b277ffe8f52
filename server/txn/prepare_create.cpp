// Every operation that makes a node.
#include <fmt/format.h>

#include <limits>
#include <string>

#include "server/tree/owner.h"
#include "server/tree/path.h"
#include "server/txn/preparation.h"

namespace wk::txn {

namespace {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;

// A quota on the root, which 3.9.5 accepts and then cannot apply.
constexpr std::string_view kRootQuotaLimits = "/zookeeper/quota/zookeeper_limits";

bool is_known(CreateMode mode) {
  return mode >= CreateMode::kPersistent && mode <= CreateMode::kPersistentSequentialWithTtl;
}
bool is_ephemeral(CreateMode mode) {
  return mode == CreateMode::kEphemeral || mode == CreateMode::kEphemeralSequential;
}
bool is_sequential(CreateMode mode) {
  return mode == CreateMode::kPersistentSequential || mode == CreateMode::kEphemeralSequential ||
         mode == CreateMode::kPersistentSequentialWithTtl;
}
bool has_ttl(CreateMode mode) {
  return mode == CreateMode::kPersistentWithTtl || mode == CreateMode::kPersistentSequentialWithTtl;
}

ErrorCode check_mode(const Preparation& preparation, const Creation& creation) {
  const CreateMode mode = creation.request.mode;
  if (!is_known(mode)) return ErrorCode::kBadArguments;
  if (has_ttl(mode)) {
    if (!preparation.owner_rules().extended_types) return ErrorCode::kUnimplemented;
    return tree::ttl_owner(creation.ttl_ms) ? ErrorCode::kOk : ErrorCode::kBadArguments;
  }
  if (creation.ttl_ms >= 0) return ErrorCode::kBadArguments;
  // Differs: 3.9.5 lets these two through and then cannot apply them, or makes something else of them.
  if (creation.op == OpCode::kCreateTtl) return ErrorCode::kBadArguments;
  if (creation.op == OpCode::kCreateContainer && is_ephemeral(mode)) return ErrorCode::kBadArguments;
  return ErrorCode::kOk;
}

// What the transaction is called. Differs: create and create2 with the container's mode make a container,
// where 3.9.5 does so only inside a multi.
OpCode type_of(const Creation& creation) {
  return creation.request.mode == CreateMode::kContainer ? OpCode::kCreateContainer : creation.op;
}

std::int64_t owner_of(const Preparation& preparation, OpCode type, const Creation& creation) {
  if (type == OpCode::kCreateContainer) return tree::kContainerOwner;
  if (type == OpCode::kCreateTtl) return *tree::ttl_owner(creation.ttl_ms);
  return is_ephemeral(creation.request.mode) ? preparation.request().session.value : 0;
}

// The parent once the child is there. A cversion that has reached its end is not raised any more, as applying
// does.
NodeChange with_child(const NodeChange& parent, std::int32_t cversion, Zxid zxid) {
  NodeChange changed = parent;
  ++changed.child_count;
  changed.sequence = cversion;
  if (cversion > parent.stat.cversion) {
    changed.stat.cversion = cversion;
    changed.stat.pzxid = zxid;
  }
  return changed;
}

std::int32_t next(std::int32_t counter) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(counter) + 1);
}

void emit(Preparation& preparation, OpCode type, const Creation& creation, std::string_view path,
          const jute::AclListView& acl, std::int32_t parent_cversion) {
  const auto& data = creation.request.data;
  if (type == OpCode::kCreateContainer)
    preparation.emit(type, jute::CreateContainerTxn{path, data, acl, parent_cversion});
  else if (type == OpCode::kCreateTtl)
    preparation.emit(type, jute::CreateTtlTxn{{path, data, acl, parent_cversion}, creation.ttl_ms});
  else
    preparation.emit(type,
                     jute::CreateTxn{path, data, acl, is_ephemeral(creation.request.mode), parent_cversion});
}

}  // namespace

ErrorCode prepare_creation(Preparation& preparation, const Creation& creation) {
  const jute::CreateRequestView& request = creation.request;
  if (const ErrorCode error = check_mode(preparation, creation); error != ErrorCode::kOk) return error;
  if (preparation.request().session_check != ErrorCode::kOk) return preparation.request().session_check;
  if (!request.path) return ErrorCode::kMarshallingError;
  if (!has_parent(*request.path)) return ErrorCode::kBadArguments;
  const std::string_view parent_path = tree::parent_of(*request.path);
  const tree::NormalisedAcl acl = preparation.normalise(request.acl);
  if (acl.error != ErrorCode::kOk) return acl.error;
  const auto parent = preparation.find(parent_path);
  if (!parent) return ErrorCode::kNoNode;
  if (!preparation.permits(*parent, jute::kPermCreate)) return ErrorCode::kNoAuth;

  std::string sequential;
  std::string_view path = *request.path;
  if (is_sequential(request.mode)) path = sequential = fmt::format("{}{:010}", path, parent->sequence);
  if (!tree::is_valid_path(path) || path == kRootQuotaLimits ||
      tree::name_of(path).size() > tree::DataTree::kMaxNameBytes)
    return ErrorCode::kBadArguments;
  if (preparation.find(path)) return ErrorCode::kNodeExists;
  if (preparation.is_ephemeral(*parent)) return ErrorCode::kNoChildrenForEphemerals;

  if (!preparation.has_room(path.size() + request.data.value_or("").size() + acl.list.encoded().size()))
    return ErrorCode::kMarshallingError;

  const OpCode type = type_of(creation);
  const std::int32_t cversion = next(parent->sequence);
  preparation.put(parent_path, *parent, with_child(*parent, cversion, preparation.zxid()));
  NodeChange node;
  node.exists = true;
  node.stat = tree::stat_at_creation(preparation.zxid(), preparation.time_ms(),
                                     owner_of(preparation, type, creation));
  preparation.set_acl(node, acl.list);
  preparation.put_data(path, std::nullopt, std::move(node), request.data);
  emit(preparation, type, creation, path, acl.list, cversion);
  return ErrorCode::kOk;
}

ErrorCode prepare_create(Preparation& preparation) {
  Creation creation;
  creation.op = preparation.request().op;
  if (creation.op == OpCode::kCreateTtl) {
    const auto request = preparation.decode<jute::CreateTtlRequestView>();
    if (!request) return ErrorCode::kMarshallingError;
    creation.request = request->create;
    creation.ttl_ms = request->ttl_ms;
  } else {
    const auto request = preparation.decode<jute::CreateRequestView>();
    if (!request) return ErrorCode::kMarshallingError;
    creation.request = *request;
  }
  return prepare_creation(preparation, creation);
}

}  // namespace wk::txn
