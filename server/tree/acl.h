// Who may do what: the check of a list against identities, and what a client's list becomes before it is
// stored.
//
// Schemes with a provider here: world, auth, ip, digest; every other scheme is unknown, as it is on an Apache
// server without that provider. Thread: any; pure. Source: ZooKeeperServer.checkACL,
// PrepRequestProcessor.fixupACL, IPAuthenticationProvider.java, DigestAuthenticationProvider.java; reference
// client-protocol.md "ACL lists".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "jute/codes.h"
#include "jute/records.h"
#include "jute/views.h"

namespace wk::tree {

struct AclPolicy {
  bool skip_acl = false;       ///< zookeeper.skipACL=yes: every permission is granted
  bool digest_enabled = true;  ///< zookeeper.DigestAuthenticationProvider.enabled
};

/// Longest encoding that a stored ACL list may have. Bounds what `auth` entries can be blown up to.
/// Differs: Apache has no limit but that of the frame.
inline constexpr std::size_t kMaxAclBytes = 1U << 20;

/// True when one of `wanted` (kPerm… bits) is granted to one of `identities` by `acl`. An empty list grants
/// everything, and so does an identity of scheme "super".
[[nodiscard]] bool permits(const jute::AclListView& acl, std::int32_t wanted,
                           std::span<const jute::Id> identities, const AclPolicy& policy);

struct NormalisedAcl {
  jute::ErrorCode error = jute::ErrorCode::kOk;
  jute::AclListView list{};  ///< what to store; views the request's bytes or `storage`
};

/// Checks a client's list and rewrites it for storage: drops exact duplicates, replaces `auth` entries by the
/// connection's authenticated identities (of digest; not ip, not super) in the order they were added.
/// \param acl      as the request carries it; nullopt is a null vector
/// \param storage  cleared and used when the list has to be rewritten; must outlive the result
/// \return         kInvalidAcl for an empty or null list, an unknown scheme, an invalid id, `auth` without
/// any
///                 authenticated identity, or a list above kMaxAclBytes; kMarshallingError for a null id of a
///                 known scheme other than auth (Apache trips over it); the first offending entry decides
[[nodiscard]] NormalisedAcl normalise_acl(const std::optional<jute::AclListView>& acl,
                                          std::span<const jute::Id> identities, const AclPolicy& policy,
                                          std::vector<std::byte>& storage);

/// True when `id` may stand in a list with scheme "ip": an IPv4 or IPv6 literal with an optional "/bits".
[[nodiscard]] bool is_valid_ip_id(std::string_view id);
/// True when `address` (a literal) lies in `acl_id` (a literal, optionally with "/bits"); families never mix.
[[nodiscard]] bool ip_matches(std::string_view address, std::string_view acl_id);
/// True when `id` may stand in a list with scheme "digest": two parts around one ':', trailing empty parts
/// ignored.
[[nodiscard]] bool is_valid_digest_id(std::string_view id);

}  // namespace wk::tree
