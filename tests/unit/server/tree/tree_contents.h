// The whole content of a tree as a value that tests compare and print.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "server/tree/data_tree.h"
#include "server/tree/digest.h"
#include "server/tree/path.h"
#include "tests/unit/server/tree/acl_lists.h"

namespace wk::tree {

inline void PrintTo(const StatPersisted& stat, std::ostream* out) {
  *out << "{czxid " << stat.czxid.value << ", mzxid " << stat.mzxid.value << ", pzxid " << stat.pzxid.value
       << ", ctime " << stat.ctime_ms << ", mtime " << stat.mtime_ms << ", version " << stat.version
       << ", cversion " << stat.cversion << ", aversion " << stat.aversion << ", owner "
       << stat.ephemeral_owner << "}";
}

struct NodeContents {
  std::optional<std::string> data{};
  StatPersisted stat{};
  std::vector<jute::Acl> acl{};
  friend bool operator==(const NodeContents&, const NodeContents&) = default;
  friend void PrintTo(const NodeContents& node, std::ostream* out) {
    *out << (node.data ? "'" + *node.data + "' " : "null ");
    PrintTo(node.stat, out);
    for (const jute::Acl& entry : node.acl)
      *out << " " << entry.perms << ":" << entry.id.scheme.value_or("null") << ":"
           << entry.id.id.value_or("null");
  }
};

/// By path as clients write it.
using Contents = std::map<std::string, NodeContents>;

inline NodeContents contents_of(const DataTree& tree, Znode node) {
  NodeContents contents{.stat = node.stat_persisted(), .acl = copy(tree.acls().list(node.acl()))};
  if (const auto data = node.data()) contents.data = std::string(*data);
  return contents;
}

/// Everything that can be reached from the root, children before siblings.
inline void visit_all(Znode node, const auto& visit) {
  visit(node);
  for (Znode child = node.first_child(); child; child = child.next_sibling()) visit_all(child, visit);
}

inline Contents contents_of(const DataTree& tree) {
  Contents contents;
  visit_all(tree.find("/"), [&](Znode node) { contents.emplace(node.path(), contents_of(tree, node)); });
  return contents;
}

/// The digest computed from nothing but the content.
inline std::uint64_t digest_of(const Contents& contents) {
  std::uint64_t digest = 0;
  for (const auto& [path, node] : contents)
    digest +=
        node_digest(path, node.data ? std::optional<std::string_view>(*node.data) : std::nullopt, node.stat);
  return digest;
}

/// A snapshot that is kept in memory.
class KeptSnapshot final : public SnapshotSink {
 public:
  struct Node {
    std::string path;
    std::optional<std::string> data;
    std::int64_t acl_number = 0;
    StatPersisted stat{};
  };

  /// Takes the ACL lists as they are now; call right after begin_snapshot().
  void keep_acls(const DataTree& tree) {
    tree.acls().for_each([&](std::int64_t number, const jute::AclListView& list) {
      const auto bytes = list.encoded();
      acls[number] = {{bytes.begin(), bytes.end()}, list.size()};
    });
  }

  void on_node(const SnapshotNode& node) override {
    nodes.push_back({std::string(node.path),
                     node.data ? std::optional<std::string>(*node.data) : std::nullopt, node.acl_number,
                     node.stat});
  }

  /// Loads it; the result of the first node that is refused, or of all.
  [[nodiscard]] Result<void> load_into(DataTree& tree) const {
    tree.begin_restore();
    for (const auto& [number, list] : acls)
      tree.restore_acl(number, jute::AclListView(list.first, list.second));
    for (const Node& node : nodes) {
      const std::optional<std::string_view> data =
          node.data ? std::optional<std::string_view>(*node.data) : std::nullopt;
      if (auto restored = tree.restore_node({node.path, data, node.acl_number, node.stat}); !restored)
        return restored;
    }
    if (const auto finished = tree.finish_restore(); !finished) return finished.error();
    return {};
  }

  std::map<std::int64_t, std::pair<std::vector<std::byte>, std::size_t>> acls;
  std::vector<Node> nodes;
};

}  // namespace wk::tree
