#include "server/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "base/ensemble_name.h"
#include "base/log.h"
#include "server/config/properties.h"
#include "server/config/secrets.h"
#include "server/config/value.h"

namespace wk::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// All that this server knows; the whitelist may name others without effect, as in Apache.
constexpr std::array<std::string_view, 18> kFourLetterWords{"conf", "cons", "crst", "dirs", "dump", "envi",
                                                            "gtmk", "hash", "isro", "mntr", "ruok", "srst",
                                                            "srvr", "stat", "stmk", "wchc", "wchp", "wchs"};

/// The words between commas, without blanks around them and without empty ones.
std::vector<std::string> comma_separated(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view word = trimmed(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

/// A path without doubled slashes and without one at its end: where two keys name one folder, they are equal.
/// Source: java.io.UnixFileSystem.normalize, for every java.io.File.
std::string file_path(std::string_view written) {
  std::string path;
  path.reserve(written.size());
  for (const char c : written)
    if (c != '/' || !path.ends_with('/')) path += c;
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

class Builder {
 public:
  Builder(Settings& settings, Diagnostics& diagnostics, Config& config)
      : settings_(settings), diagnostics_(diagnostics), config_(config) {}

  void run() {
    read_times();
    read_client_port();
    read_limits();
    read_storage();
    read_containers();
    read_authentication();
    read_four_letter_words();
    read_http();
    read_admin();
    read_observe();
    read_ensemble_name();
    check_http_hosts();
    config_.extended_types = settings_.boolean("extendedTypesEnabled", false);
    config_.digest = settings_.boolean("digest.enabled", true);
    config_.close_session_paths = settings_.boolean("closeSessionTxn.enabled", true);
  }

 private:
  void fail_missing(std::string key, std::string reason, std::string remedy) {
    diagnostics_.push_back(
        {Severity::kError, {config_.file, 0}, std::move(key), std::move(reason), std::move(remedy)});
  }
  [[nodiscard]] int integer(std::string_view key, int otherwise) const {
    return static_cast<int>(settings_.integer(key, otherwise));
  }

  /// The host to listen on. Source: java.net.InetAddress.getByName, for which an empty name is loopback.
  std::string host(std::string_view key, std::string_view otherwise) {
    std::string written = settings_.text(key, otherwise);
    if (!settings_.has(key) || !written.empty()) return written;
    settings_.warn(key, "the value is empty, which means 127.0.0.1, as in Apache ZooKeeper",
                   "write an address, or remove the line to listen on all of them");
    return "127.0.0.1";
  }

  void read_times() {
    const int tick_ms = integer("tickTime", 3000);
    if (tick_ms == 0) settings_.fail("tickTime", "tickTime is not set", "write, for example, tickTime=2000");
    if (!settings_.has("tickTime"))
      diagnostics_.push_back({Severity::kNote,
                              {config_.file, 0},
                              "tickTime",
                              "not set; 3000 ms is used, as in Apache ZooKeeper",
                              "",
                              0});
    config_.tick_time = milliseconds(tick_ms);
    const int min_ms = integer("minSessionTimeout", -1), max_ms = integer("maxSessionTimeout", -1);
    config_.sessions.timeout_min = min_ms == -1 ? config_.tick_time * 2 : milliseconds(min_ms);
    config_.sessions.timeout_max = max_ms == -1 ? config_.tick_time * 20 : milliseconds(max_ms);
    if (config_.sessions.timeout_min > config_.sessions.timeout_max)
      settings_.fail(
          settings_.has("minSessionTimeout")   ? "minSessionTimeout"
          : settings_.has("maxSessionTimeout") ? "maxSessionTimeout"
                                               : "tickTime",
          fmt::format("minSessionTimeout must not be larger than maxSessionTimeout ({} ms and {} ms; they "
                      "are 2 and 20 times tickTime unless set)",
                      config_.sessions.timeout_min.count(), config_.sessions.timeout_max.count()),
          "change one of the two, or tickTime");
  }

  void read_client_port() {
    if (!settings_.has("clientPort")) {
      if (settings_.has("clientPortAddress"))
        settings_.fail("clientPortAddress", "clientPortAddress is set but clientPort is not set",
                       "add, for example, clientPort=2181");
      return;
    }
    const int port = integer("clientPort", 0);
    if (port < 0 || port > 65535)
      return settings_.fail("clientPort", fmt::format("port out of range:{}", port),
                            "choose one of 0 to 65535");
    std::string address = host("clientPortAddress", "");
    if (address.size() > 2 && address.starts_with('[') && address.ends_with(']'))
      address = address.substr(1, address.size() - 2);
    if (address == "0.0.0.0") address.clear();  // Java's any address, which it binds for both families.
    config_.client = ListenAddress{std::move(address), static_cast<std::uint16_t>(port)};
  }

  void read_limits() {
    ClientLimits& limits = config_.limits;
    limits.max_connections_per_address = std::max(0, integer("maxClientCnxns", 60));
    limits.max_connections = integer("maxCnxns", 0);
    if (limits.max_connections < 0) {
      settings_.warn("maxCnxns", "a negative value counts as 0, no limit", "write 0");
      limits.max_connections = 0;
    }
    limits.global_outstanding = integer("globalOutstandingLimit", 1000);
    limits.max_request_bytes = integer("jute.maxbuffer", 1'048'575);
    if (limits.max_request_bytes < 0) {
      settings_.warn("jute.maxbuffer", "a negative value would refuse every request; the default is used",
                     "write a number of bytes");
      limits.max_request_bytes = 1'048'575;
    }
    limits.extra_stored_bytes = std::max(1024, integer("jute.maxbuffer.extrasize", limits.max_request_bytes));
    limits.sessionless_timeout = milliseconds(std::max(1, integer("nio.sessionlessCnxnTimeout", 10'000)));
    limits.listen_backlog = integer("clientPortListenBacklog", -1);
    limits.tcp_keep_alive = settings_.boolean("clientTcpKeepAlive", false);
  }

  void read_storage() {
    Storage& storage = config_.storage;
    storage.data_dir = file_path(settings_.text("dataDir", ""));
    if (storage.data_dir.empty()) {
      fail_missing("dataDir", "dataDir is not set", "add, for example, dataDir=/var/lib/zookeeper");
    } else if (storage.data_dir == "/tmp" || storage.data_dir.starts_with("/tmp/")) {
      settings_.warn("dataDir", "the system empties this directory, at the latest when it starts",
                     "choose a directory that stays, for example /var/lib/zookeeper");
    }
    storage.data_log_dir = file_path(settings_.text("dataLogDir", storage.data_dir));
    storage.preallocate_kib = settings_.integer("preAllocSize", 65536);
    storage.snapshot_count = integer("snapCount", 100'000);
    if (storage.snapshot_count < 2) {
      settings_.warn("snapCount", "SnapCount should be 2 or more; 2 is used", "write at least 2");
      storage.snapshot_count = 2;
    }
    storage.snapshot_size_limit_kib = settings_.integer("snapSizeLimitInKb", 4'194'304);
    if (storage.snapshot_size_limit_kib == 0)
      settings_.note("snapSizeLimitInKb",
                     "0 means no limit here; Apache ZooKeeper ends at its first write with it", "");
    storage.log_size_limit_kib = settings_.integer("txnLogSizeLimitInKb", -1);
    storage.force_sync = settings_.boolean("forceSync", true);
    if (!storage.force_sync)
      settings_.warn("forceSync", "acknowledged writes are lost when the machine fails", "remove the line");
    storage.fsync_warning_threshold = milliseconds(settings_.integer("fsync.warningthresholdms", 1000));
    const std::string method = settings_.text("snapshot.compression.method", "");
    if (equal_ignoring_case(method, "gz")) {
      storage.compression = SnapshotCompression::kGzip;
    } else if (equal_ignoring_case(method, "snappy")) {
      storage.compression = SnapshotCompression::kSnappy;
    } else if (!method.empty()) {
      settings_.warn("snapshot.compression.method",
                     fmt::format("\"{}\" is no method; snapshots are not compressed", method),
                     "write gz or snappy");
    }
    storage.trust_empty_snapshot = settings_.boolean("snapshot.trust.empty", false);
    storage.serialize_last_processed_zxid = settings_.boolean("serializeLastProcessedZxid.enabled", true);
    storage.create_directories = settings_.boolean("datadir.autocreate", true);
    storage.create_database = settings_.boolean("db.autocreate", true);
    storage.snapshots_to_retain = integer("autopurge.snapRetainCount", 3);
    if (storage.snapshots_to_retain < 3) {
      settings_.warn(
          "autopurge.snapRetainCount",
          fmt::format("Invalid autopurge.snapRetainCount: {}. Defaulting to 3", storage.snapshots_to_retain),
          "write at least 3");
      storage.snapshots_to_retain = 3;
    }
    storage.purge_interval = hours(std::max(0, integer("autopurge.purgeInterval", 0)));
  }

  void read_containers() {
    Containers& containers = config_.containers;
    containers.check_interval = milliseconds(std::max(1, integer("znode.container.checkIntervalMs", 60'000)));
    containers.max_per_minute = std::max(1, integer("znode.container.maxPerMinute", 10'000));
    config_.slow_request =
        milliseconds(std::max<std::int64_t>(0, settings_.integer("watchkeeper.slowRequestMs", 1'000)));
    containers.max_never_used = milliseconds(
        std::max<std::int64_t>(0, settings_.integer("znode.container.maxNeverUsedIntervalMs", 0)));
  }

  void read_authentication() {
    Authentication& authentication = config_.authentication;
    authentication.digest_enabled = settings_.boolean("DigestAuthenticationProvider.enabled", true);
    authentication.digest_algorithm = settings_.text("DigestAuthenticationProvider.digestAlg", "SHA1");
    static constexpr std::array<std::string_view, 11> kAlgorithms{
        "SHA1",    "SHA-1",    "SHA",      "SHA-224",  "SHA-256", "SHA-384",
        "SHA-512", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"};
    if (std::ranges::none_of(kAlgorithms, [&](std::string_view known) {
          return equal_ignoring_case(known, authentication.digest_algorithm);
        }))
      settings_.fail("DigestAuthenticationProvider.digestAlg",
                     fmt::format("don't support this ALG : {} in the current environment",
                                 authentication.digest_algorithm),
                     "write SHA1, SHA-256, SHA-512, SHA3-256 or another of the SHA family", kExitUnexpected);
    authentication.super_digest = settings_.text("DigestAuthenticationProvider.superDigest", "");
    authentication.skip_acl = settings_.boolean("skipACL", false);
    if (authentication.skip_acl)
      settings_.warn("skipACL", "access rules are not checked: every client may read and write everything",
                     "remove the line when the emergency is over");
  }

  void read_four_letter_words() {
    std::vector<std::string>& words = config_.four_letter_words;
    if (!settings_.has("4lw.commands.whitelist")) {
      words = default_four_letter_words();
      return;
    }
    const auto allow = [&words](std::string_view word) {
      if (std::ranges::find(words, word) == words.end()) words.emplace_back(word);
    };
    const std::string list = settings_.text("4lw.commands.whitelist", "");
    for (const std::string& word : comma_separated(list)) {
      if (word == "*") {
        words.assign(kFourLetterWords.begin(), kFourLetterWords.end());
        return;
      }
      if (std::ranges::find(kFourLetterWords, word) == kFourLetterWords.end()) {
        settings_.warn("4lw.commands.whitelist", fmt::format("\"{}\" is no command", word),
                       "remove it from the list");
        continue;
      }
      allow(word);
    }
    if (settings_.boolean("readonlymode.enabled", false)) allow("isro");
    allow("srvr");
  }

  void read_http() {
    static constexpr std::string_view kPackage = "org.apache.zookeeper.metrics.";
    const std::string provider = settings_.text("metricsProvider.className", "");
    if (provider == std::string(kPackage) + "impl.DefaultMetricsProvider" ||
        provider == std::string(kPackage) + "impl.NullMetricsProvider")
      return;
    if (!provider.empty() && provider != std::string(kPackage) + "prometheus.PrometheusMetricsProvider")
      settings_.fail(
          "metricsProvider.className", fmt::format("metrics provider class was not found: {}", provider),
          fmt::format("write {}prometheus.PrometheusMetricsProvider, or remove the line", kPackage));
    Http http;
    http.host = host("metricsProvider.httpHost", http.host);
    const int port = integer("metricsProvider.httpPort", http.port);
    if (port < 0 || port > 65535)
      return settings_.fail("metricsProvider.httpPort", fmt::format("port out of range:{}", port),
                            "choose one of 0 to 65535");
    http.port = static_cast<std::uint16_t>(port);
    config_.prometheus_provider = !provider.empty();
    http.asked_for = !provider.empty() || settings_.has("metricsProvider.httpPort") ||
                     settings_.has("metricsProvider.httpHost");
    config_.http = http;
    read_metric_families();
  }

  void read_metric_families() {
    static constexpr std::string_view kKey = "watchkeeper.metricFamilies";
    MetricFamilies& families = config_.metric_families;
    if (config_.prometheus_provider) families = {.native = true, .zk = false, .zookeeper39 = true};
    if (!settings_.has(kKey)) return;
    families = {.native = false, .zk = false, .zookeeper39 = false};
    for (const std::string& word : comma_separated(settings_.text(kKey, ""))) {
      if (word == "native")
        families.native = true;
      else if (word == "zk")
        families.zk = true;
      else if (word == "zookeeper39")
        families.zookeeper39 = true;
      else
        settings_.fail(kKey, fmt::format("\"{}\" is no family of metrics", word),
                       "write some of native, zk and zookeeper39, with commas between them");
    }
  }

  /// Differs: off unless the operator asks for it, for the commands are at metricsProvider.httpPort anyway.
  void read_admin() {
    if (!settings_.has("admin.enableServer")) {
      for (const std::string_view key :
           {"admin.serverAddress", "admin.serverPort", "admin.commandURL", "admin.idleTimeout"})
        if (settings_.has(key))
          settings_.warn(key, "no effect: the AdminServer has no port of its own here unless it is asked for",
                         "add admin.enableServer=true, or use /commands at metricsProvider.httpPort");
      return;
    }
    if (settings_.text("admin.enableServer", "") == "false") return;
    for (const std::string_view key : {"admin.forceHttps", "admin.needClientAuth"})
      if (settings_.boolean(key, false))
        settings_.fail(key, "the AdminServer would answer in plain text what is configured to be protected",
                       "remove the line, or set admin.enableServer=false");
    Admin admin;
    admin.host = host("admin.serverAddress", admin.host);
    const int port = integer("admin.serverPort", admin.port);
    if (port < 0 || port > 65535)
      return settings_.fail("admin.serverPort", fmt::format("port out of range:{}", port),
                            "choose one of 0 to 65535");
    admin.port = static_cast<std::uint16_t>(port);
    admin.command_url = settings_.text("admin.commandURL", admin.command_url);
    while (admin.command_url.size() > 1 && admin.command_url.ends_with('/')) admin.command_url.pop_back();
    if (!admin.command_url.starts_with('/') || admin.command_url == "/")
      return settings_.fail("admin.commandURL", "a path begins with a slash and has something behind it",
                            "write, for example, admin.commandURL=/commands");
    admin.idle_timeout = milliseconds(std::max(1, integer("admin.idleTimeout", 30'000)));
    config_.admin = std::move(admin);
  }

  void read_observe() {
    config_.observe = settings_.boolean("watchkeeper.observe", true);
    if (config_.observe) return;
    settings_.warn(
        "watchkeeper.observe",
        "there are no metrics, no page, no commands and no time line: only to measure what they cost",
        "remove the line");
    config_.http.reset();
    config_.admin.reset();
  }

  void read_ensemble_name() {
    static constexpr std::string_view kKey = "watchkeeper.ensemble";
    config_.ensemble_name = settings_.text(kKey, kDefaultEnsembleName);
    if (!legal_ensemble_name(config_.ensemble_name))
      settings_.fail(kKey, fmt::format("\"{}\" is no ensemble name", printable(config_.ensemble_name, 80)),
                     std::string(kEnsembleNameRemedy));
  }

  /// Differs: HTTP is served over IPv4 only, for Debian's civetweb has no IPv6.
  void check_http_hosts() {
    const auto check = [this](std::string_view key, const std::string& address) {
      if (address.find(':') != std::string::npos)
        settings_.fail(key, fmt::format("\"{}\" is no IPv4 address: HTTP has no IPv6 here", address),
                       "write an IPv4 address, for example 127.0.0.1; a reverse proxy can listen on IPv6");
    };
    if (config_.http) check("metricsProvider.httpHost", config_.http->host);
    if (config_.admin) check("admin.serverAddress", config_.admin->host);
  }

  Settings& settings_;
  Diagnostics& diagnostics_;
  Config& config_;
};

LogFormat read_log_format(Settings& settings) {
  static constexpr std::string_view kKey = "watchkeeper.logFormat";
  const std::string format = settings.text(kKey, "text");
  if (format != "text" && format != "json")
    settings.fail(kKey, fmt::format("\"{}\" is no format of log lines", format), "write text or json");
  return format == "json" ? LogFormat::kJson : LogFormat::kText;
}

}  // namespace

std::vector<std::string> default_four_letter_words() {
  return {"ruok", "srvr", "stat", "mntr", "conf", "envi", "isro", "dirs", "wchs"};
}

Loaded load(const LoadRequest& request, const FileReader& read) {
  Loaded loaded;
  Config config;
  config.file = request.file;
  Settings settings(loaded.diagnostics);
  if (!request.file.empty()) {
    const auto text = read(request.file);
    if (!text) {
      Diagnostic& diagnostic = loaded.diagnostics.emplace_back();
      diagnostic.place.file = request.file;
      diagnostic.reason =
          text.error().code == Errc::kNotFound ? request.file + " file is missing" : text.error().message;
      diagnostic.remedy = "give the path of a configuration file that this user can read";
      return loaded;
    }
    config.file_text = without_secrets(*text);
    for (Property& property : parse_properties(request.file, *text, loaded.diagnostics))
      settings.add_line(std::move(property.key), std::move(property.value), {request.file, property.line},
                        request.lenient);
  }
  for (const Override& override : request.overrides) settings.add_override(override);
  settings.check();
  Builder(settings, loaded.diagnostics, config).run();
  loaded.log_format = read_log_format(settings);
  read_ensemble(settings, read, request.container, loaded.diagnostics, config);
  if (!config.client && request.container && exit_code(loaded.diagnostics) == 0) {
    config.client = ListenAddress{"", request.container->client_port};
    loaded.diagnostics.push_back(
        {Severity::kNote,
         {"environment", 0},
         "clientPort",
         fmt::format("not set; {} is used, as in the container image", request.container->client_port),
         "",
         0});
  }
  if (!config.client)
    loaded.diagnostics.push_back({Severity::kWarning,
                                  {config.file, 0},
                                  "clientPort",
                                  "not set: no client can connect to this server",
                                  "add, for example, clientPort=2181",
                                  0});
  if (exit_code(loaded.diagnostics) == 0) loaded.config = std::move(config);
  return loaded;
}

Result<std::vector<Override>> overrides_from_arguments(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments.size() > 4)
    return Error{
        Errc::kInvalidInput,
        fmt::format("Invalid number of arguments:{}; give FILE, or PORT DATADIR [TICKTIME [MAXCNXNS]]",
                    arguments.size())};
  static constexpr std::array<std::string_view, 4> kKeys{"clientPort", "dataDir", "tickTime",
                                                         "maxClientCnxns"};
  std::vector<Override> overrides{{"maxClientCnxns", "0", {"command line", 0}}};
  for (std::size_t i = 0; i < arguments.size(); ++i)
    overrides.push_back({std::string(kKeys[i]), arguments[i], {"command line", 0}});
  return overrides;
}

}  // namespace wk::config
