// TLS towards one member: the context made of the files that the configuration names, and what a handshake
// told.
//
// The files are looked at again every kTlsFileCheck; a change (a renewed certificate) makes a new context
// without restart. Broken files are a fault of every handshake until they are whole again. Thread: io. Reads
// small files on it.
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

class TlsClient {
 public:
  /// Makes nothing yet; the first context() reads the files.
  explicit TlsClient(TlsSpec spec) : spec_(std::move(spec)) {}

  /// The context to be used now. Errc::kTls with file and reason when one of the files cannot be used.
  Result<std::shared_ptr<boost::asio::ssl::context>> context(std::chrono::steady_clock::time_point now);

  /// Name that the certificate of `host` must carry.
  [[nodiscard]] const std::string& expected_name(const std::string& host) const {
    return spec_.server_name.empty() ? host : spec_.server_name;
  }
  [[nodiscard]] bool verifies() const { return spec_.verify; }

  /// Prepares a handshake: name to verify and to ask for (SNI; not for addresses), session to resume.
  /// \param peer  "HOST:PORT": sessions are resumed only with the peer that gave them
  void prepare(SSL* ssl, const std::string& host, const std::string& peer);
  /// Keeps the session of a finished exchange for the next handshake with `peer`.
  void keep_session(SSL* ssl, const std::string& peer);

 private:
  struct SessionDeleter {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  using FileTimes = std::array<std::filesystem::file_time_type, 3>;
  [[nodiscard]] FileTimes file_times() const;

  TlsSpec spec_;
  FileTimes times_{};
  std::optional<std::chrono::steady_clock::time_point> checked_;
  std::optional<Result<std::shared_ptr<boost::asio::ssl::context>>> context_;
  std::map<std::string, std::unique_ptr<SSL_SESSION, SessionDeleter>>
      sessions_;  ///< client port and HTTP: few
};

/// When the certificate ends; absent when its date cannot be read.
std::optional<std::chrono::system_clock::time_point> not_after(const X509* certificate);

}  // namespace wk::exporter
