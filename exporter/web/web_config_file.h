// The web configuration in force: follows changes of the file and of the certificates that it names.
//
// A change is noticed by modification time, size or inode, looked at no more than once a second. A broken
// new version is reported once and the last good one stays in force; it is tried again each ten seconds,
// since it may name a file that is yet to come. Differs: the exporter-toolkit turns authentication off when
// the file on disk loses its users (also for the instant that an editor leaves it empty). Here TLS and
// authentication (passwords, and client certificates that are required), once on, are turned off by a restart
// only. Thread: any; one mutex, held while files are read.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "exporter/web/tls_context.h"
#include "exporter/web/web_config.h"

namespace wk::exporter {

struct ActiveWebConfig {
  WebConfig config;
  std::shared_ptr<TlsContext> tls;  ///< null = plain HTTP
};

/// Reads `path` and makes the TLS context that it describes: all that a start needs of it.
/// \return  as load_web_config and TlsContext::make
Result<std::shared_ptr<const ActiveWebConfig>> load_active_web_config(const std::filesystem::path& path);

struct WebConfigReloads {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;  ///< further attempts that fail for the same reason are not counted
};

class WebConfigFile {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kCheckInterval{1};
  static constexpr std::chrono::seconds kRetryInterval{10};

  /// Loads `path`, which must be good at start, and logs its warnings. \return as load_active_web_config
  static Result<std::unique_ptr<WebConfigFile>> open(std::filesystem::path path, TimePoint now);

  /// The configuration in force at `now`; never null. Reads the file when it changed.
  std::shared_ptr<const ActiveWebConfig> current(TimePoint now);

  [[nodiscard]] WebConfigReloads reloads() const;

 private:
  /// What tells one version of a file from another; all zero for a file that is not there.
  struct Stamp {
    std::int64_t modified_s = 0;
    std::int64_t modified_ns = 0;
    std::int64_t size = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  explicit WebConfigFile(std::filesystem::path path) : path_(std::move(path)) {}

  static Stamp stamp_of(const std::filesystem::path& path);
  static std::vector<Stamp> stamps_of(const std::vector<std::filesystem::path>& files);
  void reload();

  const std::filesystem::path path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const ActiveWebConfig> active_;  ///< under mutex_
  std::vector<Stamp> stamps_;  ///< under mutex_; of active_->config.files at the last attempt
  TimePoint next_check_;       ///< under mutex_
  TimePoint next_retry_;       ///< under mutex_; matters while fault_ is set
  std::string fault_;          ///< under mutex_; why the last attempt failed, empty when it did not
  WebConfigReloads reloads_;   ///< under mutex_
};

}  // namespace wk::exporter
