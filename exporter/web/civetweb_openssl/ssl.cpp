// The library that civetweb finds under the name "libssl.so": OpenSSL 3 with one old name added.
//
// civetweb 1.15 looks this function up by name; OpenSSL 3 renamed it and kept the old name as a macro only.
// All other names come from libssl.so.3, on which this library depends. See docs/adr/0002-civetweb-tls.md.
#include <openssl/ssl.h>

#undef SSL_get_peer_certificate
extern "C" __attribute__((visibility("default"))) X509* SSL_get_peer_certificate(const SSL* ssl) {
  return SSL_get1_peer_certificate(ssl);
}
