// Who a connection is: the schemes of ZooKeeper's authentication, and the identities that they give.
//
// What an auth packet proves, scheme by scheme: ip, and digest unless it is switched off. Whether an ACL id
// is well formed and matches an identity is decided with the ACLs (server/tree/acl.h). Thread: any; constant
// after construction. Pure. Source: ProviderRegistry.java, DigestAuthenticationProvider.java,
// IPAuthenticationProvider.java; reference "Authentication".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "jute/records.h"

namespace wk::session {

struct AuthenticationSettings {
  /// zookeeper.DigestAuthenticationProvider.enabled
  bool digest_enabled = true;
  /// zookeeper.DigestAuthenticationProvider.digestAlg: Java's name of a hash ("SHA1", "SHA-256", "SHA3-256").
  std::string digest_algorithm = "SHA1";
  /// zookeeper.DigestAuthenticationProvider.superDigest: "user:base64hash"; empty: nobody becomes super.
  std::string super_digest{};
};

/// "user:base64(hash(user:password))" as ACL ids of scheme digest are written. `user_and_password` need not
/// hold a colon. \return kNotFound when the algorithm is unknown
Result<std::string> digest_id(std::string_view user_and_password, std::string_view algorithm = "SHA1");

class Authentication {
 public:
  /// The defaults: digest with SHA-1, ip, world; no super.
  Authentication() = default;
  /// \return  kNotFound naming the algorithm when OpenSSL does not have it
  static Result<Authentication> create(AuthenticationSettings settings);

  /// Identities that an auth packet adds, in order; add those that the connection lacks.
  /// \param peer  the client's address without port
  /// \return  kNotAllowed: the client gets AUTHFAILED and is closed
  [[nodiscard]] Result<std::vector<jute::Id>> authenticate(std::string_view scheme,
                                                           const std::optional<std::string_view>& auth,
                                                           std::string_view peer) const;

  /// What whoAmI shows for an identity: digest the part before the first colon, ip the address, super
  /// nothing.
  [[nodiscard]] static std::string_view user_name(const jute::Id& identity);

 private:
  AuthenticationSettings settings_{};
};

}  // namespace wk::session
