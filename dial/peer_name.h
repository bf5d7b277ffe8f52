// The name that a certificate must carry, set before a handshake: one rule for all who speak TLS to a server.
//
// Thread: any; touches only the handle that it is given.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "base/error.h"

namespace wk::dial {

/// Asks for `name` (SNI; not for addresses) and, when `verify`, has the handshake check that the certificate
/// carries it. The zone of an address ("fe80::1%eth0") stands in no certificate and is left out.
/// \return  Errc::kTls when `name` cannot be checked: such a handshake must not be made
Result<void> expect_peer_name(SSL* ssl, const std::string& name, bool verify);

}  // namespace wk::dial
