#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/tree/data_tree.h"

namespace wk::tree {

std::optional<std::string_view> Znode::data() const { return tree_->data_of(tree_->nodes_[id_]); }

StatPersisted Znode::stat_persisted() const { return tree_->stat_of(tree_->nodes_[id_]); }

jute::Stat Znode::stat() const {
  const DataTree::Node& node = tree_->nodes_[id_];
  const StatPersisted stored = tree_->stat_of(node);
  const auto children = static_cast<std::int32_t>(num_children());
  return {.czxid = stored.czxid,
          .mzxid = stored.mzxid,
          .ctime_ms = stored.ctime_ms,
          .mtime_ms = stored.mtime_ms,
          .version = stored.version,
          .cversion = static_cast<std::int32_t>(2 * static_cast<std::uint32_t>(stored.cversion) -
                                                static_cast<std::uint32_t>(children)),
          .aversion = stored.aversion,
          .ephemeral_owner = {owner_kind() == OwnerKind::kSession ? stored.ephemeral_owner : 0},
          .data_length_bytes =
              node.data_length == DataTree::kNullData ? 0 : static_cast<std::int32_t>(node.data_length),
          .num_children = children,
          .pzxid = stored.pzxid};
}

AclId Znode::acl() const { return AclId{tree_->nodes_[id_].acl}; }

std::int64_t Znode::owner() const { return tree_->ownership_of(tree_->nodes_[id_]).owner; }

OwnerKind Znode::owner_kind() const {
  const std::int64_t number = owner();
  if (number == 0) return OwnerKind::kNone;
  // Nodes with an owner that the rules do not know are never let in.
  return *tree::owner_kind(number, tree_->settings_.owners);
}

std::string_view Znode::name() const { return tree_->name_of_node(tree_->nodes_[id_]); }

std::string Znode::path() const {
  std::string path;
  tree_->append_path(id_, path);
  if (path.empty()) path.push_back('/');
  return path;
}

bool Znode::path_starts_with(std::string_view prefix) const {
  if (id_ == tree_->root_) return prefix.empty() || prefix == "/";
  // From the last component to the first, each with the slash before it.
  std::size_t end = tree_->path_size(id_);
  if (end < prefix.size()) return false;
  for (std::uint32_t at = id_; at != tree_->root_; at = tree_->nodes_[at].parent) {
    const std::string_view own_name = tree_->name_of_node(tree_->nodes_[at]);
    const std::size_t slash = end - own_name.size() - 1;
    if (slash < prefix.size()) {
      const std::string_view wanted = prefix.substr(slash, end - slash);
      if (wanted.front() != '/' || !own_name.starts_with(wanted.substr(1))) return false;
    }
    end = slash;
  }
  return true;
}

std::uint32_t Znode::digest(std::string_view path) const {
  return tree_->digest_of(tree_->nodes_[id_], path);
}

Znode Znode::parent() const { return {tree_, tree_->nodes_[id_].parent}; }

std::uint32_t Znode::num_children() const {
  const std::uint32_t family = tree_->nodes_[id_].family;
  return family == DataTree::kNone ? 0 : tree_->families_[family].children;
}

std::uint32_t Znode::num_descendants() const {
  const std::uint32_t family = tree_->nodes_[id_].family;
  return family == DataTree::kNone ? 0 : tree_->families_[family].descendants;
}

Znode Znode::first_child() const {
  const std::uint32_t family = tree_->nodes_[id_].family;
  return family == DataTree::kNone ? Znode{} : Znode{tree_, tree_->families_[family].first};
}

Znode Znode::next_sibling() const { return {tree_, tree_->nodes_[id_].next}; }

}  // namespace wk::tree
