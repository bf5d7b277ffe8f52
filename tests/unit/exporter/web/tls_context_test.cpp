#include "exporter/web/tls_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>

#include "tests/unit/exporter/web/test_files.h"

namespace wk::exporter {
namespace {

std::shared_ptr<TlsContext> make_context(const std::string& name, const TlsServerConfig& base = {}) {
  const KeyPair pair = make_key_pair(name, "DNS:" + name);
  TlsServerConfig config = base;
  config.certificate_pem = pair.certificate_pem;
  config.key_pem = pair.key_pem;
  return TlsContext::make(config, "test").value();
}

/// A client and a server that speak in memory.
class Handshake {
 public:
  Handshake(const TlsEntrance& entrance, int client_version)
      : server_(SSL_new(entrance.context()), &SSL_free), client_(SSL_new(client_context_.get()), &SSL_free) {
    SSL_set_max_proto_version(client_.get(), client_version);
    BIO* server_end = nullptr;
    BIO* client_end = nullptr;
    BIO_new_bio_pair(&server_end, 0, &client_end, 0);
    SSL_set_bio(server_.get(), server_end, server_end);
    SSL_set_bio(client_.get(), client_end, client_end);
    SSL_set_accept_state(server_.get());
    SSL_set_connect_state(client_.get());
  }

  /// One turn of each side.
  void step() {
    SSL_do_handshake(client_.get());
    SSL_do_handshake(server_.get());
  }

  /// The common name of the server's certificate; empty when the handshake fails.
  std::string finish() {
    constexpr int kTurns = 10;  // a handshake takes three
    for (int i = 0; i < kTurns; ++i) step();
    if (SSL_is_init_finished(client_.get()) == 0 || SSL_is_init_finished(server_.get()) == 0) return "";
    std::array<char, 256> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client_.get())), NID_commonName,
                              name.data(), static_cast<int>(name.size()));
    return name.data();
  }

  std::string group() const { return OBJ_nid2sn(static_cast<int>(SSL_get_shared_group(server_.get(), 0))); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client_context_{SSL_CTX_new(TLS_client_method()),
                                                                    &SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> server_;
  std::unique_ptr<SSL, decltype(&SSL_free)> client_;
};

TEST(TlsEntrance, EachHandshakeGetsTheContextInForce) {
  std::shared_ptr<const TlsContext> current = make_context("one");
  const TlsEntrance entrance([&] { return current; });
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    current = make_context("one");
    EXPECT_EQ(Handshake(entrance, version).finish(), "one");
    current = make_context("two");
    EXPECT_EQ(Handshake(entrance, version).finish(), "two");
  }
}

TEST(TlsEntrance, AHandshakeOutlivesTheRotation) {
  TlsServerConfig config;
  config.client_auth = ClientAuth::kRequestClientCert;
  std::shared_ptr<const TlsContext> current = make_context("one", config);
  const std::weak_ptr<const TlsContext> watched = current;
  const TlsEntrance entrance([&] { return current; });
  {
    Handshake handshake(entrance, TLS1_2_VERSION);
    handshake.step();
    current = make_context("two");
    EXPECT_FALSE(watched.expired());
    EXPECT_EQ(handshake.finish(), "one");
  }
  EXPECT_TRUE(watched.expired());
}

TEST(TlsEntrance, VersionsAndCurvesComeWithTheContext) {
  TlsServerConfig strict;
  strict.min_version = TLS1_3_VERSION;
  strict.curve_preferences = {"P-384"};
  std::shared_ptr<const TlsContext> current = make_context("lax");
  const TlsEntrance entrance([&] { return current; });
  Handshake lax(entrance, TLS1_2_VERSION);
  EXPECT_EQ(lax.finish(), "lax");
  EXPECT_EQ(lax.group(), "X25519");
  current = make_context("strict", strict);
  EXPECT_EQ(Handshake(entrance, TLS1_2_VERSION).finish(), "");
  Handshake modern(entrance, TLS1_3_VERSION);
  EXPECT_EQ(modern.finish(), "strict");
  EXPECT_EQ(modern.group(), "secp384r1");
}

}  // namespace
}  // namespace wk::exporter
