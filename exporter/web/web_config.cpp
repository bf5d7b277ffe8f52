#include "exporter/web/web_config.h"

#include <crypt.h>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/near_miss.h"
#include "base/text.h"

namespace wk::exporter {
namespace {

using Keys = std::initializer_list<std::string_view>;

/// Leaves the reader at the first fault; caught in load_web_config and never seen outside.
struct Fault {
  Error error;
};

/// "did you mean X?" for the nearest of `known`, else the list of them.
std::string suggestion(std::string_view word, Keys known) {
  const std::string_view nearest = near_miss(word, {known.begin(), known.size()});
  if (!nearest.empty()) return fmt::format("did you mean {}?", nearest);
  return fmt::format("known here: {}", fmt::join(known, ", "));
}

std::string read_whole_file(const std::filesystem::path& path, std::string_view what) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content;
  if (file) {
    content.resize(kWebConfigBytesMax + 1);
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    const int code = errno;
    throw Fault{{code == ENOENT ? Errc::kNotFound : Errc::kIo,
                 fmt::format("{} {}: {}; check the path, and that this user may read it", what, path.string(),
                             code != 0 ? std::strerror(code) : "cannot be read")}};
  }
  if (content.size() > kWebConfigBytesMax) {
    throw Fault{{Errc::kTooLarge, fmt::format("{} {}: is larger than {} bytes; is this the right file?", what,
                                              path.string(), kWebConfigBytesMax)}};
  }
  return content;
}

class Reader {
 public:
  explicit Reader(std::filesystem::path path) : path_(std::move(path)) {}

  WebConfig read() {
    const std::string text = read_whole_file(path_, "web configuration file");
    config_.files.push_back(path_);
    if (const auto control = find_control_character(text)) {
      YAML::Mark mark;
      mark.line = static_cast<int>(control->line);
      mark.column = static_cast<int>(control->column);
      fail(
          mark, "",
          fmt::format("a control character (0x{:02x}) stands here; is this the right file?", control->value));
    }
    YAML::Node root;
    try {
      root = YAML::Load(text);
    } catch (const YAML::Exception& e) {
      fail(e.mark, "", fmt::format("is not YAML: {}", printable(e.msg)));
    }
    if (const auto line = second_yaml_document(text)) {
      YAML::Mark mark;
      mark.line = static_cast<int>(*line);
      fail(mark, "", "a second document begins here; write everything into one");
    }
    if (root.IsNull()) return std::move(config_);
    require_map(root, "", {"tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"});
    warn_of_empty(root, "tls_server_config", "this server speaks plain HTTP");
    warn_of_empty(root, "basic_auth_users", "nobody is asked for a password");
    if (const YAML::Node node = root["tls_server_config"]) read_tls(node);
    if (const YAML::Node node = root["http_server_config"]) read_http(node);
    if (const YAML::Node node = root["basic_auth_users"]) read_users(node);
    if (const YAML::Node node = root["rate_limit"]) read_rate_limit(node);
    return std::move(config_);
  }

 private:
  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view key, std::string_view what) const {
    const std::string line = mark.is_null() ? "" : fmt::format(":{}", mark.line + 1);
    throw Fault{{Errc::kInvalidInput,
                 fmt::format("{}{}: {}{}{}", path_.string(), line, key, key.empty() ? "" : ": ", what)}};
  }

  /// What guards the server and guards nothing is legal in the format, and hardly meant.
  void warn_of_empty(const YAML::Node& root, std::string_view key, std::string_view effect) {
    for (const auto& entry : root)
      if (entry.first.Scalar() == key &&
          (entry.second.IsNull() || (entry.second.IsMap() && entry.second.size() == 0)))
        config_.warnings.push_back(
            fmt::format("{}:{}: {} is empty: {}", path_.string(), entry.first.Mark().line + 1, key, effect));
  }

  void require_map(const YAML::Node& node, std::string_view key, Keys known) const {
    if (!node.IsMap()) fail(node.Mark(), key, "must be a map of keys, as in 'key: value'");
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) fail(entry.first.Mark(), key, "has a key that is not a plain word");
      const std::string& name = entry.first.Scalar();
      if (known.size() > 0 && std::find(known.begin(), known.end(), name) == known.end()) {
        fail(entry.first.Mark(), printable(name), fmt::format("unknown key; {}", suggestion(name, known)));
      }
      if (!seen.insert(name).second)
        fail(entry.first.Mark(), printable(name), "stands here twice; remove one");
    }
  }

  std::string text(const YAML::Node& map, const char* key) const {
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) return "";
    if (!node.IsScalar()) fail(node.Mark(), key, "must be one text value");
    return node.Scalar();
  }

  bool boolean(const YAML::Node& map, const char* key, bool fallback) const {
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) return fallback;
    bool value = fallback;
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value))
      fail(node.Mark(), key, "must be true or false");
    return value;
  }

  std::vector<std::string> list(const YAML::Node& map, const char* key) const {
    const YAML::Node node = map[key];
    std::vector<std::string> values;
    if (!node || node.IsNull()) return values;
    if (!node.IsSequence()) fail(node.Mark(), key, "must be a list, as in [a, b]");
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) fail(item.Mark(), key, "must be a list of text values");
      values.push_back(item.Scalar());
    }
    return values;
  }

  std::string read_named_file(const YAML::Node& map, const char* key, const std::string& name) {
    const std::filesystem::path path = path_.parent_path() / name;
    config_.files.push_back(path);
    return read_whole_file(path, fmt::format("{}:{}: {}:", path_.string(), map[key].Mark().line + 1, key));
  }

  /// The PEM text that stands in the file under `file_key` or inline under `inline_key`.
  std::string pem(const YAML::Node& map, const char* file_key, const char* inline_key, bool required) {
    const std::string file = text(map, file_key);
    std::string inlined = text(map, inline_key);
    if (!file.empty() && !inlined.empty()) {
      fail(map[inline_key].Mark(), inline_key, fmt::format("stands beside {}; keep one of them", file_key));
    }
    if (!file.empty()) return read_named_file(map, file_key, file);
    if (inlined.empty() && required) {
      fail(map.Mark(), "tls_server_config",
           fmt::format("needs {} (or {}) to serve TLS", file_key, inline_key));
    }
    return inlined;
  }

  void read_tls(const YAML::Node& node) {
    if (node.IsNull()) return;
    require_map(node, "tls_server_config",
                {"cert_file", "key_file", "cert", "key", "client_auth_type", "client_ca_file", "client_ca",
                 "client_allowed_sans", "min_version", "max_version", "cipher_suites", "curve_preferences",
                 "prefer_server_cipher_suites"});
    if (node.size() == 0) return;
    TlsServerConfig tls;
    tls.certificate_pem = pem(node, "cert_file", "cert", true);
    tls.key_pem = pem(node, "key_file", "key", true);
    tls.client_ca_pem = pem(node, "client_ca_file", "client_ca", false);
    tls.client_auth = client_auth(node);
    tls.client_allowed_sans = list(node, "client_allowed_sans");
    if (tls.client_auth == ClientAuth::kNoClientCert) {
      if (!tls.client_ca_pem.empty()) {
        fail(node.Mark(), "tls_server_config",
             "names client certificate authorities but asks for no certificate; add client_auth_type: "
             "RequireAndVerifyClientCert, or remove client_ca_file");
      }
    }
    const bool certificate_required = tls.client_auth == ClientAuth::kRequireAnyClientCert ||
                                      tls.client_auth == ClientAuth::kRequireAndVerifyClientCert;
    if (!tls.client_allowed_sans.empty() && !certificate_required) {
      fail(node["client_allowed_sans"].Mark(), "client_allowed_sans",
           "would not keep out clients without a certificate; add client_auth_type: "
           "RequireAndVerifyClientCert");
    }
    tls.min_version = tls_version(node, "min_version", tls.min_version);
    tls.max_version = tls_version(node, "max_version", tls.max_version);
    if (tls.min_version > tls.max_version) {
      fail((node["min_version"] ? node["min_version"] : node["max_version"]).Mark(), "min_version",
           "is above max_version; no client could connect");
    }
    tls.cipher_suites = list(node, "cipher_suites");
    tls.curve_preferences = curves(node);
    tls.prefer_server_cipher_suites = boolean(node, "prefer_server_cipher_suites", true);
    config_.tls = std::move(tls);
  }

  ClientAuth client_auth(const YAML::Node& node) const {
    const std::string word = text(node, "client_auth_type");
    if (word.empty() || word == "NoClientCert") return ClientAuth::kNoClientCert;
    if (word == "RequestClientCert") return ClientAuth::kRequestClientCert;
    // RequireClientCert is the exporter-toolkit's old name of the same.
    if (word == "RequireAnyClientCert" || word == "RequireClientCert")
      return ClientAuth::kRequireAnyClientCert;
    if (word == "VerifyClientCertIfGiven") return ClientAuth::kVerifyClientCertIfGiven;
    if (word == "RequireAndVerifyClientCert") return ClientAuth::kRequireAndVerifyClientCert;
    fail(node["client_auth_type"].Mark(), "client_auth_type",
         fmt::format("unknown value '{}'; {}", printable(word),
                     suggestion(word, {"NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                                       "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"})));
  }

  int tls_version(const YAML::Node& node, const char* key, int fallback) const {
    const std::string word = text(node, key);
    if (word.empty()) return fallback;
    if (word == "TLS10") return 0x0301;
    if (word == "TLS11") return 0x0302;
    if (word == "TLS12") return 0x0303;
    if (word == "TLS13") return 0x0304;
    fail(node[key].Mark(), key,
         fmt::format(
             "unknown value '{}'; write TLS12 or TLS13 (TLS10 and TLS11 where OpenSSL still permits them)",
             printable(word)));
  }

  std::vector<std::string> curves(const YAML::Node& node) const {
    static constexpr std::array<std::pair<std::string_view, const char*>, 4> kCurves = {
        {{"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}}};
    std::vector<std::string> names;
    for (const std::string& word : list(node, "curve_preferences")) {
      const auto* found =
          std::find_if(kCurves.begin(), kCurves.end(), [&](const auto& c) { return c.first == word; });
      if (found == kCurves.end()) {
        fail(node["curve_preferences"].Mark(), "curve_preferences",
             fmt::format("unknown curve '{}'; {}", printable(word),
                         suggestion(word, {"CurveP256", "CurveP384", "CurveP521", "X25519"})));
      }
      names.emplace_back(found->second);
    }
    return names;
  }

  void read_http(const YAML::Node& node) {
    if (node.IsNull()) return;
    require_map(node, "http_server_config", {"http2", "headers"});
    if (node["http2"] && boolean(node, "http2", false)) {
      config_.warnings.push_back(
          fmt::format("{}:{}: http2 has no effect, this server speaks HTTP/1.1; every Prometheus does too",
                      path_.string(), node["http2"].Mark().line + 1));
    }
    const YAML::Node headers = node["headers"];
    if (!headers || headers.IsNull()) return;
    require_map(headers, "headers",
                {"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "X-XSS-Protection",
                 "Strict-Transport-Security"});
    for (const auto& entry : headers) {
      const std::string& name = entry.first.Scalar();
      const std::string value = text(headers, name.c_str());
      if (std::any_of(value.begin(), value.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
        fail(entry.second.Mark(), name, "must be one line without control characters");
      }
      if (name == "X-Frame-Options" && value != "deny" && value != "sameorigin" && !value.empty()) {
        fail(entry.second.Mark(), name, "must be deny or sameorigin");
      }
      if (name == "X-Content-Type-Options" && value != "nosniff" && !value.empty()) {
        fail(entry.second.Mark(), name, "must be nosniff");
      }
      config_.headers[name] = value;
    }
  }

  void read_rate_limit(const YAML::Node& node) {
    if (node.IsNull()) return;
    require_map(node, "rate_limit", {"interval", "burst"});
    config_.warnings.push_back(fmt::format(
        "{}:{}: rate_limit has no effect, this server limits requests at the same time instead; limit "
        "rates in a reverse proxy",
        path_.string(), node.Mark().line + 1));
  }

  void read_users(const YAML::Node& node) {
    if (node.IsNull()) return;
    require_map(node, "basic_auth_users", {});
    for (const auto& entry : node) {
      const std::string& name = entry.first.Scalar();
      const std::string key = fmt::format("basic_auth_users.{}", printable(name));
      if (name.empty() || name.find(':') != std::string::npos) {
        fail(entry.first.Mark(), key, "a user name must not be empty nor contain ':' (HTTP cannot carry it)");
      }
      // The hash itself stays out of the message: messages end up in logs.
      const std::optional<int> cost =
          entry.second.IsScalar() ? bcrypt_cost(entry.second.Scalar()) : std::nullopt;
      if (!cost) {
        fail(entry.second.Mark(), key,
             "is not a bcrypt hash ($2a$, $2b$ or $2y$); make one with: htpasswd -nBC 10 \"\" | tr -d ':'");
      }
      if (*cost > kBcryptCostMax) {
        fail(entry.second.Mark(), key,
             fmt::format(
                 "has bcrypt cost {}, more than {}: each request would take many seconds; use 10 to 12",
                 *cost, kBcryptCostMax));
      }
      config_.users[name] = entry.second.Scalar();
    }
  }

  std::filesystem::path path_;
  WebConfig config_;
};

}  // namespace

std::optional<int> bcrypt_cost(std::string_view hash) {
  // $2b$CC$ + 22 characters of salt + 31 of digest.
  constexpr std::size_t kPrefix = 7;
  constexpr std::size_t kLength = kPrefix + 22 + 31;
  constexpr std::string_view kAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  if (hash.size() != kLength ||
      (!hash.starts_with("$2a$") && !hash.starts_with("$2b$") && !hash.starts_with("$2y$"))) {
    return std::nullopt;
  }
  if (hash.substr(kPrefix).find_first_not_of(kAlphabet) != std::string_view::npos) return std::nullopt;
  if (crypt_checksalt(std::string(hash).c_str()) != CRYPT_SALT_OK) return std::nullopt;
  int cost = 0;
  const auto [end, error] = std::from_chars(hash.data() + 4, hash.data() + 6, cost);
  // bcrypt knows the costs 4 to 31; the library looks at the prefix only until it is asked to compute.
  if (error != std::errc() || end != hash.data() + 6 || hash[6] != '$' || cost < 4 || cost > 31)
    return std::nullopt;
  return cost;
}

Result<WebConfig> load_web_config(const std::filesystem::path& path) {
  try {
    return Reader(path).read();
  } catch (const Fault& fault) {
    return fault.error;
  } catch (const YAML::Exception& e) {
    return Error{Errc::kInvalidInput,
                 fmt::format("{}:{}: {}", path.string(), e.mark.line + 1, printable(e.msg))};
  }
}

}  // namespace wk::exporter
