// Layout of a znode's block: Ownership when kOwned, content_crc() when keeps_content(), the name, the data.
#include "server/tree/data_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "jute/writer.h"
#include "server/tree/digest.h"
#include "server/tree/path.h"

namespace wk::tree {
namespace {

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
char* store(char* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

char* store_text(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

std::int32_t wrapping_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

/// Java compares zxids as signed numbers.
bool later(Zxid a, std::uint64_t b) {
  return static_cast<std::int64_t>(a.value) > static_cast<std::int64_t>(b);
}

}  // namespace

// --------------------------------------------------------------------------------------------- life, reading

DataTree::DataTree(const DataTreeSettings& settings) : settings_(settings) { create_reserved(); }

DataTree::~DataTree() { release_blocks(); }

void DataTree::create_reserved() {
  const auto missing = [&](std::string_view path) { return find_id(path) == kNone; };
  const StatPersisted stat{};
  const std::optional<std::string_view> no_bytes{""};
  if (root_ == kNone) {
    attach(kNone, "", no_bytes, kOpenAcl, stat);
    ++restore_report_.created_reserved;
  }
  if (missing(kZookeeperPath)) {
    attach(root_, kZookeeperPath, no_bytes, kOpenAcl, stat);
    ++restore_report_.created_reserved;
  }
  const NodeId zookeeper = find_id(kZookeeperPath);
  if (missing(kConfigPath)) {
    const AclId read_only = acquire_world(jute::kPermRead);
    StatPersisted config_stat{};
    config_stat.aversion = -1;
    attach(zookeeper, kConfigPath, no_bytes, read_only, config_stat);
    ++restore_report_.created_reserved;
  }
  if (missing(kQuotaPath)) {
    attach(zookeeper, kQuotaPath, no_bytes, kOpenAcl, stat);
    ++restore_report_.created_reserved;
  }
}

/// Takes hold of the list with one entry that makes `perms` what everybody may do.
AclId DataTree::acquire_world(std::int32_t perms) {
  std::vector<std::byte> list;
  jute::Writer out(list);
  write(out, jute::AclView{perms, {"world", "anyone"}});
  return acls_.acquire(jute::AclListView{list, 1});
}

Znode DataTree::find(std::string_view path) const { return {this, find_id(path)}; }

DataTree::NodeId DataTree::find_id(std::string_view path) const {
  if (path.empty() || path == kRootPath) return root_;
  return index_.find(nodes_, hash_string(path, settings_.hash_seed),
                     [&](NodeId id) { return has_path(id, path); });
}

bool DataTree::has_path(NodeId id, std::string_view path) const {
  while (id != root_) {
    const Node& node = nodes_[id];
    const std::string_view name = name_of_node(node);
    if (path.size() <= name.size()) return false;
    const std::size_t slash = path.size() - name.size() - 1;
    if (path[slash] != '/' || path.substr(slash + 1) != name) return false;
    path = path.substr(0, slash);
    id = node.parent;
  }
  return path.empty();
}

/// Length of the full path; the root's is "".
std::size_t DataTree::path_size(NodeId id) const {
  std::size_t size = 0;
  for (NodeId at = id; at != root_; at = nodes_[at].parent)
    size += 1 + (nodes_[at].name_and_flags & kNameMask);
  return size;
}

void DataTree::append_path(NodeId id, std::string& path) const {
  path.resize(path.size() + path_size(id));
  std::size_t end = path.size();
  for (NodeId at = id; at != root_; at = nodes_[at].parent) {
    const std::string_view name = name_of_node(nodes_[at]);
    end -= name.size();
    path.replace(end, name.size(), name);
    path[--end] = '/';
  }
}

DataTree::Memory DataTree::memory() const {
  return {nodes_.allocated_bytes() + families_.allocated_bytes() + modifications_.allocated_bytes(),
          index_.allocated_bytes(), blocks_.allocated_bytes()};
}

std::size_t DataTree::allocated_bytes() const {
  const Memory held = memory();
  return held.records + held.index + held.names_and_data;
}

Znode DataTree::first_ephemeral(SessionId session) const {
  const auto found = ephemerals_.find(session.value);
  return found == ephemerals_.end() ? Znode{} : Znode{this, found->second.first};
}

std::size_t DataTree::ephemerals_of(SessionId session) const {
  const auto found = ephemerals_.find(session.value);
  return found == ephemerals_.end() ? 0 : found->second.size;
}

Znode DataTree::next_ephemeral(Znode node) const { return {this, ownership_of(nodes_[node.id_]).next}; }

std::vector<std::pair<SessionId, std::size_t>> DataTree::ephemeral_sessions() const {
  std::vector<std::pair<SessionId, std::size_t>> sessions;
  sessions.reserve(ephemerals_.size());
  for (const auto& [session, list] : ephemerals_) sessions.emplace_back(SessionId{session}, list.size);
  std::sort(sessions.begin(), sessions.end());
  return sessions;
}

// ------------------------------------------------------------------------------------------ a znode's parts

DataTree::Ownership DataTree::ownership_of(const Node& node) const {
  if ((node.name_and_flags & kOwned) == 0) return {};
  return load<Ownership>(node.block);
}

std::size_t DataTree::ownership_bytes(const Node& node) {
  return (node.name_and_flags & kOwned) != 0 ? sizeof(Ownership) : 0;
}

std::size_t DataTree::head_bytes(const Node& node) {
  return ownership_bytes(node) + (keeps_content(node) ? sizeof(std::uint32_t) : 0);
}

std::size_t DataTree::block_size(const Node& node) {
  return head_bytes(node) + (node.name_and_flags & kNameMask) +
         (node.data_length == kNullData ? 0 : node.data_length);
}

std::string_view DataTree::name_of_node(const Node& node) const {
  return {node.block + head_bytes(node), node.name_and_flags & kNameMask};
}

std::optional<std::string_view> DataTree::data_of(const Node& node) const {
  if (node.data_length == kNullData) return std::nullopt;
  return std::string_view{node.block + head_bytes(node) + (node.name_and_flags & kNameMask),
                          node.data_length};
}

StatPersisted DataTree::stat_of(const Node& node) const {
  StatPersisted stat = stat_at_creation(Zxid{node.czxid}, node.ctime_ms, ownership_of(node).owner);
  if (node.modification != kNone) {
    const Modification& modification = modifications_[node.modification];
    stat.mzxid = {modification.mzxid};
    stat.mtime_ms = modification.mtime_ms;
    stat.version = modification.version;
    stat.aversion = static_cast<std::int32_t>(modification.aversion);
  }
  if (node.family != kNone) {
    stat.cversion = families_[node.family].cversion;
    stat.pzxid = {families_[node.family].pzxid};
  }
  return stat;
}

/// content_crc() of a node.
std::uint32_t DataTree::content_of(const Node& node, std::string_view path) const {
  return keeps_content(node) ? load<std::uint32_t>(node.block + ownership_bytes(node))
                             : content_crc(path, data_of(node));
}

std::uint32_t DataTree::digest_of(const Node& node, std::string_view path) const {
  return digest_of_content(path, content_of(node, path), stat_of(node));
}

/// Gives a node a new block; name and data may lie in its old one, which is freed.
void DataTree::build_block(Node& node, const Ownership* ownership, std::uint32_t content,
                           std::string_view name, std::optional<std::string_view> data) {
  Node built = node;
  built.name_and_flags = (node.name_and_flags & kMarked) | (ownership != nullptr ? kOwned : 0) |
                         static_cast<std::uint32_t>(name.size());
  built.data_length = data ? static_cast<std::uint32_t>(data->size()) : kNullData;
  const std::size_t size = block_size(built);
  built.block = size == 0 ? nullptr : blocks_.allocate(size);
  char* at = built.block;
  if (ownership != nullptr) at = store(at, *ownership);
  if (keeps_content(built)) at = store(at, content);
  at = store_text(at, name);
  if (data) store_text(at, *data);
  release_block(node);
  node = built;
}

void DataTree::release_block(Node& node) {
  if (node.block != nullptr) blocks_.release(node.block, block_size(node));
  node.block = nullptr;
}

/// The node's family, made when it has none yet.
DataTree::Family& DataTree::family_of(NodeId id) {
  Node& node = nodes_[id];
  if (node.family == kNone) {
    node.family = families_.allocate();
    families_[node.family].pzxid = node.czxid;
  }
  return families_[node.family];
}

/// The node's modification, made when it has none yet.
DataTree::Modification& DataTree::modification_of(NodeId id) {
  Node& node = nodes_[id];
  if (node.modification == kNone) {
    node.modification = modifications_.allocate();
    modifications_[node.modification] = {.mzxid = node.czxid, .mtime_ms = node.ctime_ms};
  }
  return modifications_[node.modification];
}

// ---------------------------------------------------------------------------------------------- in and out

/// Adds a node as the last child of `parent` (kNone: as the root). Takes over the caller's hold on the ACL.
DataTree::NodeId DataTree::attach(NodeId parent, std::string_view path, std::optional<std::string_view> data,
                                  AclId acl, const StatPersisted& stat) {
  const NodeId id = nodes_.allocate();
  Node& node = nodes_[id];
  node.czxid = stat.czxid.value;
  node.ctime_ms = stat.ctime_ms;
  node.parent = parent;
  node.acl = acl.slot;
  node.name_and_flags = snapshot_mark_ ? kMarked : 0;
  const Ownership ownership{.owner = stat.ephemeral_owner};
  const std::uint32_t content = content_crc(path, data);
  build_block(node, stat.ephemeral_owner != 0 ? &ownership : nullptr, content, name_of(path), data);
  if (stat.mzxid != stat.czxid || stat.mtime_ms != stat.ctime_ms || stat.version != 0 || stat.aversion != 0) {
    modification_of(id) = {.mzxid = stat.mzxid.value,
                           .mtime_ms = stat.mtime_ms,
                           .version = stat.version,
                           .aversion = static_cast<std::uint32_t>(stat.aversion)};
  }
  if (stat.pzxid != stat.czxid || stat.cversion != 0) {
    Family& own = family_of(id);
    own.pzxid = stat.pzxid.value;
    own.cversion = stat.cversion;
  }

  if (parent == kNone) {
    root_ = id;
    data_size_ += 1;  // "/", the root's second name
  } else {
    node.hash = hash_string(path, settings_.hash_seed);
    if (!restoring_) index_.insert(nodes_, id);
    Family& family = family_of(parent);
    node.previous = family.last;
    (family.last == kNone ? family.first : nodes_[family.last].next) = id;
    family.last = id;
    ++family.children;
    for (NodeId at = parent; at != kNone; at = nodes_[at].parent) ++families_[nodes_[at].family].descendants;
  }
  if (stat.ephemeral_owner != 0) link_owned(id);
  digest_ += digest_of_content(path, content, stat);
  data_size_ += static_cast<std::int64_t>(utf16_length(path) + (data ? data->size() : 0));
  return id;
}

/// Takes a childless node that is not the root out of everything.
void DataTree::remove(NodeId id, std::string_view path) {
  Node& node = nodes_[id];
  const std::optional<std::string_view> data = data_of(node);
  digest_ -= digest_of(node, path);
  data_size_ -= static_cast<std::int64_t>(utf16_length(path) + (data ? data->size() : 0));
  if ((node.name_and_flags & kOwned) != 0) unlink_owned(id);
  if (snapshot_position_ == id) snapshot_position_ = after(id, false);

  Family& family = families_[nodes_[node.parent].family];
  (node.previous == kNone ? family.first : nodes_[node.previous].next) = node.next;
  (node.next == kNone ? family.last : nodes_[node.next].previous) = node.previous;
  --family.children;
  for (NodeId at = node.parent; at != kNone; at = nodes_[at].parent)
    --families_[nodes_[at].family].descendants;

  index_.erase(nodes_, id);
  acls_.release(AclId{node.acl});
  release_block(node);
  if (node.family != kNone) families_.release(node.family);
  if (node.modification != kNone) modifications_.release(node.modification);
  nodes_.release(id);
}

/// remove() for a node with everything below it, the deepest first.
void DataTree::remove_subtree(NodeId top, std::string_view path) {
  std::string below(path);
  NodeId id = top;
  for (;;) {
    const Node& node = nodes_[id];
    if (node.family != kNone && families_[node.family].first != kNone) {
      id = families_[node.family].first;
      below.append("/").append(name_of_node(nodes_[id]));
      continue;
    }
    if (id == top) break;
    const NodeId parent = node.parent;
    before_change(id);
    remove(id, below);
    below.resize(below.rfind('/'));
    id = parent;
  }
  remove(top, path);
}

/// Raises cversion and pzxid together, when the new cversion is higher than the present one.
void DataTree::raise_parent(NodeId parent, std::string_view parent_path, std::int32_t parent_cversion,
                            Zxid zxid) {
  Node& node = nodes_[parent];
  const StatPersisted before = stat_of(node);
  if (parent_cversion == -1) parent_cversion = wrapping_add(before.cversion, 1);
  if (parent_cversion <= before.cversion) return;
  before_change(parent);
  Family& family = family_of(parent);
  family.cversion = parent_cversion;
  family.pzxid = zxid.value;
  replace_digest(node, parent_path, before);
}

/// Corrects the tree's digest after the numbers of a node, but not its data, changed.
void DataTree::replace_digest(const Node& node, std::string_view path, const StatPersisted& before) {
  const std::uint32_t content = content_of(node, path);
  digest_ -= digest_of_content(path, content, before);
  digest_ += digest_of_content(path, content, stat_of(node));
}

// ------------------------------------------------------------------------------------------------- mutators

DataTree::Outcome DataTree::create_node(const NewNode& created) {
  using jute::ErrorCode;
  const auto kind = owner_kind(created.owner, settings_.owners);
  if (!kind || (!has_parent_and_name(created.path) && created.path != kRootPath))
    return {.error = ErrorCode::kBadArguments};
  if (name_of(created.path).size() > kMaxNameBytes) return {.error = ErrorCode::kBadArguments};

  if (const NodeId existing = find_id(created.path); existing != kNone) {
    before_change(existing);
    Node& node = nodes_[existing];
    const AclId acl = acls_.acquire(created.acl);
    acls_.release(AclId{node.acl});
    node.acl = acl.slot;
    if (existing != root_)
      raise_parent(node.parent, parent_of(created.path), created.parent_cversion, created.zxid);
    return {.error = ErrorCode::kNodeExists};
  }
  const std::string_view parent_path = parent_of(created.path);
  const NodeId parent = find_id(parent_path);
  if (parent == kNone) return {.error = ErrorCode::kNoNode};

  before_change(parent);
  raise_parent(parent, parent_path, created.parent_cversion, created.zxid);
  const AclId acl = acls_.acquire(created.acl);
  const NodeId id = attach(parent, created.path, created.data, acl,
                           stat_at_creation(created.zxid, created.time_ms, created.owner));
  return {.node = {this, id}};
}

jute::ErrorCode DataTree::delete_node(std::string_view path, Zxid zxid) {
  using jute::ErrorCode;
  if (!has_parent_and_name(path)) return ErrorCode::kNoNode;
  const NodeId id = find_id(path);
  const std::string_view parent_path = parent_of(path);
  const NodeId parent = id != kNone ? nodes_[id].parent : find_id(parent_path);
  if (parent == kNone) return ErrorCode::kNoNode;

  Node& above = nodes_[parent];
  if (const StatPersisted before = stat_of(above); later(zxid, before.pzxid.value)) {
    before_change(parent);
    family_of(parent).pzxid = zxid.value;
    replace_digest(above, parent_path, before);
  }
  if (id == kNone) return ErrorCode::kNoNode;
  before_change(id);
  remove_subtree(id, path);
  return ErrorCode::kOk;
}

void DataTree::forget_session(SessionId session) {
  WK_CHECK(ephemerals_of(session) == 0, "a session that still owns ephemerals is forgotten");
  ephemerals_.erase(session.value);
}

DataTree::Outcome DataTree::set_data(std::string_view path, std::optional<std::string_view> data,
                                     std::int32_t version, Zxid zxid, std::int64_t time_ms) {
  const NodeId id = find_id(path);
  if (id == kNone) return {.error = jute::ErrorCode::kNoNode};
  before_change(id);
  Node& node = nodes_[id];
  const std::optional<std::string_view> old_data = data_of(node);
  digest_ -= digest_of(node, path);
  data_size_ += static_cast<std::int64_t>(data ? data->size() : 0) -
                static_cast<std::int64_t>(old_data ? old_data->size() : 0);

  const std::uint32_t content = content_crc(path, data);
  Node resized = node;
  resized.data_length = data ? static_cast<std::uint32_t>(data->size()) : kNullData;
  if (head_bytes(node) == head_bytes(resized) &&
      BlockPool::same_room(block_size(node), block_size(resized))) {
    // Most writes replace data by data of the same size.
    node.data_length = resized.data_length;
    if (data && !data->empty())
      std::memmove(node.block + block_size(node) - data->size(), data->data(), data->size());
    if (keeps_content(node)) store(node.block + ownership_bytes(node), content);
  } else {
    const Ownership ownership = ownership_of(node);
    build_block(node, ownership.owner != 0 ? &ownership : nullptr, content, name_of_node(node), data);
  }
  Modification& modification = modification_of(id);
  modification.mzxid = zxid.value;
  modification.mtime_ms = time_ms;
  modification.version = version;
  digest_ += digest_of_content(path, content, stat_of(node));
  return {.node = {this, id}};
}

DataTree::Outcome DataTree::set_acl(std::string_view path, const std::optional<jute::AclListView>& acl,
                                    std::int32_t aversion) {
  const NodeId id = find_id(path);
  if (id == kNone) return {.error = jute::ErrorCode::kNoNode};
  before_change(id);
  Node& node = nodes_[id];
  const StatPersisted before = stat_of(node);
  const AclId acquired = acls_.acquire(acl);
  acls_.release(AclId{node.acl});
  node.acl = acquired.slot;
  modification_of(id).aversion = static_cast<std::uint32_t>(aversion);
  replace_digest(node, path, before);
  return {.node = {this, id}};
}

// ------------------------------------------------------------------------------ ephemerals, containers, TTL

/// The list that nodes with that owner are in.
DataTree::OwnedList& DataTree::owned_list(std::int64_t owner) {
  switch (*owner_kind(owner, settings_.owners)) {
    case OwnerKind::kContainer:
      return containers_;
    case OwnerKind::kTtl:
      return ttls_;
    case OwnerKind::kNone:
    case OwnerKind::kSession:
      break;
  }
  return ephemerals_[owner];
}

void DataTree::set_ownership(NodeId id, const Ownership& ownership) { store(nodes_[id].block, ownership); }

void DataTree::link_owned(NodeId id) {
  Ownership own = ownership_of(nodes_[id]);
  OwnedList& list = owned_list(own.owner);
  own.previous = list.last;
  set_ownership(id, own);
  if (list.last == kNone) {
    list.first = id;
  } else {
    Ownership last = ownership_of(nodes_[list.last]);
    last.next = id;
    set_ownership(list.last, last);
  }
  list.last = id;
  ++list.size;
  if (&list == &containers_ || &list == &ttls_) return;
  ++ephemeral_count_;
  if (looks_like_ttl(own.owner)) ++unread_ttls_;
}

void DataTree::unlink_owned(NodeId id) {
  const Ownership own = ownership_of(nodes_[id]);
  OwnedList& list = owned_list(own.owner);
  if (scan_position_ == id) scan_position_ = own.next;
  if (own.previous == kNone) {
    list.first = own.next;
  } else {
    Ownership previous = ownership_of(nodes_[own.previous]);
    previous.next = own.next;
    set_ownership(own.previous, previous);
  }
  if (own.next == kNone) {
    list.last = own.previous;
  } else {
    Ownership next = ownership_of(nodes_[own.next]);
    next.previous = own.previous;
    set_ownership(own.next, next);
  }
  --list.size;
  if (&list == &containers_ || &list == &ttls_) return;
  --ephemeral_count_;
  if (looks_like_ttl(own.owner)) --unread_ttls_;
}

bool DataTree::collect_due(std::int64_t now_ms, std::int64_t never_used_max_ms, std::size_t max_examined,
                           std::vector<std::string>& due) {
  if (scan_ == Scan::kNone) {
    scan_ = Scan::kContainers;
    scan_position_ = containers_.first;
  }
  for (; max_examined > 0; --max_examined) {
    if (scan_position_ == kNone && scan_ == Scan::kContainers) {
      scan_ = Scan::kTtls;
      scan_position_ = ttls_.first;
    }
    if (scan_position_ == kNone) break;
    const Node& node = nodes_[scan_position_];
    const Znode znode{this, scan_position_};
    const Ownership own = ownership_of(node);
    scan_position_ = own.next;
    if (znode.num_children() != 0) continue;
    const StatPersisted stat = stat_of(node);
    const std::int64_t idle = idle_ms(stat, now_ms);
    const bool is_due = scan_ == Scan::kContainers
                            ? stat.cversion > 0 || (never_used_max_ms != 0 && idle > never_used_max_ms)
                            : ttl_ms(own.owner) != 0 && idle > ttl_ms(own.owner);
    if (is_due) due.push_back(znode.path());
  }
  if (scan_position_ != kNone || (scan_ == Scan::kContainers && ttls_.first != kNone)) return false;
  scan_ = Scan::kNone;
  return true;
}

void DataTree::release_blocks() {
  for (NodeId id = root_; id != kNone; id = after(id, true)) release_block(nodes_[id]);
}

}  // namespace wk::tree
