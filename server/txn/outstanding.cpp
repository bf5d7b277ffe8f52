#include "server/txn/outstanding.h"

#include <unordered_set>
#include <utility>

#include "server/tree/digest.h"
#include "server/tree/path.h"

namespace wk::txn {

namespace {

std::string_view one_name_for_the_root(std::string_view path) {
  return path == tree::kRootPath ? std::string_view() : path;
}

std::optional<NodeChange> find_in_tree(std::string_view path, const tree::DataTree& tree) {
  const tree::Znode node = tree.find(path);
  if (!node) return std::nullopt;
  NodeChange change;
  change.exists = true;
  change.stat = node.stat_persisted();
  change.child_count = static_cast<std::int32_t>(node.num_children());
  change.sequence = change.stat.cversion;
  change.acl = node.acl();
  change.undigested = node;
  return change;
}

// A CRC is linear and the numbers of the Stat come last in it: so the digest of a node whose data stays
// follows from its digest and its numbers before, and the data (which may be long, or not applied yet) is not
// needed.
std::uint32_t digest_with(std::uint32_t digest_before, const tree::StatPersisted& before,
                          const tree::StatPersisted& stat) {
  const auto of_numbers = [](const tree::StatPersisted& numbers) {
    return tree::node_digest(tree::kRootPath, std::nullopt, numbers);
  };
  return digest_before ^ of_numbers(before) ^ of_numbers(stat);
}

// Such nodes have no digest; see tree::node_digest().
bool is_left_out(std::string_view path) { return path.starts_with("/zookeeper/"); }

}  // namespace

std::optional<NodeChange> Outstanding::find(std::string_view path, const tree::DataTree& tree) const {
  path = one_name_for_the_root(path);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return find_in_tree(path, tree);
  if (!found->second.newest.exists) return std::nullopt;
  return found->second.newest;
}

std::uint64_t Outstanding::digest(const tree::DataTree& tree) const {
  return queue_.empty() ? tree.digest() : digest_;
}

std::vector<std::string> Outstanding::ephemerals(SessionId session, const tree::DataTree& tree) const {
  std::vector<std::string> paths;
  std::unordered_set<std::string_view> seen;
  const auto is_owned = [session](const NodeChange& change) {
    return change.exists && change.stat.ephemeral_owner == session.value;
  };
  const bool creates = creations_.contains(session.value);
  for (tree::Znode node = tree.first_ephemeral(session); node; node = tree.next_ephemeral(node)) {
    std::string path = node.path();
    const auto found = by_path_.find(path);
    if (found != by_path_.end()) {
      if (!is_owned(found->second.newest)) continue;
      if (creates) seen.insert(found->first);
    }
    paths.push_back(std::move(path));
  }
  if (!creates) return paths;
  for (const Queued& change : queue_)
    if (change.created_for == session.value && is_owned(change.node->second.newest) &&
        seen.insert(change.node->first).second)
      paths.push_back(change.node->first);
  return paths;
}

void Outstanding::begin(Zxid zxid) {
  zxid_ = zxid;
  digest_before_ = digest_;
  undo_.clear();
}

void Outstanding::put(std::string_view path, const NodeChange& before, NodeChange after,
                      const tree::DataTree& tree) {
  const std::uint32_t digest_before = digest_of(path, before);
  const bool has_digest = digests_ && after.exists && !is_left_out(path);
  after.digest = has_digest ? digest_with(digest_before, before.stat, after.stat) : 0;
  record(path, digest_before, std::move(after), false, tree);
}

void Outstanding::put_data(std::string_view path, const std::optional<NodeChange>& before, NodeChange after,
                           const std::optional<std::string_view>& data, const tree::DataTree& tree) {
  after.digest = digests_ ? tree::node_digest(path, data, after.stat) : 0;
  record(path, before ? digest_of(path, *before) : 0, std::move(after), !before, tree);
}

std::uint32_t Outstanding::digest_of(std::string_view path, const NodeChange& change) const {
  if (!digests_) return 0;
  return change.undigested ? change.undigested.digest(path) : change.digest;
}

void Outstanding::record(std::string_view path, std::uint32_t digest_before, NodeChange after, bool creates,
                         const tree::DataTree& tree) {
  after.undigested = {};
  path = one_name_for_the_root(path);
  if (queue_.empty()) digest_ = tree.digest();
  digest_ += std::uint64_t{after.digest} - digest_before;
  auto found = by_path_.find(path);
  const bool is_new = found == by_path_.end();
  if (is_new) found = by_path_.try_emplace(std::string(path)).first;

  Queued change{zxid_, &*found, 0};
  if (creates && after.stat.ephemeral_owner != 0) {
    change.created_for = after.stat.ephemeral_owner;
    ++creations_[change.created_for];
  }
  Undo undo{change.node, std::nullopt};
  if (!is_new) undo.previous = std::move(found->second.newest);
  undo_.push_back(std::move(undo));
  found->second.newest = std::move(after);
  ++found->second.queued;
  queue_.push_back(change);
  ++queued_total_;
}

void Outstanding::drop(const Queued& change) {
  if (change.created_for != 0) {
    const auto creations = creations_.find(change.created_for);
    if (--creations->second == 0) creations_.erase(creations);
  }
  if (--change.node->second.queued == 0) by_path_.erase(by_path_.find(change.node->first));
}

void Outstanding::rollback() {
  for (; !undo_.empty(); undo_.pop_back()) {
    Undo& undo = undo_.back();
    if (undo.previous) undo.node->second.newest = *std::move(undo.previous);
    drop(queue_.back());
    queue_.pop_back();
  }
  digest_ = digest_before_;
}

void Outstanding::applied(Zxid zxid) {
  for (; !queue_.empty() && queue_.front().zxid <= zxid; queue_.pop_front()) drop(queue_.front());
}

void Outstanding::clear() {
  queue_.clear();
  by_path_.clear();
  creations_.clear();
  undo_.clear();
}

}  // namespace wk::txn
