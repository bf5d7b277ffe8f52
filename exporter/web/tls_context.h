// TLS of the HTTP server: an OpenSSL context made from the web configuration.
//
// A context is immutable once made; a changed certificate makes a new one, and connections keep the one they
// began with. A listening socket has one SSL_CTX for all its life (the entrance), which hands each handshake
// over to the context in force at its ClientHello. Sessions are never resumed, so that a withdrawn client
// certificate cannot live on in a ticket. Thread: any; contexts are shared read-only.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "exporter/web/web_config.h"

namespace wk::exporter {

class TlsContext {
 public:
  /// \param origin  the configuration file, for messages
  /// \return        Errc::kTls: a certificate, key, authority, cipher suite or version that OpenSSL refuses,
  /// with why
  static Result<std::shared_ptr<TlsContext>> make(const TlsServerConfig& config, std::string_view origin);

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// Gives `handshake`, which is about to process a ClientHello, everything that the configuration says.
  /// \return  false when OpenSSL refuses
  bool take_over(SSL* handshake) const;

  /// Decides about a client's certificate after, or instead of, the verification of its chain.
  /// \param store  X509_STORE_CTX* of the handshake
  bool accept_client(void* store) const;

 private:
  TlsContext();

  mutable boost::asio::ssl::context context_;  ///< asio gives its handle only from a changeable object
  bool verify_chain_ = false;
  std::vector<std::string> allowed_sans_;
  std::string groups_;  ///< as SSL_set1_groups_list takes them; empty = OpenSSL's default
};

/// The SSL_CTX that every connection begins with.
class TlsEntrance {
 public:
  using Current = std::function<std::shared_ptr<const TlsContext>()>;

  /// \param current  the context in force, never null; called on the thread of each handshake
  explicit TlsEntrance(Current current);
  TlsEntrance(const TlsEntrance&) = delete;
  TlsEntrance& operator=(const TlsEntrance&) = delete;

  /// Owned by this object.
  SSL_CTX* context() const { return context_.get(); }

 private:
  static int on_client_hello(SSL* handshake, int* alert, void* self);

  const Current current_;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
};

}  // namespace wk::exporter
