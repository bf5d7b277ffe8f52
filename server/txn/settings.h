// Configuration that decides what operations do. Plain values; given by the shell. What an owner's number
// means (extendedTypesEnabled, emulate353TTLNodes) is the tree's: tree::OwnerRules.
#pragma once

#include <cstddef>

#include "jute/reader.h"
#include "server/tree/acl.h"

namespace wk::txn {

struct Settings {
  /// zookeeper.skipACL, zookeeper.DigestAuthenticationProvider.enabled.
  tree::AclPolicy acl{};
  /// zookeeper.digest.enabled: transactions carry the digest of the tree, and are compared with it.
  bool digest = true;
  /// reconfigEnabled.
  bool reconfig = false;
  /// zookeeper.closeSessionTxn.enabled: closeSession lists the paths that it deletes.
  bool close_session_paths = true;
  /// jute.maxbuffer plus jute.maxbuffer.extrasize: longest string, and longest payload of a transaction,
  /// since no longer one could be read back from the log.
  std::size_t max_string_bytes = jute::kMaxStringBytes;
};

}  // namespace wk::txn
