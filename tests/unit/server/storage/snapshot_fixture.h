// A small tree as the snapshot tests write and read it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/storage/snapshot_encoder.h"
#include "server/storage/snapshot_reader.h"
#include "server/storage/snapshot_sealer.h"
#include "server/storage/snapshot_writer.h"
#include "tests/unit/server/storage/memory_file_system.h"

namespace wk::storage {

/// A node that owns its texts.
struct OwnedNode {
  std::string path{};
  std::optional<std::string> data{};
  SnapshotNode node{};  ///< its views are set by view()

  [[nodiscard]] SnapshotNode view() const {
    SnapshotNode viewed = node;
    viewed.path = path;
    viewed.data = data ? std::optional<std::string_view>(*data) : std::nullopt;
    return viewed;
  }
  friend bool operator==(const OwnedNode& a, const OwnedNode& b) { return a.view() == b.view(); }
};

struct OwnedSnapshot {
  std::vector<SnapshotSession> sessions{};
  std::vector<SnapshotAcl> acls{};
  std::vector<OwnedNode> nodes{};
  friend bool operator==(const OwnedSnapshot&, const OwnedSnapshot&) = default;
};

/// Collects what a reader hands out.
class Collector final : public SnapshotVisitor {
 public:
  void restart() override {
    ++restarts;
    read = {};
  }
  Result<void> session(const SnapshotSession& session) override {
    read.sessions.push_back(session);
    return {};
  }
  Result<void> acl(SnapshotAcl acl) override {
    read.acls.push_back(std::move(acl));
    return {};
  }
  Result<void> node(const SnapshotNode& node) override {
    if (node.path == refused_path) return Error{Errc::kInvalidInput, "unable to find its parent"};
    OwnedNode owned{std::string(node.path), std::nullopt, node};
    if (node.data) owned.data.emplace(*node.data);
    owned.node.path = {};
    owned.node.data.reset();
    read.nodes.push_back(std::move(owned));
    return {};
  }

  Result<void> complete() override {
    ++completions;
    if (refused_path == "all") return Error{Errc::kInvalidInput, "it does not fit together"};
    return {};
  }

  OwnedSnapshot read{};
  int restarts = 0;
  int completions = 0;
  std::string refused_path = "none";
};

/// What a fresh server holds.
inline OwnedSnapshot empty_tree() {
  OwnedSnapshot tree;
  tree.acls = {{1, {{1, {"world", "anyone"}}}}};
  tree.nodes = {
      {"", "", {}}, {"/zookeeper", "", {}}, {"/zookeeper/config", "", {}}, {"/zookeeper/quota", "", {}}};
  tree.nodes[2].node.acl = 1;
  tree.nodes[2].node.aversion = -1;
  return tree;
}

/// A tree with everything that a snapshot can hold, `extra` plain nodes among it.
inline OwnedSnapshot rich_tree(std::size_t extra = 0) {
  OwnedSnapshot tree = empty_tree();
  tree.sessions = {{SessionId{0x10000125ada0000}, 30000}, {SessionId{-5}, 4000}};
  tree.acls.push_back(
      {7, {{31, {"digest", "user:hash="}}, {3, {"ip", "10.0.0.0/8"}}, {0, {std::nullopt, ""}}}});
  OwnedNode full{"/a", "hello", {}};
  full.node.acl = 7;
  full.node.czxid = Zxid{2};
  full.node.mzxid = Zxid{0x200000005};
  full.node.ctime_ms = 1795295334202;
  full.node.mtime_ms = 1795295334203;
  full.node.version = 3;
  full.node.cversion = 4;
  full.node.aversion = 5;
  full.node.ephemeral_owner = 0x10000125ada0000;
  full.node.pzxid = Zxid{9};
  tree.nodes.push_back(full);
  tree.nodes.push_back({"/null", std::nullopt, {}});
  tree.nodes.push_back({"/ünï", std::string("\0\x01\xff", 3), {}});
  for (std::size_t i = 0; i < extra; ++i)
    tree.nodes.push_back({"/extra-" + std::to_string(i), std::string(i * 37 % 500, 'x'), {}});
  return tree;
}

inline Bytes encode(const OwnedSnapshot& tree, const SnapshotTail& tail) {
  Bytes out;
  SnapshotEncoder encoder;
  encoder.begin(out, tree.sessions, tree.acls);
  for (const OwnedNode& node : tree.nodes) encoder.node(out, node.view());
  SnapshotSealer sealer;
  sealer.count(out);
  sealer.finish(out, tail);
  return out;
}

inline const SnapshotTail kDefaultTail{SnapshotDigest{Zxid{0}, 2, 0}, Zxid{0}};

inline Result<void> write_snapshot(FileSystem& files, const std::string& folder, Zxid zxid,
                                   Compression compression, std::span<const std::byte> bytes) {
  auto writer = SnapshotWriter::create(files, folder, zxid, compression);
  if (!writer) return writer.error();
  // In pieces, as a server does.
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 1000));
    if (const auto appended = writer->append(part); !appended) return appended.error();
    bytes = bytes.subspan(part.size());
  }
  return writer->commit();
}

}  // namespace wk::storage
