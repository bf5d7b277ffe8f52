// The walk of a DataTree for a snapshot, while transactions change the tree.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "server/tree/data_tree.h"

namespace wk::tree {
namespace {

/// What a znode costs in step_snapshot()'s budget beside path and data: its numbers.
constexpr std::size_t kSnapshotNodeBytes = 64;

}  // namespace

/// The node behind `id` in the order of the walk: down first (unless told not to), then along, then up.
DataTree::NodeId DataTree::after(NodeId id, bool into_children) const {
  if (const Node& node = nodes_[id]; into_children && node.family != kNone) {
    if (const NodeId child = families_[node.family].first; child != kNone) return child;
  }
  for (; id != kNone; id = nodes_[id].parent)
    if (nodes_[id].next != kNone) return nodes_[id].next;
  return kNone;
}

void DataTree::begin_snapshot(SnapshotSink& sink) {
  WK_CHECK(sink_ == nullptr, "a snapshot begins while another is under way");
  if (snapshot_torn_) {
    for (NodeId id = root_; id != kNone; id = after(id, true)) mark_visited(nodes_[id]);
    snapshot_torn_ = false;
  }
  sink_ = &sink;
  snapshot_mark_ = !snapshot_mark_;
  snapshot_position_ = root_;
  snapshot_left_ = nodes_.size();
  snapshot_early_ = 0;
}

bool DataTree::step_snapshot(std::size_t budget_bytes) {
  WK_CHECK(sink_ != nullptr, "no snapshot is under way");
  std::size_t spent = 0;
  // Counting what is left ends the walk even while znodes are created faster than it passes them.
  while (snapshot_left_ > 0 && spent < budget_bytes) {
    spent += visited(nodes_[snapshot_position_]) ? kSnapshotNodeBytes : hand_over(snapshot_position_);
    snapshot_position_ = after(snapshot_position_, true);
  }
  if (snapshot_left_ > 0) return false;
  sink_ = nullptr;
  snapshot_position_ = kNone;
  return true;
}

void DataTree::abandon_snapshot() {
  if (sink_ == nullptr) return;
  sink_ = nullptr;
  snapshot_position_ = kNone;
  snapshot_torn_ = snapshot_left_ > 0;
}

/// Hands over a node that the walk has not come to, its ancestors first.
void DataTree::hand_over_early(NodeId id) {
  // The visited nodes are a tree around the root, so the ones to hand over are the last part of the way down
  // to here.
  snapshot_ancestors_.clear();
  for (; id != kNone && !visited(nodes_[id]); id = nodes_[id].parent) snapshot_ancestors_.push_back(id);
  snapshot_early_ += snapshot_ancestors_.size();
  for (; !snapshot_ancestors_.empty(); snapshot_ancestors_.pop_back()) hand_over(snapshot_ancestors_.back());
}

/// Hands a node to the sink; returns what that costs of a budget.
std::size_t DataTree::hand_over(NodeId id) {
  Node& node = nodes_[id];
  snapshot_path_.clear();
  append_path(id, snapshot_path_);
  const std::optional<std::string_view> data = data_of(node);
  mark_visited(node);
  --snapshot_left_;
  sink_->on_node({.path = snapshot_path_,
                  .data = data,
                  .acl_number = acls_.number(AclId{node.acl}),
                  .stat = stat_of(node)});
  return kSnapshotNodeBytes + snapshot_path_.size() + (data ? data->size() : 0);
}

void DataTree::mark_visited(Node& node) const {
  node.name_and_flags = snapshot_mark_ ? node.name_and_flags | kMarked : node.name_and_flags & ~kMarked;
}

}  // namespace wk::tree
