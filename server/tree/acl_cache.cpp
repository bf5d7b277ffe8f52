#include "server/tree/acl_cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "jute/codes.h"
#include "jute/writer.h"

namespace wk::tree {
namespace {

constexpr std::uint32_t kOpenSlot = 0;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What everybody is granted, without looking at identities.
std::int32_t world_perms(const jute::AclListView& acl) {
  if (acl.empty()) return ~0;  // an empty list grants everything
  std::int32_t perms = 0;
  for (const jute::AclView& entry : acl)
    if (entry.id.scheme == "world" && entry.id.id == "anyone") perms |= entry.perms;
  return perms;
}

}  // namespace

AclCache::AclCache() {
  std::vector<std::byte> bytes;
  jute::Writer out(bytes);
  write(out, jute::AclView{jute::kPermAll, {"world", "anyone"}});
  new_slot(kOpenAclNumber, jute::AclListView(bytes, 1));
}

std::string_view AclCache::key(const Slot& slot) const {
  return as_text({slot.bytes.get(), slot.size_bytes});
}

std::uint32_t AclCache::new_slot(std::int64_t number, const jute::AclListView& acl) {
  std::uint32_t index = 0;
  if (free_slots_.empty()) {
    WK_CHECK(slots_.size() < UINT32_MAX, "more ACL lists than 32 bits can number");
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  Slot& slot = slots_[index];
  const std::span<const std::byte> encoded = acl.encoded();
  slot.bytes = std::make_unique<std::byte[]>(encoded.size());
  std::copy(encoded.begin(), encoded.end(), slot.bytes.get());
  slot.size_bytes = static_cast<std::uint32_t>(encoded.size());
  slot.count = static_cast<std::uint32_t>(acl.size());
  slot.world_perms = world_perms(acl);
  slot.number = number;
  slot.holders = 0;
  return index;
}

void AclCache::drop(std::uint32_t index) {
  Slot& slot = slots_[index];
  // A damaged snapshot can give one list two numbers; then the text leads to the other slot.
  if (const auto found = by_bytes_.find(key(slot)); found != by_bytes_.end() && found->second == index)
    by_bytes_.erase(found);
  by_number_.erase(slot.number);
  slot = Slot{};
  free_slots_.push_back(index);
}

AclId AclCache::acquire(const std::optional<jute::AclListView>& acl) {
  if (!acl) return kOpenAcl;
  std::uint32_t index = 0;
  if (const auto found = by_bytes_.find(as_text(acl->encoded())); found != by_bytes_.end()) {
    index = found->second;
  } else {
    index = new_slot(++last_number_, *acl);
    by_bytes_.emplace(key(slots_[index]), index);
    by_number_.emplace(last_number_, index);
  }
  ++slots_[index].holders;
  return AclId{index};
}

void AclCache::acquire(AclId id) {
  if (id != kOpenAcl) ++slots_[id.slot].holders;
}

void AclCache::release(AclId id) {
  if (id == kOpenAcl) return;
  WK_CHECK(slots_[id.slot].holders > 0, "an ACL list is released more often than it was acquired");
  if (--slots_[id.slot].holders == 0) drop(id.slot);
}

jute::AclListView AclCache::list(AclId id) const {
  const Slot& slot = slots_[id.slot];
  return {{slot.bytes.get(), slot.size_bytes}, slot.count};
}

std::int64_t AclCache::number(AclId id) const { return slots_[id.slot].number; }

bool AclCache::permits(AclId id, std::int32_t wanted, std::span<const jute::Id> identities,
                       const AclPolicy& policy) const {
  if ((slots_[id.slot].world_perms & wanted) != 0) return true;
  return tree::permits(list(id), wanted, identities, policy);
}

void AclCache::for_each(
    const std::function<void(std::int64_t number, const jute::AclListView& acl)>& visit) const {
  std::vector<std::pair<std::int64_t, std::uint32_t>> order(by_number_.begin(), by_number_.end());
  std::sort(order.begin(), order.end());
  for (const auto& [number, index] : order) visit(number, list(AclId{index}));
}

void AclCache::restore(std::int64_t number, const jute::AclListView& acl) {
  if (number == kOpenAclNumber) return;
  if (const auto found = by_number_.find(number); found != by_number_.end()) {
    if (slots_[found->second].holders > 0) return;
    drop(found->second);
  }
  const std::uint32_t index = new_slot(number, acl);
  by_number_.emplace(number, index);
  by_bytes_.emplace(key(slots_[index]), index);
  last_number_ = std::max(last_number_, number);
}

std::optional<AclId> AclCache::acquire_number(std::int64_t number) {
  if (number == kOpenAclNumber) return kOpenAcl;
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) return std::nullopt;
  ++slots_[found->second].holders;
  return AclId{found->second};
}

void AclCache::purge_unused() {
  for (std::uint32_t index = kOpenSlot + 1; index < slots_.size(); ++index)
    if (slots_[index].bytes != nullptr && slots_[index].holders == 0) drop(index);
}

}  // namespace wk::tree
