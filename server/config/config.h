// The configuration of one member as values with units: what zoo.cfg, overrides and environment come to.
//
// Every default is Apache's unless a `Differs:` says otherwise. Reference: reference/configuration.md.
// Thread: any; plain values, constant after start.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ensemble_name.h"
#include "base/ids.h"

namespace wk::config {

/// Where to listen. An empty host is every address, IPv4 and IPv6.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;  ///< 0 = any free port
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

enum class PeerRole : std::uint8_t { kParticipant, kObserver };

/// One of the addresses of a `server.N` line. IPv6 addresses without brackets.
struct PeerAddress {
  std::string host;
  std::uint16_t quorum_port = 0;
  std::uint16_t election_port = 0;
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

/// `server.N=host:quorumPort:electionPort[:role][;[clientHost:]clientPort]`, addresses separated by `|`.
struct ServerLine {
  ServerId id;
  std::vector<PeerAddress> addresses;  ///< not empty
  PeerRole role = PeerRole::kParticipant;
  std::optional<ListenAddress> client;
};

/// What makes a member one of several.
struct Ensemble {
  std::vector<ServerLine> servers;  ///< by id
  std::map<std::int64_t, std::vector<ServerId>> groups;
  std::map<std::int64_t, std::int64_t> weights;  ///< by server id; 1 for servers that are not here
  bool hierarchical = false;
  std::int64_t version = 0;  ///< of the membership
  std::string dynamic_file;
  int init_limit = 0;  ///< ticks
  int sync_limit = 0;  ///< ticks
  PeerRole role = PeerRole::kParticipant;
  bool standalone_enabled = true;
  bool reconfig_enabled = false;
  bool listen_on_all_ips = false;
};

enum class SnapshotCompression : std::uint8_t { kNone, kGzip, kSnappy };

struct Storage {
  std::string data_dir;                  ///< as java.io.File writes it, without `version-2`
  std::string data_log_dir;              ///< the same as data_dir unless configured
  std::int64_t preallocate_kib = 65536;  ///< step by which log files grow; at most 0: not at all
  int snapshot_count = 100'000;          ///< transactions between snapshots (randomised), at least 2
  std::int64_t snapshot_size_limit_kib = 4'194'304;  ///< log bytes between snapshots; at most 0: no limit
  std::int64_t log_size_limit_kib = -1;              ///< of one log file; negative: no limit
  bool force_sync = true;
  std::chrono::milliseconds fsync_warning_threshold{1000};
  SnapshotCompression compression = SnapshotCompression::kNone;
  bool trust_empty_snapshot = false;
  bool serialize_last_processed_zxid = true;
  bool create_directories = true;  ///< datadir.autocreate
  bool create_database = true;     ///< db.autocreate: an empty folder is a new database
  int snapshots_to_retain = 3;
  std::chrono::hours purge_interval{0};  ///< 0 = never
};

struct Sessions {
  std::chrono::milliseconds timeout_min{6000};
  std::chrono::milliseconds timeout_max{60000};
};

struct Containers {
  std::chrono::milliseconds check_interval{60'000};
  int max_per_minute = 10'000;
  std::chrono::milliseconds max_never_used{0};  ///< 0 = such containers stay
};

struct Authentication {
  bool digest_enabled = true;
  std::string digest_algorithm = "SHA1";
  std::string super_digest;  ///< "super:BASE64", empty = no super user
  bool skip_acl = false;
};

struct ClientLimits {
  int max_connections_per_address = 60;        ///< 0 = unlimited
  int max_connections = 0;                     ///< 0 = unlimited
  int global_outstanding = 1000;               ///< requests in process
  std::int32_t max_request_bytes = 1'048'575;  ///< jute.maxbuffer
  /// jute.maxbuffer.extrasize: what stands on disk may be longer than a request by this much.
  std::int32_t extra_stored_bytes = 1'048'575;
  std::chrono::milliseconds sessionless_timeout{10'000};
  int listen_backlog = -1;  ///< -1 = the system's choice
  bool tcp_keep_alive = false;
};

/// The HTTP listener for /metrics, the page and the probes.
struct Http {
  std::string host = "0.0.0.0";
  std::uint16_t port = 7000;
  /// False when the operator never mentioned it: then a port that is taken is a warning, not the end.
  bool asked_for = false;
};

/// Path under which the AdminServer's commands are.
inline constexpr const char* kCommandUrl = "/commands";

/// An HTTP listener for the AdminServer's commands alone, beside those of Http.
struct Admin {
  std::string host = "0.0.0.0";
  std::uint16_t port = 8080;
  std::string command_url = kCommandUrl;  ///< begins with a slash and does not end with one
  std::chrono::milliseconds idle_timeout{30'000};
};

/// Names of metrics on /metrics.
struct MetricFamilies {
  bool native = true;
  bool zk = true;            ///< of the widespread exporter
  bool zookeeper39 = false;  ///< of Apache's own provider in 3.9
};

struct Config {
  std::string file;  ///< empty when there is none
  /// The text of that file with the values of secrets replaced by "***", for those who may read only.
  std::optional<std::string> file_text;
  std::chrono::milliseconds tick_time{3000};
  std::optional<ListenAddress> client;  ///< absent = no client can connect
  std::optional<ServerId> my_id;        ///< absent = standalone
  ClientLimits limits;
  Sessions sessions;
  Storage storage;
  Containers containers;
  Authentication authentication;
  bool extended_types = false;      ///< TTL nodes
  bool digest = true;               ///< digests of the tree
  bool close_session_paths = true;  ///< closeSessionTxn.enabled
  /// Four-letter words that are answered; "srvr" is always among them.
  /// Differs: without a whitelist the cheap ones that only read are on, not srvr alone.
  std::vector<std::string> four_letter_words;
  std::optional<Http> http;  ///< absent = off
  MetricFamilies metric_families;
  bool observe = true;  ///< false: nothing is published, over HTTP or into the flight recorder
  /// Apache's Prometheus provider is configured: mntr prints what that provider dumps.
  bool prometheus_provider = false;
  std::optional<Admin> admin;  ///< absent = off
  /// watchkeeper.ensemble: what this server's ensemble is called where it tells of itself. A key of our own.
  std::string ensemble_name{kDefaultEnsembleName};
  /// watchkeeper.slowRequestMs: requests that take as long are logged; 0 = none. A key of our own.
  std::chrono::milliseconds slow_request{1'000};
  Ensemble ensemble;

  /// More than one voter, or a single one with standaloneEnabled=false: the quorum protocol is needed.
  bool distributed = false;
};

}  // namespace wk::config
