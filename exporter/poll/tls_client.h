// TLS towards one member: the context made of the files that the configuration names, and what a handshake
// told.
//
// The files are looked at again every kTlsFileCheck; a change (a renewed certificate) makes a new context
// without restart. Files that cannot be used from the beginning are a fault of every handshake until they are
// whole; files that break later leave the former context in use. A certificate is verified anew at least
// every kTlsSessionLife: a resumed session carries no proof of its own. Thread: io. Reads small files on it.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "exporter/model/target.h"

namespace wk::exporter {

inline constexpr std::chrono::seconds kTlsFileCheck{10};
/// Files that changed and cannot be used are looked at again after this.
inline constexpr std::chrono::seconds kTlsFileAgain{1};
/// How long sessions are resumed after the handshake that verified the certificate.
inline constexpr std::chrono::minutes kTlsSessionLife{10};

class TlsClient {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Makes nothing yet; the first context() reads the files.
  explicit TlsClient(TlsSpec spec) : spec_(std::move(spec)) {}

  /// The context to be used now. Errc::kTls with file and reason when one of the files cannot be used.
  Result<std::shared_ptr<boost::asio::ssl::context>> context(Time now);

  /// Name that the certificate of `host` must carry.
  [[nodiscard]] const std::string& expected_name(const std::string& host) const {
    return spec_.server_name.empty() ? host : spec_.server_name;
  }
  [[nodiscard]] bool verifies() const { return spec_.verify; }

  /// Prepares a handshake: name to verify and to ask for (SNI; not for addresses), session to resume.
  /// \param peer  "HOST:PORT": sessions are resumed only with the peer that gave them
  /// \return      Errc::kTls when the name cannot be verified
  Result<void> prepare(SSL* ssl, const std::string& host, const std::string& peer, Time now);
  /// Keeps the session of a finished exchange for the next handshake with `peer`.
  void keep_session(SSL* ssl, const std::string& peer, Time now);

 private:
  struct SessionDeleter {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  struct KeptSession {
    std::unique_ptr<SSL_SESSION, SessionDeleter> session;
    Time verified_at;
  };
  using FileTimes = std::array<std::filesystem::file_time_type, 3>;
  [[nodiscard]] FileTimes file_times() const;

  TlsSpec spec_;
  FileTimes times_{};
  std::optional<Time> checked_;
  bool warned_ = false;  ///< of files that cannot be used while the former context is
  std::optional<Result<std::shared_ptr<boost::asio::ssl::context>>> context_;
  std::map<std::string, KeptSession> sessions_;  ///< client port and HTTP: few
};

/// When the certificate ends; absent when its date cannot be read.
std::optional<std::chrono::system_clock::time_point> not_after(const X509* certificate);

}  // namespace wk::exporter
