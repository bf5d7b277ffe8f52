#include "server/node/settings.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <system_error>
#include <utility>

namespace wk::node {
namespace {

/// As Java's File.getAbsolutePath(): the working directory before a relative path, and nothing is normalised.
std::string absolute(const std::string& path) {
  if (path.empty()) return path;
  std::error_code unknown;
  const std::filesystem::path found = std::filesystem::absolute(path, unknown);
  return unknown ? path : found.string();
}

}  // namespace

Seeds Seeds::random_ones() {
  std::random_device device;
  const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
  return {word(), word()};
}

Result<replica::Settings> replica_settings(const config::Config& config, const Seeds& seeds) {
  replica::Settings settings;
  if (config.my_id) settings.server = *config.my_id;
  settings.tick = config.tick_time;
  settings.timeouts = {config.sessions.timeout_min, config.sessions.timeout_max};
  settings.global_outstanding_limit = static_cast<std::size_t>(std::max(0, config.limits.global_outstanding));
  settings.snap_count = static_cast<std::uint64_t>(config.storage.snapshot_count);
  settings.snap_size_bytes =
      config.storage.snapshot_size_limit_kib > 0
          ? std::optional(static_cast<std::uint64_t>(config.storage.snapshot_size_limit_kib) * 1024)
          : std::nullopt;
  settings.random_seed = seeds.random;
  settings.hash_seed = seeds.hash;
  settings.container_check_interval = config.containers.check_interval;
  settings.container_max_per_minute = static_cast<std::uint32_t>(config.containers.max_per_minute);
  settings.container_max_never_used = config.containers.max_never_used;
  settings.slow_request = config.slow_request;
  settings.owners.extended_types = config.extended_types;
  txn::Settings& operations = settings.operations;
  operations.acl = {config.authentication.skip_acl, config.authentication.digest_enabled};
  operations.digest = config.digest;
  operations.reconfig = config.ensemble.reconfig_enabled;
  operations.close_session_paths = config.close_session_paths;
  operations.max_string_bytes = stored_bytes_max(config);
  auto authentication = session::Authentication::create({config.authentication.digest_enabled,
                                                         config.authentication.digest_algorithm,
                                                         config.authentication.super_digest});
  if (!authentication) return std::move(authentication).error();
  settings.authentication = *std::move(authentication);
  return settings;
}

net::ClientPortLimits client_port_limits(const config::Config& config) {
  const config::ClientLimits& limits = config.limits;
  return {.connections_per_address = limits.max_connections_per_address,
          .connections = limits.max_connections,
          .request_bytes = limits.max_request_bytes,
          .unasked_timeout = limits.sessionless_timeout,
          .listen_backlog = limits.listen_backlog,
          .tcp_keep_alive = limits.tcp_keep_alive};
}

storage::DataDirectorySettings directory_settings(const config::Config& config) {
  return {absolute(config.storage.data_dir), absolute(config.storage.data_log_dir),
          config.storage.create_directories};
}

storage::TransactionLogSettings log_settings(const config::Config& config) {
  const config::Storage& storage = config.storage;
  return {.preallocation_bytes =
              storage.preallocate_kib > 0 ? static_cast<std::uint64_t>(storage.preallocate_kib) * 1024 : 0,
          .file_bytes_max = storage.log_size_limit_kib > 0
                                ? std::optional(static_cast<std::uint64_t>(storage.log_size_limit_kib) * 1024)
                                : std::nullopt,
          .payload_bytes_max = stored_bytes_max(config),
          .force_sync = storage.force_sync};
}

storage::LogReadOptions log_read_options(const config::Config& config) {
  return {.payload_bytes_max = stored_bytes_max(config), .accept_loss = false};
}

storage::Compression snapshot_compression(const config::Config& config) {
  switch (config.storage.compression) {
    case config::SnapshotCompression::kGzip:
      return storage::Compression::kGzip;
    case config::SnapshotCompression::kSnappy:
      return storage::Compression::kSnappy;
    case config::SnapshotCompression::kNone:
      break;
  }
  return storage::Compression::kNone;
}

std::size_t stored_bytes_max(const config::Config& config) {
  return static_cast<std::size_t>(config.limits.max_request_bytes) +
         static_cast<std::size_t>(config.limits.extra_stored_bytes);
}

}  // namespace wk::node
