// The web configuration file: TLS, client certificates, extra headers and users of the HTTP server.
//
// Format: the Prometheus exporter-toolkit's docs/web-configuration.md, so that a file written for any
// Prometheus exporter works here. Relative paths in it are relative to the directory of the file. Differs:
// repeated keys, bcrypt costs above kBcryptCostMax and TLS below 1.2 on systems whose OpenSSL forbids it are
//   refused at load, with the remedy, instead of failing later. `http2` and `rate_limit` are accepted with a
//   warning and have no effect.
// Thread: any; plain values. Loading reads files and blocks.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wk::exporter {

/// Bytes of the configuration file and of each certificate or key file.
inline constexpr std::size_t kWebConfigBytesMax = 1024 * 1024;
/// One evaluation at cost 16 takes some four seconds of one core.
inline constexpr int kBcryptCostMax = 16;

/// What is asked of a client's certificate; names and meaning are Go's crypto/tls.ClientAuthType.
enum class ClientAuth {
  kNoClientCert,
  kRequestClientCert,           ///< asked for, need not be given, not verified
  kRequireAnyClientCert,        ///< must be given, not verified
  kVerifyClientCertIfGiven,     ///< need not be given; verified when it is
  kRequireAndVerifyClientCert,  ///< must be given and is verified
};

struct TlsServerConfig {
  std::string certificate_pem;  ///< the certificate, followed by its chain
  std::string key_pem;
  std::string client_ca_pem;  ///< empty = the system's certificate authorities
  ClientAuth client_auth = ClientAuth::kNoClientCert;
  std::vector<std::string>
      client_allowed_sans;   ///< empty = every name; else one name of the certificate is here
  int min_version = 0x0303;  ///< as on the wire: 0x0301 is TLS 1.0, 0x0304 is TLS 1.3
  int max_version = 0x0304;
  std::vector<std::string> cipher_suites;      ///< IANA names; empty = OpenSSL's default
  std::vector<std::string> curve_preferences;  ///< OpenSSL's names; empty = OpenSSL's default
  bool prefer_server_cipher_suites = true;
};

struct WebConfig {
  std::optional<TlsServerConfig> tls;          ///< absent = plain HTTP
  std::map<std::string, std::string> headers;  ///< added to every answer
  std::map<std::string, std::string> users;    ///< name → bcrypt hash; empty = no authentication
  std::vector<std::string> warnings;           ///< things accepted that have no effect, one line each
  std::vector<std::filesystem::path> files;    ///< all that was read, the configuration itself first
};

/// Reads and checks `path` with the files it names. An empty file is valid: plain HTTP, no authentication.
/// \return  an error whose one-line message names file, line, key and remedy; Errc::kNotFound or kIo for
/// files that
///          cannot be read, Errc::kInvalidInput otherwise
Result<WebConfig> load_web_config(const std::filesystem::path& path);

/// The cost of a well-formed bcrypt hash ($2a$, $2b$ or $2y$); nothing for anything else.
std::optional<int> bcrypt_cost(std::string_view hash);

}  // namespace wk::exporter
