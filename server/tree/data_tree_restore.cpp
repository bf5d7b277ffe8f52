// A DataTree filled from a snapshot.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "server/tree/data_tree.h"
#include "server/tree/path.h"

namespace wk::tree {

void DataTree::begin_restore() {
  abandon_snapshot();
  release_blocks();
  acls_ = AclCache{};
  nodes_ = Nodes{};
  families_ = Families{};
  modifications_ = Modifications{};
  index_ = HashIndex<Nodes>{};
  root_ = kNone;
  digest_ = 0;
  data_size_ = 0;
  ephemerals_.clear();
  containers_ = {};
  ttls_ = {};
  scan_ = Scan::kNone;
  scan_position_ = kNone;
  ephemeral_count_ = 0;
  unread_ttls_ = 0;
  snapshot_torn_ = false;
  restoring_ = true;
  restore_unindexed_ = 1;
  restore_parent_ = kNone;
  restore_parent_path_.clear();
  restore_report_ = {};
}

void DataTree::restore_acl(std::int64_t number, const jute::AclListView& acl) { acls_.restore(number, acl); }

Result<void> DataTree::restore_node(const SnapshotNode& node) {
  const auto refuse = [&](Errc code, std::string_view why) {
    return Error{code, "znode '" + printable(node.path) + "' of the snapshot: " + std::string(why)};
  };
  if (!owner_kind(node.stat.ephemeral_owner, settings_.owners))
    return refuse(Errc::kInvalidInput, "its ephemeralOwner is an extended type that does not exist");
  NodeId parent = kNone;
  if (node.path.empty()) {
    if (root_ != kNone) return refuse(Errc::kInvalidInput, "the root is there twice");
  } else {
    if (!has_parent_and_name(node.path)) return refuse(Errc::kInvalidInput, "not a path");
    if (name_of(node.path).size() > kMaxNameBytes) return refuse(Errc::kTooLarge, "its name is too long");
    const std::string_view parent_path = parent_of(node.path);
    if (parent_path != restore_parent_path_ || restore_parent_ == kNone) {
      parent = restored_parent(parent_path);
      if (parent == kNone && parent_path.empty())
        return refuse(Errc::kInvalidInput, "its parent does not stand before it");
      if (parent == kNone) {
        if (const auto indexed = index_restored(); !indexed) return indexed.error();
        parent = find_id(parent_path);
      }
      if (parent == kNone) return refuse(Errc::kInvalidInput, "its parent does not stand before it");
      restore_parent_ = parent;
      restore_parent_path_ = parent_path;
    }
    parent = restore_parent_;
  }
  std::optional<AclId> acl = acls_.acquire_number(node.acl_number);
  if (!acl) {
    acl = acquire_world(0);
    ++restore_report_.unknown_acls;
  }
  attach(parent, node.path, node.data, *acl, node.stat);
  return {};
}

/// The znode with that path where the order of a snapshot puts it: the znode restored last, or one above it.
/// kNone: it is elsewhere, or not there.
DataTree::NodeId DataTree::restored_parent(std::string_view path) {
  if (path.empty()) return root_;
  if (restore_parent_ == kNone) return kNone;
  const std::string_view above = restore_parent_path_;
  if (path.size() > above.size()) {
    const NodeId last = nodes_.end() - 1;
    const bool below = path.starts_with(above) && path[above.size()] == '/' &&
                       path.substr(above.size() + 1) == name_of_node(nodes_[last]);
    return below ? last : kNone;
  }
  if (!above.starts_with(path) || above[path.size()] != '/') return kNone;
  NodeId id = restore_parent_;
  for (const char byte : above.substr(path.size()))
    if (byte == '/') id = nodes_[id].parent;
  return id;
}

/// Puts the znodes restored so far into the index, all at once: one by one, each would wait for memory.
Result<void> DataTree::index_restored() {
  constexpr NodeId kAhead = 16;
  index_.widen(nodes_.size());
  const NodeId end = nodes_.end();
  for (NodeId id = restore_unindexed_; id < end; ++id) {
    if (end - id > 2 * kAhead) index_.prefetch_bucket(nodes_[id + 2 * kAhead].hash);
    if (end - id > kAhead) index_.prefetch_records(nodes_, nodes_[id + kAhead].hash);
    if (id == root_) continue;
    const Node& node = nodes_[id];
    const auto same_path = [&](NodeId other) {
      return nodes_[other].parent == node.parent && name_of_node(nodes_[other]) == name_of_node(node);
    };
    if (index_.find(nodes_, node.hash, same_path) != kNone) {
      std::string path;
      append_path(id, path);
      return Error{Errc::kInvalidInput, "znode '" + printable(path) + "' of the snapshot: it is there twice"};
    }
    index_.insert(nodes_, id);
  }
  restore_unindexed_ = end;
  return {};
}

Result<DataTree::RestoreReport> DataTree::finish_restore() {
  if (const auto indexed = index_restored(); !indexed) return indexed.error();
  restoring_ = false;
  restore_report_.created_reserved = 0;
  create_reserved();
  acls_.purge_unused();
  restore_parent_ = kNone;
  restore_parent_path_.clear();
  return restore_report_;
}

}  // namespace wk::tree
