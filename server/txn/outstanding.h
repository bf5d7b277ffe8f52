// The tree as it will be when every transaction on its way has been applied: what has changed, by path.
//
// A leader prepares transactions long before it applies them; each check looks here first and then at the
// tree. Entries leave when their transaction is applied. Size is bounded by the caller's limit on requests in
// flight. Invariant: without entries, digest() is the tree's own. Thread: core. Pure. Source:
// PrepRequestProcessor.java (outstandingChanges, getPendingChanges, rollbackPendingChanges). Differs: "" and
// "/" are one path here, where Apache keeps two, of which one may be stale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "jute/views.h"
#include "server/tree/data_tree.h"

namespace wk::txn {

/// A node as it will be.
struct NodeChange {
  bool exists = false;
  tree::StatPersisted stat{};
  std::int32_t child_count = 0;
  /// Number of the next sequential child. It is stat.cversion until that has reached its end, where only this
  /// one goes on (to -2147483648) until the changes are applied.
  std::int32_t sequence = 0;
  /// The list, when an outstanding transaction gave it; else `acl` of the tree holds.
  std::shared_ptr<const std::vector<std::byte>> own_acl{};
  std::size_t own_acl_size = 0;
  tree::AclId acl{};
  /// tree::node_digest(), which Outstanding keeps; 0 when digests are off.
  std::uint32_t digest = 0;
  /// Of what find() answers: the znode whose digest this is, when only the tree knows it. Few callers need
  /// it.
  tree::Znode undigested{};
};

class Outstanding {
 public:
  /// \param digests  Settings::digest; without, digest() is of no use
  explicit Outstanding(bool digests) : digests_(digests) {}

  /// The node at `path` after all outstanding changes, or nothing when there will be none. Dies with the next
  /// change of the tree.
  [[nodiscard]] std::optional<NodeChange> find(std::string_view path, const tree::DataTree& tree) const;

  /// Digest of the tree after all outstanding changes.
  [[nodiscard]] std::uint64_t digest(const tree::DataTree& tree) const;

  /// Paths of the ephemerals that the session will own, each once: those of the tree in its order, then those
  /// being created.
  [[nodiscard]] std::vector<std::string> ephemerals(SessionId session, const tree::DataTree& tree) const;

  /// What put() records from here on belongs to `zxid` and can be taken back with rollback().
  void begin(Zxid zxid);
  /// Records that the node at `path` will be `after`, where find() answered `before`. Its data stays as it
  /// is.
  void put(std::string_view path, const NodeChange& before, NodeChange after, const tree::DataTree& tree);
  /// The same for a node that gets new data: a change, or without `before` a creation.
  void put_data(std::string_view path, const std::optional<NodeChange>& before, NodeChange after,
                const std::optional<std::string_view>& data, const tree::DataTree& tree);
  /// Takes back all that was put since begin(). No applied() may stand between the two.
  void rollback();

  /// The transactions up to and including `zxid` are applied: their changes go.
  void applied(Zxid zxid);
  /// Forgets everything: transactions that are not applied yet never will be. Their zxids may be used again.
  void clear();

  /// Changes that wait to be applied, and how many were put and dropped (applied, taken back, cleared) so
  /// far.
  [[nodiscard]] std::size_t size() const { return queue_.size(); }
  [[nodiscard]] std::uint64_t queued_total() const { return queued_total_; }
  [[nodiscard]] std::uint64_t removed_total() const { return queued_total_ - queue_.size(); }

 private:
  struct PathHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const { return std::hash<std::string_view>{}(path); }
  };
  struct Entry {
    NodeChange newest{};
    std::size_t queued = 0;  ///< elements of queue_ that point here; the entry goes with the last
  };
  using Map = std::unordered_map<std::string, Entry, PathHash, std::equal_to<>>;
  struct Queued {
    Zxid zxid{};
    Map::value_type* node = nullptr;
    std::int64_t created_for = 0;  ///< the owner, when the change creates an owned node
  };
  struct Undo {
    Map::value_type* node = nullptr;
    std::optional<NodeChange> previous{};
  };

  [[nodiscard]] std::uint32_t digest_of(std::string_view path, const NodeChange& change) const;
  void record(std::string_view path, std::uint32_t digest_before, NodeChange after, bool creates,
              const tree::DataTree& tree);
  void drop(const Queued& change);

  bool digests_;
  Map by_path_;
  std::deque<Queued> queue_;  ///< by rising zxid
  std::unordered_map<std::int64_t, std::size_t>
      creations_;             ///< by owner: elements of queue_ with created_for
  std::uint64_t digest_ = 0;  ///< after all of queue_; meaningless when that is empty
  std::uint64_t queued_total_ = 0;

  // The transaction being prepared.
  Zxid zxid_{};
  std::uint64_t digest_before_ = 0;
  std::vector<Undo> undo_;
};

}  // namespace wk::txn
