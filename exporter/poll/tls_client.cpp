#include "exporter/poll/tls_client.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <ctime>
#include <system_error>

namespace wk::exporter {
namespace asio = boost::asio;
namespace {

Result<std::shared_ptr<asio::ssl::context>> build(const TlsSpec& spec) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  boost::system::error_code ec;
  // Without it OpenSSL would ask for the password of an encrypted key on the terminal, and wait.
  context->set_password_callback(
      [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, ec);
  const auto fault = [&ec](const char* what, const std::string& file) {
    return Error{Errc::kTls,
                 fmt::format("{} {}: {}; it must be a readable PEM file", what, file, ec.message())};
  };
  if (spec.ca_file.empty())
    context->set_default_verify_paths(ec);
  else
    context->load_verify_file(spec.ca_file, ec);
  if (ec) return fault("CA file", spec.ca_file);
  if (!spec.cert_file.empty()) {
    context->use_certificate_chain_file(spec.cert_file, ec);
    if (ec) return fault("certificate file", spec.cert_file);
    context->use_private_key_file(spec.key_file, asio::ssl::context::pem, ec);
    if (ec) return fault("key file", spec.key_file);
  }
  context->set_verify_mode(spec.verify ? asio::ssl::verify_peer : asio::ssl::verify_none, ec);
  if (ec) return fault("TLS", "");
  return context;
}

}  // namespace

TlsClient::FileTimes TlsClient::file_times() const {
  FileTimes times{};
  const std::array<const std::string*, 3> files{&spec_.ca_file, &spec_.cert_file, &spec_.key_file};
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::error_code ec;
    if (!files[i]->empty()) times[i] = std::filesystem::last_write_time(*files[i], ec);
    if (ec) times[i] = FileTimes::value_type::min();
  }
  return times;
}

Result<std::shared_ptr<asio::ssl::context>> TlsClient::context(std::chrono::steady_clock::time_point now) {
  if (!checked_ || now - *checked_ >= kTlsFileCheck) {
    checked_ = now;
    const FileTimes times = file_times();
    // A file that was read while half written has the time of its last write all the same: broken ones are
    // read again.
    if (!context_ || context_->has_error() || times != times_) {
      times_ = times;
      context_ = build(spec_);
      sessions_.clear();
    }
  }
  return *context_;
}

void TlsClient::prepare(SSL* ssl, const std::string& host, const std::string& peer) {
  const std::string& name = expected_name(host);
  boost::system::error_code ec;
  asio::ip::make_address(name, ec);
  const bool is_address = !ec;
  // What SSL_set_tlsext_host_name does, without its old-style cast.
  if (!is_address)
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
  if (spec_.verify) {
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_address)
      X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str());
    else
      X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size());
  }
  const auto session = sessions_.find(peer);
  if (session != sessions_.end()) SSL_set_session(ssl, session->second.get());
}

void TlsClient::keep_session(SSL* ssl, const std::string& peer) {
  SSL_SESSION* session = SSL_get1_session(ssl);
  if (session == nullptr) return;
  std::unique_ptr<SSL_SESSION, SessionDeleter> owned(session);
  if (SSL_SESSION_is_resumable(session) == 1) sessions_[peer] = std::move(owned);
}

std::optional<std::chrono::system_clock::time_point> not_after(const X509* certificate) {
  std::tm parts{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
    return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace wk::exporter
