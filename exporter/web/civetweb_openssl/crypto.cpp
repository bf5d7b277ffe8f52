// The library that civetweb finds under the name "libcrypto.so": nothing but its dependency on
// libcrypto.so.3.
//
// The unversioned name otherwise exists only where OpenSSL's development package is installed. See
// docs/adr/0002-civetweb-tls.md.
