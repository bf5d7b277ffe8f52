// The znodes of a server: what a transaction changes and what a read answers from.
//
// Mutators do what applying a transaction does in Apache's DataTree, without checks (those are made before a
// transaction exists), and may be repeated: replaying a log over a snapshot that already holds some of its
// effects gives the same tree. A snapshot is walked in slices while transactions change the tree between
// them, and still shows exactly the tree as it was when the walk began: before a znode that was not visited
// yet is changed or removed, it is handed over early, its ancestors first.
//
// Memory: a znode is one 64-byte record, 4 bytes in the index, and one block for name and data; 24 bytes more
// once its data or ACL was set, 16 more with an owner, 32 more once it has had a child, and 4 more with data
// above 1,024 bytes, which is hashed for the digest once and not again at each change of a number. The index
// holds full paths by hash; a hit is compared with the names up to the root. Invariants: the four reserved
// znodes exist (but while loading); every znode's parent exists; digest(), approximate_data_size() and all
// counts describe the tree at every moment. Thread: core. Views (names, data, lists) and Znodes die with the
// next change of the tree. Source: DataTree.java, DataNode.java; reference client-protocol.md "Stat",
// storage-formats.md "Fuzzy snapshot semantics".
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "jute/codes.h"
#include "jute/records.h"
#include "jute/views.h"
#include "server/tree/acl_cache.h"
#include "server/tree/block_pool.h"
#include "server/tree/hash_index.h"
#include "server/tree/owner.h"
#include "server/tree/slab.h"
#include "server/tree/stat_persisted.h"

namespace wk::tree {

/// A znode as it stands in a snapshot.
struct SnapshotNode {
  std::string_view path{};  ///< the root as ""
  std::optional<std::string_view> data{};
  std::int64_t acl_number = kOpenAclNumber;
  StatPersisted stat{};
};

/// Receives the znodes of a snapshot, every one after its parent.
class SnapshotSink {
 public:
  /// \param node  its views die when the call returns
  virtual void on_node(const SnapshotNode& node) = 0;

 protected:
  ~SnapshotSink() = default;
};

struct DataTreeSettings {
  OwnerRules owners{};
  /// Random, unknown to clients; see hash_string().
  std::uint64_t hash_seed = 0;
};

class DataTree;

/// One znode of a tree, or none (false). A small value; see the file's note on lifetime.
class Znode {
 public:
  Znode() = default;

  explicit operator bool() const { return id_ != 0; }
  friend bool operator==(const Znode&, const Znode&) = default;

  // All that follow need a znode.

  /// nullopt: null data, which differs from empty data.
  [[nodiscard]] std::optional<std::string_view> data() const;
  /// As clients see it: cversion counts creations and deletions, the owner is a session or 0.
  [[nodiscard]] jute::Stat stat() const;
  [[nodiscard]] StatPersisted stat_persisted() const;
  [[nodiscard]] AclId acl() const;
  [[nodiscard]] std::int64_t owner() const;
  [[nodiscard]] OwnerKind owner_kind() const;
  /// Last component of the path; the root's is empty.
  [[nodiscard]] std::string_view name() const;
  /// The full path; the root's is "/".
  [[nodiscard]] std::string path() const;
  /// path().starts_with(prefix), without making the path.
  [[nodiscard]] bool path_starts_with(std::string_view prefix) const;
  /// node_digest() of this znode; costs the same for any data above 1,024 bytes.
  /// \param path  its path
  [[nodiscard]] std::uint32_t digest(std::string_view path) const;

  /// None for the root.
  [[nodiscard]] Znode parent() const;
  [[nodiscard]] std::uint32_t num_children() const;
  /// Znodes below this one at any depth.
  [[nodiscard]] std::uint32_t num_descendants() const;
  /// Children in the order of their creation (after a load: of the snapshot); none behind the last.
  [[nodiscard]] Znode first_child() const;
  [[nodiscard]] Znode next_sibling() const;

 private:
  friend class DataTree;
  Znode(const DataTree* tree, std::uint32_t id) : tree_(id == 0 ? nullptr : tree), id_(id) {}

  const DataTree* tree_ = nullptr;
  std::uint32_t id_ = 0;
};

class DataTree {
 public:
  /// Longest last component of a path, in bytes. Only a jute.maxbuffer of more than that lets longer ones in;
  /// a leader must refuse them.
  static constexpr std::size_t kMaxNameBytes = (std::size_t{1} << 24) - 1;

  /// A fresh tree: "/", "/zookeeper", "/zookeeper/config" (readable by all, writable by super alone) and
  /// "/zookeeper/quota", with all-zero stats but for config's aversion of -1.
  explicit DataTree(const DataTreeSettings& settings);
  ~DataTree();
  DataTree(const DataTree&) = delete;
  DataTree& operator=(const DataTree&) = delete;

  // ------------------------------------------------------------------------------------------------- reading

  /// The znode at `path`; "" is the root too. No other spelling than the exact one finds anything. No
  /// allocation.
  [[nodiscard]] Znode find(std::string_view path) const;

  [[nodiscard]] const AclCache& acls() const { return acls_; }
  [[nodiscard]] const OwnerRules& owner_rules() const { return settings_.owners; }
  /// Digest of the whole tree; see digest.h.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  /// Znodes as ZooKeeper reports them: the root counts twice, so a fresh tree has 5.
  [[nodiscard]] std::size_t node_count() const { return nodes_.size() + 1; }
  /// Sum of the lengths of all paths (in UTF-16 units) and data, the root counted as "" and "/".
  [[nodiscard]] std::int64_t approximate_data_size() const { return data_size_; }
  [[nodiscard]] std::size_t ephemeral_count() const { return ephemeral_count_; }
  [[nodiscard]] std::size_t container_count() const { return containers_.size; }
  [[nodiscard]] std::size_t ttl_count() const { return ttls_.size; }
  /// Ephemerals whose owner is a TTL mark that the rules do not let be one: with extended types off they
  /// would be deleted as orphans of a session that never was. An operator must decide before the server
  /// serves.
  [[nodiscard]] std::size_t unread_ttl_count() const { return unread_ttls_; }
  /// Bytes of memory held; the ACL lists are not counted.
  struct Memory {
    std::size_t records = 0;         ///< fixed parts of znodes
    std::size_t index = 0;           ///< from path to znode
    std::size_t names_and_data = 0;  ///< with owners
  };
  [[nodiscard]] Memory memory() const;
  [[nodiscard]] std::size_t allocated_bytes() const;

  /// Ephemerals of a session in the order of their creation: `for (n = first(s); n; n = next(n))`.
  [[nodiscard]] Znode first_ephemeral(SessionId session) const;
  [[nodiscard]] Znode next_ephemeral(Znode node) const;
  [[nodiscard]] std::size_t ephemerals_of(SessionId session) const;
  /// Sessions that own ephemerals, or did and have not ended yet, by rising id, with the number of their
  /// ephemerals. As in Apache, `dump` lists both.
  [[nodiscard]] std::vector<std::pair<SessionId, std::size_t>> ephemeral_sessions() const;

  /// Calls `visit(Znode)` for the znodes in at most `most` places from `place` on; 0 begins. The order is
  /// none that a client knows, and the tree must not change during the call. \return  where to go on, also
  /// after changes; 0 at the end
  template <typename Visit>
  [[nodiscard]] std::uint32_t visit_nodes(std::uint32_t place, std::size_t most, Visit&& visit) const {
    const std::uint64_t begin = place == 0 ? 1 : place;
    const auto end = static_cast<NodeId>(std::min<std::uint64_t>(nodes_.end(), begin + most));
    for (auto id = static_cast<NodeId>(begin); id < end; ++id)
      // Of a record that is free the block is gone, and only the root can do without one.
      if (nodes_[id].block != nullptr || id == root_) visit(Znode(this, id));
    return end >= nodes_.end() ? 0 : end;
  }

  // ------------------------------------------------------------------------------------------------ changing

  struct NewNode {
    std::string_view path{};
    std::optional<std::string_view> data{};
    std::optional<jute::AclListView> acl{};
    std::int64_t owner = 0;             ///< 0, a session id, or a mark of owner.h
    std::int32_t parent_cversion = -1;  ///< raw cversion of the parent afterwards; -1: its own plus one
    Zxid zxid{};
    std::int64_t time_ms = 0;
  };
  struct Outcome {
    jute::ErrorCode error = jute::ErrorCode::kOk;
    Znode node{};  ///< the znode created or changed; none after an error
  };

  /// Creates a znode and raises its parent's cversion and pzxid (never lowers them).
  /// \return  kNoNode without its parent. kNodeExists when it is there already, which only happens while a
  /// log is
  ///          replayed: then it takes over the ACL, and the parent's cversion and pzxid are raised.
  ///          kBadArguments (nothing changed) for a name above kMaxNameBytes or an owner that the rules do
  ///          not know.
  /// Differs: Apache raises the parent in the second case for create alone, not for create2, createContainer
  /// and createTTL, and so ends with another digest than its leader.
  Outcome create_node(const NewNode& node);

  /// Deletes a znode and raises its parent's pzxid, even when the znode itself is gone already.
  /// \return  kNoNode when the znode (or its parent) is not there
  /// Differs: children, which a znode can have here only while a log is replayed, go with it; the
  /// transactions that created them follow in the log. Apache keeps them as orphans that no listing shows.
  jute::ErrorCode delete_node(std::string_view path, Zxid zxid);

  /// The session has ended and its ephemerals are deleted: ephemeral_sessions() lists it no more.
  void forget_session(SessionId session);

  /// \param version  the new version
  /// \return         kNoNode when it is not there
  Outcome set_data(std::string_view path, std::optional<std::string_view> data, std::int32_t version,
                   Zxid zxid, std::int64_t time_ms);

  /// \param aversion  the new version of the ACL
  /// \return          kNoNode when it is not there
  Outcome set_acl(std::string_view path, const std::optional<jute::AclListView>& acl, std::int32_t aversion);

  /// Finds containers and TTL nodes that are due to be deleted, continuing where the last call stopped.
  /// \param now_ms             wall clock, ms since 1970
  /// \param never_used_max_ms  znode.container.maxNeverUsedIntervalMs; 0: never-used containers stay
  /// \param max_examined       znodes to look at in this call, at least 1
  /// \param due                paths are appended
  /// \return                   true when all were looked at since the last call that returned true
  /// Source: ContainerManager.getCandidates.
  bool collect_due(std::int64_t now_ms, std::int64_t never_used_max_ms, std::size_t max_examined,
                   std::vector<std::string>& due);

  // ----------------------------------------------------------------------------------------------- snapshots

  /// Starts to walk the tree as it is now. No walk may be under way.
  /// \param sink  called by step_snapshot() and by mutators until the walk ends; must live that long
  void begin_snapshot(SnapshotSink& sink);
  /// Hands over znodes until about `budget_bytes` of path and data (64 more for each znode) have been handed
  /// over; one znode is never split. \return  true when the walk is complete and over
  bool step_snapshot(std::size_t budget_bytes);
  /// Gives the walk up; the sink is not called again. Costs the next begin_snapshot() one pass over all
  /// records.
  void abandon_snapshot();
  [[nodiscard]] bool snapshot_active() const { return sink_ != nullptr; }
  /// Znodes that the walk now or last under way handed over early, ahead of a change.
  [[nodiscard]] std::size_t snapshot_early_count() const { return snapshot_early_; }

  // ------------------------------------------------------------------------------------------------- loading

  struct RestoreReport {
    std::size_t unknown_acls = 0;      ///< znodes whose ACL number the snapshot does not define
    std::size_t created_reserved = 0;  ///< reserved znodes that the snapshot lacks and that were added
  };

  /// Empties the tree, even of the reserved znodes. Then: restore_acl() for all lists, restore_node() for all
  /// znodes, parents first, finish_restore(). Nothing else may be asked of the tree before that. After an
  /// error the tree must be emptied again.
  void begin_restore();
  void restore_acl(std::int64_t number, const jute::AclListView& acl);
  /// \return  kInvalidInput when the parent is missing, the path is not one, or the owner is an extended type
  ///          that does not exist; kTooLarge for a name above kMaxNameBytes. A path that was restored before
  ///          is told here or by finish_restore()
  /// Differs: a znode whose ACL number is unknown gets a list that grants nobody but super anything, until a
  /// replayed transaction sets its ACL; Apache keeps the number and fails when it is used.
  Result<void> restore_node(const SnapshotNode& node);
  /// \return  kInvalidInput when a znode was restored twice
  Result<RestoreReport> finish_restore();

 private:
  friend class Znode;

  using NodeId = std::uint32_t;
  static constexpr NodeId kNone = 0;
  static constexpr std::uint32_t kNullData = UINT32_MAX;
  // Of Node::name_and_flags:
  static constexpr std::uint32_t kNameMask = (1U << 24) - 1;
  static constexpr std::uint32_t kOwned = 1U << 24;   ///< the block begins with an Ownership
  static constexpr std::uint32_t kMarked = 1U << 25;  ///< see snapshot_mark_

  /// What every znode has. name_and_flags: the name's length in the low 24 bits, then flags.
  struct Node {
    std::uint64_t czxid = 0;
    std::int64_t ctime_ms = 0;
    char* block = nullptr;  ///< Ownership (when kOwned), content_crc() (when keeps_content()), name, data
    std::uint32_t parent = kNone;
    std::uint32_t previous = kNone;  ///< sibling
    std::uint32_t next = kNone;      ///< sibling
    std::uint32_t chain = kNone;     ///< HashIndex
    std::uint32_t hash = 0;          ///< of the full path
    std::uint32_t family = kNone;
    std::uint32_t acl = 0;
    std::uint32_t data_length = kNullData;
    std::uint32_t name_and_flags = 0;
    std::uint32_t modification = kNone;
  };
  static_assert(sizeof(Node) == 64);

  /// What only a znode has that has had children; others have cversion 0 and a pzxid equal to their czxid.
  struct Family {
    std::uint64_t pzxid = 0;
    std::int32_t cversion = 0;
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    std::uint32_t children = 0;
    std::uint32_t descendants = 0;
  };
  static_assert(sizeof(Family) == 32);

  /// In the block of a znode with an owner; previous and next are of the list of its session, of all
  /// containers, or of all TTL nodes.
  struct Ownership {
    std::int64_t owner = 0;
    NodeId previous = kNone;
    NodeId next = kNone;
  };
  /// What only a znode has whose data or ACL was set; others have mzxid and mtime of their creation and
  /// versions 0.
  struct Modification {
    std::uint64_t mzxid = 0;
    std::int64_t mtime_ms = 0;
    std::int32_t version = 0;
    std::uint32_t aversion = 0;  ///< unsigned because it links freed records, too
  };
  static_assert(sizeof(Modification) == 24);

  /// Nodes linked through their Ownership.
  struct OwnedList {
    NodeId first = kNone;
    NodeId last = kNone;
    std::size_t size = 0;
  };
  /// Which list collect_due() is in.
  enum class Scan : std::uint8_t { kNone, kContainers, kTtls };

  using Nodes = Slab<Node, &Node::chain>;
  using Families = Slab<Family, &Family::first>;
  using Modifications = Slab<Modification, &Modification::aversion>;

  [[nodiscard]] NodeId find_id(std::string_view path) const;
  [[nodiscard]] bool has_path(NodeId id, std::string_view path) const;
  [[nodiscard]] std::size_t path_size(NodeId id) const;
  void append_path(NodeId id, std::string& path) const;

  /// True for data that takes longer to hash than to look up what was hashed. Such a block comes from malloc,
  /// which rounds more than the 4 bytes.
  [[nodiscard]] static bool keeps_content(const Node& node) {
    return node.data_length > BlockPool::kMaxPooledBytes && node.data_length != kNullData;
  }
  [[nodiscard]] static std::size_t ownership_bytes(const Node& node);
  [[nodiscard]] static std::size_t head_bytes(const Node& node);
  [[nodiscard]] static std::size_t block_size(const Node& node);
  [[nodiscard]] std::string_view name_of_node(const Node& node) const;
  [[nodiscard]] std::optional<std::string_view> data_of(const Node& node) const;
  [[nodiscard]] Ownership ownership_of(const Node& node) const;
  [[nodiscard]] StatPersisted stat_of(const Node& node) const;
  [[nodiscard]] std::uint32_t content_of(const Node& node, std::string_view path) const;
  [[nodiscard]] std::uint32_t digest_of(const Node& node, std::string_view path) const;
  void build_block(Node& node, const Ownership* ownership, std::uint32_t content, std::string_view name,
                   std::optional<std::string_view> data);
  void release_block(Node& node);
  void release_blocks();
  Family& family_of(NodeId id);
  Modification& modification_of(NodeId id);

  void create_reserved();
  [[nodiscard]] AclId acquire_world(std::int32_t perms);
  [[nodiscard]] NodeId restored_parent(std::string_view path);
  Result<void> index_restored();
  NodeId attach(NodeId parent, std::string_view path, std::optional<std::string_view> data, AclId acl,
                const StatPersisted& stat);
  void remove(NodeId id, std::string_view path);
  void remove_subtree(NodeId top, std::string_view path);
  void raise_parent(NodeId parent, std::string_view parent_path, std::int32_t parent_cversion, Zxid zxid);
  void replace_digest(const Node& node, std::string_view path, const StatPersisted& before);

  OwnedList& owned_list(std::int64_t owner);
  void set_ownership(NodeId id, const Ownership& ownership);
  void link_owned(NodeId id);
  void unlink_owned(NodeId id);

  [[nodiscard]] bool visited(const Node& node) const {
    return ((node.name_and_flags & kMarked) != 0) == snapshot_mark_;
  }
  void mark_visited(Node& node) const;
  [[nodiscard]] NodeId after(NodeId id, bool into_children) const;
  /// Call before anything that a snapshot shows of this node changes, and before it goes.
  void before_change(NodeId id) {
    if (sink_ != nullptr && !visited(nodes_[id])) hand_over_early(id);
  }
  void hand_over_early(NodeId id);
  std::size_t hand_over(NodeId id);

  DataTreeSettings settings_;
  AclCache acls_;
  BlockPool blocks_;
  Nodes nodes_;
  Families families_;
  Modifications modifications_;
  HashIndex<Nodes> index_;  ///< all but the root
  NodeId root_ = kNone;
  std::uint64_t digest_ = 0;
  std::int64_t data_size_ = 0;

  std::unordered_map<std::int64_t, OwnedList> ephemerals_;  ///< by session; may be empty until it ends
  OwnedList containers_;
  OwnedList ttls_;
  std::size_t ephemeral_count_ = 0;
  std::size_t unread_ttls_ = 0;
  Scan scan_ = Scan::kNone;
  NodeId scan_position_ = kNone;

  SnapshotSink* sink_ = nullptr;
  NodeId snapshot_position_ = kNone;  ///< the next node to look at
  std::size_t snapshot_left_ = 0;     ///< nodes not handed over yet
  std::size_t snapshot_early_ = 0;
  bool snapshot_mark_ =
      false;  ///< the kMarked of handed over and of new nodes; of all when no walk is under way
  bool snapshot_torn_ = false;  ///< a walk was given up, so that marks differ
  std::string snapshot_path_;   ///< kept for its memory, as the next
  std::vector<NodeId> snapshot_ancestors_;

  bool restoring_ = false;         ///< from begin_restore() to finish_restore()
  NodeId restore_unindexed_ = 1;   ///< from here on restored znodes are not in index_
  NodeId restore_parent_ = kNone;  ///< parent of the znode restored last, with its path
  std::string restore_parent_path_;
  RestoreReport restore_report_;
};

}  // namespace wk::tree
