#include "dial/peer_name.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

namespace wk::dial {

Result<void> expect_peer_name(SSL* ssl, const std::string& name, bool verify) {
  boost::system::error_code not_literal;
  boost::asio::ip::make_address(name, not_literal);
  const bool is_address = !not_literal;
  if (!is_address)  // what SSL_set_tlsext_host_name() stands for, without its old-style cast
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
  if (!verify) return {};
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // OpenSSL takes an empty name for "any".
  const bool accepted =
      !name.empty() &&
      (is_address ? X509_VERIFY_PARAM_set1_ip_asc(expected, name.substr(0, name.find('%')).c_str())
                  : X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size())) == 1;
  if (!accepted)
    return Error{Errc::kTls, fmt::format("{}: this name cannot be checked against a certificate", name)};
  return {};
}

}  // namespace wk::dial
