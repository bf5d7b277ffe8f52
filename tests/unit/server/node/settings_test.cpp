#include "server/node/settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace wk::node {
namespace {

using std::chrono::milliseconds;

TEST(NodeSettings, DefaultsAreApaches) {
  const config::Config config;
  const auto settings = replica_settings(config, {1, 2});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->hash_seed, 1U);
  EXPECT_EQ(settings->random_seed, 2U);
  EXPECT_EQ(settings->tick, milliseconds{3000});
  EXPECT_EQ(settings->global_outstanding_limit, 1000U);
  EXPECT_EQ(settings->snap_count, 100'000U);
  EXPECT_EQ(settings->snap_size_bytes, std::optional<std::uint64_t>(4'194'304ULL << 10));
  EXPECT_TRUE(settings->operations.digest);
  EXPECT_EQ(settings->operations.max_string_bytes, 2 * 1'048'575U);

  const net::ClientPortLimits limits = client_port_limits(config);
  EXPECT_EQ(limits.connections_per_address, 60);
  EXPECT_EQ(limits.connections, 0);
  EXPECT_EQ(limits.request_bytes, 1'048'575);
  EXPECT_EQ(limits.unasked_timeout, milliseconds{10'000});

  const storage::TransactionLogSettings log = log_settings(config);
  EXPECT_EQ(log.preallocation_bytes, 64ULL << 20);
  EXPECT_EQ(log.file_bytes_max, std::nullopt);
  EXPECT_TRUE(log.force_sync);
  EXPECT_EQ(log.payload_bytes_max, 2 * 1'048'575U);
  EXPECT_EQ(log_read_options(config).payload_bytes_max, 2 * 1'048'575U);
  EXPECT_FALSE(log_read_options(config).accept_loss);
  EXPECT_EQ(snapshot_compression(config), storage::Compression::kNone);
}

TEST(NodeSettings, ValuesReachTheirLibrary) {
  config::Config config;
  config.my_id = ServerId{7};
  config.tick_time = milliseconds{500};
  config.sessions = {milliseconds{1000}, milliseconds{9000}};
  config.limits.global_outstanding = 5;
  config.limits.max_connections_per_address = 3;
  config.limits.max_connections = 9;
  config.limits.max_request_bytes = 4096;
  config.limits.extra_stored_bytes = 1024;
  config.limits.listen_backlog = 17;
  config.limits.tcp_keep_alive = true;
  config.storage.snapshot_count = 11;
  config.storage.log_size_limit_kib = 32;
  config.storage.preallocate_kib = 64;
  config.storage.force_sync = false;
  config.storage.compression = config::SnapshotCompression::kSnappy;
  config.storage.data_dir = "/data";
  config.storage.data_log_dir = "/log";
  config.storage.create_directories = false;
  config.extended_types = true;
  config.digest = false;
  config.authentication.skip_acl = true;
  const auto settings = replica_settings(config, {});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->server, ServerId{7});
  EXPECT_EQ(settings->tick, milliseconds{500});
  EXPECT_EQ(settings->global_outstanding_limit, 5U);
  EXPECT_EQ(settings->snap_count, 11U);
  EXPECT_TRUE(settings->owners.extended_types);
  EXPECT_FALSE(settings->operations.digest);
  EXPECT_EQ(settings->operations.max_string_bytes, 5120U);
  const net::ClientPortLimits limits = client_port_limits(config);
  EXPECT_EQ(limits.connections_per_address, 3);
  EXPECT_EQ(limits.connections, 9);
  EXPECT_EQ(limits.request_bytes, 4096);
  EXPECT_EQ(limits.listen_backlog, 17);
  EXPECT_TRUE(limits.tcp_keep_alive);
  const storage::TransactionLogSettings log = log_settings(config);
  EXPECT_EQ(log.preallocation_bytes, 64ULL << 10);
  EXPECT_EQ(log.payload_bytes_max, 5120U);
  EXPECT_EQ(log.file_bytes_max, std::optional<std::uint64_t>(32ULL << 10));
  EXPECT_FALSE(log.force_sync);
  config.storage.log_size_limit_kib = 0;
  EXPECT_EQ(log_settings(config).file_bytes_max, std::nullopt) << "as in Apache, 0 is no limit";
  EXPECT_EQ(snapshot_compression(config), storage::Compression::kSnappy);
  const storage::DataDirectorySettings directories = directory_settings(config);
  EXPECT_EQ(directories.data_dir, "/data");
  EXPECT_EQ(directories.data_log_dir, "/log");
  EXPECT_FALSE(directories.create_missing);
}

TEST(NodeSettings, FoldersAreAbsoluteAndNotNormalised) {
  config::Config config;
  config.storage.data_dir = "./data";
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(directory_settings(config).data_dir, here + "/./data");
  EXPECT_EQ(directory_settings(config).data_log_dir, "");
  config.storage.data_log_dir = "logs";
  EXPECT_EQ(directory_settings(config).data_log_dir, here + "/logs");
  config.storage.data_dir = "/var/lib/zookeeper";
  EXPECT_EQ(directory_settings(config).data_dir, "/var/lib/zookeeper");
}

TEST(NodeSettings, SizesThatTurnALimitOff) {
  config::Config config;
  config.storage.snapshot_size_limit_kib = 0;  // Apache's server ends with this (C6); here it means off.
  config.storage.preallocate_kib = -1;
  EXPECT_EQ(replica_settings(config, {})->snap_size_bytes, std::nullopt);
  EXPECT_EQ(log_settings(config).preallocation_bytes, 0U);
  config.storage.snapshot_size_limit_kib = -1;
  EXPECT_EQ(replica_settings(config, {})->snap_size_bytes, std::nullopt);
}

TEST(NodeSettings, UnknownDigestAlgorithmIsAnError) {
  config::Config config;
  config.authentication.digest_algorithm = "NO-SUCH-DIGEST";
  const auto settings = replica_settings(config, {});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Errc::kNotFound);
  EXPECT_NE(settings.error().message.find("NO-SUCH-DIGEST"), std::string::npos);
}

TEST(NodeSettings, SeedsDiffer) {
  const Seeds one = Seeds::random_ones(), two = Seeds::random_ones();
  EXPECT_NE(one.hash, two.hash);
  EXPECT_NE(one.random, two.random);
  EXPECT_NE(one.hash, one.random);
}

}  // namespace
}  // namespace wk::node
