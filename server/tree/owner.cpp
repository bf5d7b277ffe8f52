#include "server/tree/owner.h"

namespace wk::tree {
namespace {

constexpr std::uint64_t kExtendedMask = 0xff00000000000000U;
constexpr std::uint64_t kFeatureMask =
    0x00ffff0000000000U;  // all zero: a time to live, the only feature there is
constexpr std::uint64_t kValueMask = ~(kExtendedMask | kFeatureMask);

}  // namespace

std::optional<OwnerKind> owner_kind(std::int64_t owner, const OwnerRules& rules) {
  if (owner == 0) return OwnerKind::kNone;
  if (owner == kContainerOwner) return OwnerKind::kContainer;
  if (rules.extended_types) {
    if (rules.emulate_353 && owner < 0) return OwnerKind::kTtl;
    const auto bits = static_cast<std::uint64_t>(owner);
    if ((bits & kExtendedMask) == kExtendedMask) {
      if ((bits & kFeatureMask) != 0) return std::nullopt;
      return OwnerKind::kTtl;
    }
  }
  return OwnerKind::kSession;
}

std::optional<std::int64_t> ttl_owner(std::int64_t ttl_ms) {
  if (ttl_ms < 1 || ttl_ms > kMaxTtlMs) return std::nullopt;
  return static_cast<std::int64_t>(kExtendedMask | static_cast<std::uint64_t>(ttl_ms));
}

std::int64_t ttl_ms(std::int64_t owner) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(owner) & kValueMask);
}

bool looks_like_ttl(std::int64_t owner) {
  return (static_cast<std::uint64_t>(owner) & (kExtendedMask | kFeatureMask)) == kExtendedMask;
}

}  // namespace wk::tree
