#include "exporter/web/tls_context.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "base/log.h"

namespace wk::exporter {
namespace {

/// Sessions are never resumed, neither from a cache nor from tickets.
void forbid_resumption(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context, 0);
}

void release_context(void* /*parent*/, void* held, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argl*/,
                     void* /*argp*/) {
  delete static_cast<std::shared_ptr<const TlsContext>*>(held);
}

/// Where a handshake keeps its TlsContext alive: the verification of a client's certificate refers to it.
int held_context_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &release_context);
  return index;
}

/// The oldest queued reason of OpenSSL, which names the cause; the queue is emptied.
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  const char* reason = ERR_reason_error_string(code);
  return code == 0 ? "no reason given" : reason != nullptr ? reason : text.data();
}

/// Refuses encrypted keys instead of asking on the terminal, where nobody sits.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; }

extern "C" int verify_client_certificate(X509_STORE_CTX* store, void* data) {
  return static_cast<const TlsContext*>(data)->accept_client(store) ? 1 : 0;
}

std::optional<std::string> text_of(const GENERAL_NAME& name) {
  const auto text = [](const ASN1_STRING* string) {
    // ASN1_STRING holds bytes as unsigned char; names are IA5, one byte a character.
    const unsigned char* data = ASN1_STRING_get0_data(string);
    return std::string(data, data + ASN1_STRING_length(string));
  };
  switch (name.type) {
    case GEN_DNS:
      return text(name.d.dNSName);
    case GEN_EMAIL:
      return text(name.d.rfc822Name);
    case GEN_URI:
      return text(name.d.uniformResourceIdentifier);
    case GEN_IPADD: {
      std::array<char, INET6_ADDRSTRLEN> buffer{};
      const int length = ASN1_STRING_length(name.d.iPAddress);
      const int family = length == 4 ? AF_INET : AF_INET6;
      if (length != 4 && length != 16) return std::nullopt;
      if (inet_ntop(family, ASN1_STRING_get0_data(name.d.iPAddress), buffer.data(), buffer.size()) ==
          nullptr) {
        return std::nullopt;
      }
      return std::string(buffer.data());
    }
    default:
      return std::nullopt;
  }
}

bool has_allowed_name(X509* certificate, const std::vector<std::string>& allowed) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  if (!names) return false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::optional<std::string> name = text_of(*sk_GENERAL_NAME_value(names.get(), i));
    if (name && std::find(allowed.begin(), allowed.end(), *name) != allowed.end()) return true;
  }
  return false;
}

std::string groups_of(const TlsServerConfig& config) {
  return fmt::format("{}", fmt::join(config.curve_preferences, ":"));
}

/// Sets versions, curves and cipher suites.
/// \return  what OpenSSL refuses, nothing when all is well
std::optional<std::string> set_parameters(SSL_CTX* context, const TlsServerConfig& config) {
  int min_version = config.min_version;
  std::string older;   // OpenSSL's names, for TLS 1.2 and before
  std::string tls_13;  // these are set apart
  for (const std::string& suite : config.cipher_suites) {
    const bool is_13 = suite.starts_with("TLS_AES_") || suite.starts_with("TLS_CHACHA20_");
    // Go knows two suites by names without the hash, which OpenSSL wants.
    const std::string full = suite.ends_with("_CHACHA20_POLY1305") ? suite + "_SHA256" : suite;
    const char* name = OPENSSL_cipher_name(full.c_str());
    if (name == nullptr || std::string_view(name) == "(NONE)") {
      return fmt::format(
          "cipher_suites: OpenSSL does not know '{}'; use IANA names such as "
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          printable(suite));
    }
    std::string& list = is_13 ? tls_13 : older;
    if (!list.empty()) list += ':';
    list += name;
  }
  if (!older.empty() && SSL_CTX_set_cipher_list(context, older.c_str()) != 1) {
    return fmt::format("cipher_suites: OpenSSL refuses them: {}", openssl_reason());
  }
  if (!tls_13.empty()) {
    if (SSL_CTX_set_ciphersuites(context, tls_13.c_str()) != 1) {
      return fmt::format("cipher_suites: OpenSSL refuses them: {}", openssl_reason());
    }
    // A list without a suite for TLS 1.2 forbids TLS 1.2.
    if (older.empty()) min_version = TLS1_3_VERSION;
  }
  if (min_version < TLS1_2_VERSION && SSL_CTX_get_security_level(context) > 0) {
    return fmt::format(
        "min_version: OpenSSL's security level {} on this machine forbids TLS below 1.2; use TLS12",
        SSL_CTX_get_security_level(context));
  }
  if (min_version > config.max_version) return "cipher_suites: only for TLS 1.3, which max_version forbids";
  if (SSL_CTX_set_min_proto_version(context, min_version) != 1 ||
      SSL_CTX_set_max_proto_version(context, config.max_version) != 1) {
    return fmt::format("min_version or max_version: OpenSSL refuses them: {}", openssl_reason());
  }
  const std::string groups = groups_of(config);
  if (!groups.empty() && SSL_CTX_set1_groups_list(context, groups.c_str()) != 1) {
    return fmt::format("curve_preferences: OpenSSL refuses them: {}", openssl_reason());
  }
  return std::nullopt;
}

}  // namespace

TlsContext::TlsContext() : context_(boost::asio::ssl::context::tls_server) {}

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsServerConfig& config, std::string_view origin) {
  const auto refused = [&](std::string_view what) {
    return Error{Errc::kTls, fmt::format("{}: tls_server_config: {}", origin, what)};
  };
  ERR_clear_error();
  std::shared_ptr<TlsContext> result(new TlsContext());
  SSL_CTX* context = result->context_.native_handle();
  SSL_CTX_set_default_passwd_cb(context, &no_passphrase);
  forbid_resumption(context);
  if (config.prefer_server_cipher_suites) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (const auto fault = set_parameters(context, config)) return refused(*fault);
  result->groups_ = groups_of(config);

  boost::system::error_code error;
  result->context_.use_certificate_chain(boost::asio::buffer(config.certificate_pem), error);
  if (error)
    return refused(fmt::format("the certificate cannot be used: {}; it must be PEM", error.message()));
  result->context_.use_private_key(boost::asio::buffer(config.key_pem), boost::asio::ssl::context::pem,
                                   error);
  if (error) {
    return refused(
        fmt::format("the key cannot be used: {}; it must be PEM, without a passphrase, and belong to the "
                    "certificate",
                    error.message()));
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return refused(fmt::format("the key does not belong to the certificate: {}", openssl_reason()));
  }

  if (config.client_auth == ClientAuth::kNoClientCert) return result;
  result->verify_chain_ = config.client_auth == ClientAuth::kVerifyClientCertIfGiven ||
                          config.client_auth == ClientAuth::kRequireAndVerifyClientCert;
  result->allowed_sans_ = config.client_allowed_sans;
  if (!config.client_ca_pem.empty()) {
    result->context_.add_certificate_authority(boost::asio::buffer(config.client_ca_pem), error);
    if (error)
      return refused(fmt::format("client_ca_file cannot be used: {}; it must be PEM", error.message()));
  } else if (result->verify_chain_) {
    SSL_CTX_set_default_verify_paths(context);
  }
  int mode = SSL_VERIFY_PEER;
  if (config.client_auth == ClientAuth::kRequireAnyClientCert ||
      config.client_auth == ClientAuth::kRequireAndVerifyClientCert) {
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  SSL_CTX_set_verify(context, mode, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &verify_client_certificate, result.get());
  return result;
}

bool TlsContext::take_over(SSL* handshake) const {
  SSL_CTX* context = context_.native_handle();
  // Only certificates, suites, authorities and callbacks come with the context; the rest was copied at
  // SSL_new().
  if (SSL_set_SSL_CTX(handshake, context) == nullptr) return false;
  SSL_clear_options(handshake, SSL_get_options(handshake));
  SSL_set_options(handshake, SSL_CTX_get_options(context));
  SSL_set_verify(handshake, SSL_CTX_get_verify_mode(context), nullptr);
  return SSL_set_min_proto_version(handshake, static_cast<int>(SSL_CTX_get_min_proto_version(context))) ==
             1 &&
         SSL_set_max_proto_version(handshake, static_cast<int>(SSL_CTX_get_max_proto_version(context))) ==
             1 &&
         (groups_.empty() || SSL_set1_groups_list(handshake, groups_.c_str()) == 1);
}

bool TlsContext::accept_client(void* store) const {
  auto* handshake = static_cast<X509_STORE_CTX*>(store);
  if (verify_chain_ && X509_verify_cert(handshake) != 1) return false;
  X509* certificate = X509_STORE_CTX_get0_cert(handshake);
  if (!allowed_sans_.empty() && (certificate == nullptr || !has_allowed_name(certificate, allowed_sans_))) {
    X509_STORE_CTX_set_error(handshake, X509_V_ERR_APPLICATION_VERIFICATION);
    return false;
  }
  return true;
}

TlsEntrance::TlsEntrance(Current current)
    : current_(std::move(current)), context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
  WK_CHECK(context_ != nullptr, "OpenSSL gives no context");
  forbid_resumption(context_.get());
  SSL_CTX_set_client_hello_cb(context_.get(), &TlsEntrance::on_client_hello, this);
}

int TlsEntrance::on_client_hello(SSL* handshake, int* alert, void* self) {
  auto current = static_cast<const TlsEntrance*>(self)->current_();
  const TlsContext& context = *current;
  auto held = std::make_unique<std::shared_ptr<const TlsContext>>(std::move(current));
  if (SSL_set_ex_data(handshake, held_context_index(), held.get()) == 1) {
    held.release();  // belongs to the handshake now, see release_context
    if (context.take_over(handshake)) return SSL_CLIENT_HELLO_SUCCESS;
  }
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

}  // namespace wk::exporter
