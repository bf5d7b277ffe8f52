// The number in ephemeralOwner: a session, or a mark that makes a znode a container or gives it a time to
// live.
//
// Thread: any; pure. Source: EphemeralType.java, EphemeralTypeEmulate353.java; reference client-protocol.md
// "Ephemerals, containers, TTL".
#pragma once

#include <cstdint>
#include <optional>

namespace wk::tree {

/// Settings that decide how an owner is read; the same on every member, or members disagree.
struct OwnerRules {
  bool extended_types = false;  ///< zookeeper.extendedTypesEnabled: TTL nodes exist
  bool emulate_353 =
      false;  ///< zookeeper.emulate353TTLNodes: also read the TTL form of 3.5.3; needs the former
};

enum class OwnerKind : std::uint8_t {
  kNone,       ///< a persistent znode
  kSession,    ///< an ephemeral of that session
  kContainer,  ///< deleted some time after its last child is gone
  kTtl,        ///< deleted when childless and not written for its time to live
};

inline constexpr std::int64_t kContainerOwner = INT64_MIN;
/// Longest time to live that fits into an owner: 2^40 - 1 ms, about 34 years.
inline constexpr std::int64_t kMaxTtlMs = (std::int64_t{1} << 40) - 1;

/// How `owner` is read under `rules`; nullopt for an extended type that does not exist (top byte 0xff and the
/// next 16 bits not zero while extended types are on), on which Apache refuses to load.
[[nodiscard]] std::optional<OwnerKind> owner_kind(std::int64_t owner, const OwnerRules& rules);

/// The owner that stands for a time to live of 1 … kMaxTtlMs ms; nullopt outside that range.
[[nodiscard]] std::optional<std::int64_t> ttl_owner(std::int64_t ttl_ms);

/// Time to live in an owner of kind kTtl: its low 40 bits. 0 means that it never runs out.
[[nodiscard]] std::int64_t ttl_ms(std::int64_t owner);

/// True when `owner` is a TTL mark as this and later versions write it, whatever the rules say. With extended
/// types off such a node looks like an ephemeral of a session that does not exist.
[[nodiscard]] bool looks_like_ttl(std::int64_t owner);

}  // namespace wk::tree
