#include "exporter/poll/tls_client.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>

#include <ctime>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "dial/peer_name.h"

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

Result<std::shared_ptr<asio::ssl::context>> TlsClient::context(Time now) {
  if (!checked_ || now - *checked_ >= kTlsFileCheck) {
    checked_ = now;
    const FileTimes times = file_times();
    // A file that was read while half written has the time of its last write all the same: broken ones are
    // read again.
    if (!context_ || context_->has_error() || times != times_) {
      auto fresh = build(spec_);
      if (fresh.has_error() && context_ && context_->has_value()) {
        // Files are renewed one after the other: what was read may be a new certificate with the former key.
        if (!std::exchange(warned_, true))
          spdlog::warn("{}; the former files stay in use until all can be read",
                       printable(fresh.error().message));
        checked_ = now - kTlsFileCheck + kTlsFileAgain;
        return *context_;
      }
      times_ = times;
      warned_ = false;
      context_ = std::move(fresh);
      sessions_.clear();
    }
  }
  return *context_;
}

Result<void> TlsClient::prepare(SSL* ssl, const std::string& host, const std::string& peer, Time now) {
  if (auto expected = dial::expect_peer_name(ssl, expected_name(host), spec_.verify); !expected)
    return expected;
  const auto kept = sessions_.find(peer);
  if (kept == sessions_.end()) return {};
  const auto end = not_after(SSL_SESSION_get0_peer(kept->second.session.get()));
  const bool ended = end && *end <= std::chrono::system_clock::now();
  if (ended || now - kept->second.verified_at >= kTlsSessionLife)
    sessions_.erase(kept);
  else
    SSL_set_session(ssl, kept->second.session.get());
  return {};
}

void TlsClient::keep_session(SSL* ssl, const std::string& peer, Time now) {
  // What an earlier context has verified says nothing of the present files.
  if (!context_ || context_->has_error() || SSL_get_SSL_CTX(ssl) != (**context_)->native_handle()) return;
  const auto kept = sessions_.find(peer);
  const bool reused = SSL_session_reused(ssl) == 1;
  if (reused && kept == sessions_.end()) return;
  std::unique_ptr<SSL_SESSION, SessionDeleter> session(SSL_get1_session(ssl));
  if (!session || SSL_SESSION_is_resumable(session.get()) != 1) return;
  const Time verified_at = reused ? kept->second.verified_at : now;
  sessions_[peer] = KeptSession{std::move(session), verified_at};
}

std::optional<std::chrono::system_clock::time_point> not_after(const X509* certificate) {
  std::tm parts{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
    return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace wk::exporter
