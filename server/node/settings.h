// From the configuration to what each library wants to know.
//
// Thread: start-up. Pure but for random().
#pragma once

#include <cstddef>

#include "base/error.h"
#include "server/config/config.h"
#include "server/net/client_port.h"
#include "server/replica/settings.h"
#include "server/storage/data_directories.h"
#include "server/storage/file_names.h"
#include "server/storage/log_reader.h"
#include "server/storage/transaction_log.h"

namespace wk::node {

/// Seeds that clients must not guess.
struct Seeds {
  std::uint64_t hash = 0;
  std::uint64_t random = 0;

  static Seeds random_ones();
};

/// Errc::kNotFound when the digest algorithm is not available.
Result<replica::Settings> replica_settings(const config::Config& config, const Seeds& seeds);
net::ClientPortLimits client_port_limits(const config::Config& config);
/// Folders are absolute, as `conf` and the log tell them. Source: ZooKeeperServer.java, getConf().
storage::DataDirectorySettings directory_settings(const config::Config& config);
storage::TransactionLogSettings log_settings(const config::Config& config);
storage::LogReadOptions log_read_options(const config::Config& config);
storage::Compression snapshot_compression(const config::Config& config);
/// Longest field of a snapshot: jute.maxbuffer and its extra size.
std::size_t stored_bytes_max(const config::Config& config);

}  // namespace wk::node
