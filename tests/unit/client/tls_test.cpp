// Connection over TLS: trust, host name verification, and what an operator is told when either fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <memory>
#include <stdexcept>

#include "client/session.h"
#include "fake_server.h"

namespace wk::client {
namespace {

using namespace std::chrono_literals;
namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;

Key make_key() {
  std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_keygen(context.get(), &key);
  return Key(key);
}

/// Signed by itself, valid for an hour, for `names` ("IP:127.0.0.1" or "DNS:host").
Certificate make_certificate(EVP_PKEY* key, const char* names) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const std::string text = "test";
  X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
                             std::vector<unsigned char>(text.begin(), text.end()).data(), 4, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names));
  X509_add_ext(certificate.get(), extension.get(), -1);
  if (X509_sign(certificate.get(), key, nullptr) == 0)
    throw std::runtime_error("cannot sign a test certificate");
  return certificate;
}

class TlsTest : public testing::Test {
 protected:
  /// A server that grants one session to whoever gets through the TLS handshake.
  void serve(const char* names) {
    const Key key = make_key();
    certificate_ = make_certificate(key.get(), names);
    SSL_CTX_use_certificate(server_context_.native_handle(), certificate_.get());
    SSL_CTX_use_PrivateKey(server_context_.native_handle(), key.get());
    acceptor_.async_accept([this](const boost::system::error_code& code, tcp::socket socket) {
      if (code) return;
      peer_.emplace(std::move(socket), server_context_);
      peer_->async_handshake(ssl::stream_base::server, [this](const boost::system::error_code& failed) {
        if (failed) return;
        hello_.resize(4 + 45);
        boost::asio::async_read(
            *peer_, boost::asio::buffer(hello_), [this](const boost::system::error_code& cut, std::size_t) {
              if (cut) return;
              answer_ = encode(std::int32_t{37},
                               jute::ConnectResponse{0, 30'000, SessionId{5}, std::string(16, 'p'), false});
              boost::asio::async_write(*peer_, boost::asio::buffer(answer_),
                                       [](const boost::system::error_code&, std::size_t) {});
            });
      });
    });
  }

  void trust_the_server() {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context_->native_handle()), certificate_.get());
  }

  /// Runs until the first attempt has an end. \return its state and reason.
  SessionChange attempt(bool verify_host_name, const std::string& expected_name = {}) {
    SessionChange end;
    Session session(
        io_,
        {.servers = {{"127.0.0.1", acceptor_.local_endpoint().port()}},
         .tls = {.context = client_context_,
                 .verify_host_name = verify_host_name,
                 .expected_name = expected_name}},
        [] { return 0.0; },
        [&](const SessionChange& change) {
          if (change.state != SessionState::kConnecting) end = change;
          if (change.state != SessionState::kConnecting) io_.stop();
        });
    session.open();
    io_.run_for(20s);
    return end;
  }

  boost::asio::io_context io_;
  ssl::context server_context_{ssl::context::tls_server};
  std::shared_ptr<ssl::context> client_context_ = std::make_shared<ssl::context>(ssl::context::tls_client);
  tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::optional<ssl::stream<tcp::socket>> peer_;
  Certificate certificate_;
  std::vector<std::byte> hello_;
  std::vector<std::byte> answer_;
};

TEST_F(TlsTest, TrustedCertificateForTheHostConnects) {
  serve("IP:127.0.0.1");
  trust_the_server();
  EXPECT_EQ(attempt(true).state, SessionState::kConnected);
}

TEST_F(TlsTest, CertificateForAnotherHostIsRefused) {
  serve("IP:127.0.0.2,DNS:other");
  trust_the_server();
  const SessionChange end = attempt(true);
  ASSERT_EQ(end.state, SessionState::kDisconnected);
  ASSERT_TRUE(end.reason);
  EXPECT_EQ(end.reason->code, Errc::kTls);
  EXPECT_THAT(end.reason->message, testing::HasSubstr("IP address mismatch"));
}

TEST_F(TlsTest, AnExpectedNameReplacesTheHost) {
  serve("DNS:other");
  trust_the_server();
  EXPECT_EQ(attempt(true, "other").state, SessionState::kConnected);
}

TEST_F(TlsTest, HostNameVerificationCanBeSwitchedOff) {
  serve("DNS:other");
  trust_the_server();
  client_context_->set_verify_mode(ssl::verify_peer);
  EXPECT_EQ(attempt(false).state, SessionState::kConnected);
}

TEST_F(TlsTest, UntrustedCertificateIsRefused) {
  serve("IP:127.0.0.1");
  const SessionChange end = attempt(true);
  ASSERT_TRUE(end.reason);
  EXPECT_EQ(end.reason->code, Errc::kTls);
  EXPECT_THAT(end.reason->message, testing::HasSubstr("self-signed certificate"));
}

}  // namespace
}  // namespace wk::client
