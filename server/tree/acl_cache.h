// The distinct ACL lists of a tree, each stored once, counted by the znodes that use it.
//
// A list is kept in its encoding, so looking one up, answering getACL and writing a snapshot copy bytes and
// decode nothing. Invariants: the count of a list is the number of holders; a list without holders is gone,
// except between restore() and purge_unused(). Numbers are as Apache hands them out: 1, 2, 3 … never reused
// in a process, after a load from the highest loaded one on; -1 is the null list, "everyone may do
// everything", and is not counted. Thread: core. Source: ReferenceCountedACLCache.java; reference
// storage-formats.md "ACL reference map".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jute/records.h"
#include "jute/views.h"
#include "server/tree/acl.h"

namespace wk::tree {

/// A list in one AclCache. Only meaningful there, and only while somebody holds it.
struct AclId {
  std::uint32_t slot = 0;  ///< 0: the open list, number -1
  friend auto operator<=>(const AclId&, const AclId&) = default;
};

/// The open list, which is also what a null list becomes.
inline constexpr AclId kOpenAcl{};
/// Number of the open list on disk.
inline constexpr std::int64_t kOpenAclNumber = -1;

class AclCache {
 public:
  AclCache();

  /// Takes hold of `acl`, giving it a number when it is new. nullopt is the open list. Encodings must be
  /// canonical, as jute::read has checked them.
  AclId acquire(const std::optional<jute::AclListView>& acl);
  /// Takes hold of a list once more.
  void acquire(AclId id);
  /// Gives a hold back; the list is dropped with its last one.
  void release(AclId id);

  /// The list; valid until it is dropped. The open list answers world:anyone with all permissions.
  [[nodiscard]] jute::AclListView list(AclId id) const;
  /// Its number on disk.
  [[nodiscard]] std::int64_t number(AclId id) const;
  /// permits() of acl.h, faster for what world:anyone may do.
  [[nodiscard]] bool permits(AclId id, std::int32_t wanted, std::span<const jute::Id> identities,
                             const AclPolicy& policy) const;

  /// Lists in use, the open one not counted.
  [[nodiscard]] std::size_t size() const { return by_bytes_.size(); }
  /// Every list with its number, by rising number; the open one is left out, as in a snapshot.
  void for_each(const std::function<void(std::int64_t number, const jute::AclListView& acl)>& visit) const;

  // Loading: restore() all lists of a snapshot, then acquire_number() for each znode, then purge_unused().

  /// Adds a list under the number it has on disk, without a hold. A number seen before is overwritten when
  /// nobody holds it yet, as Apache does.
  void restore(std::int64_t number, const jute::AclListView& acl);
  /// Takes hold of the list with that number; nullopt when there is none.
  std::optional<AclId> acquire_number(std::int64_t number);
  /// Drops every list without a hold.
  void purge_unused();

 private:
  struct Slot {
    std::unique_ptr<std::byte[]> bytes{};
    std::uint32_t size_bytes = 0;
    std::uint32_t count = 0;       ///< elements of the list
    std::int32_t world_perms = 0;  ///< what world:anyone is granted
    std::int64_t number = 0;
    std::uint64_t holders = 0;
  };

  [[nodiscard]] std::string_view key(const Slot& slot) const;
  std::uint32_t new_slot(std::int64_t number, const jute::AclListView& acl);
  void drop(std::uint32_t slot);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<std::string_view, std::uint32_t> by_bytes_;  ///< views into Slot::bytes
  std::unordered_map<std::int64_t, std::uint32_t> by_number_;
  std::int64_t last_number_ = 0;
};

}  // namespace wk::tree
