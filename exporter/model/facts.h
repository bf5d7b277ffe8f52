// Facts about one member, as its sources told them: plain values, each group with the moment it was learned.
//
// The sources (exporter/sources) produce answers; the poller (exporter/poll) reports them; the view
// (exporter/view) keeps the newest of each kind as MemberFacts. What a source cannot know stays absent, never
// zero. Thread: any; plain values, shared only when immutable.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "exporter/model/optional_number.h"
#include "exporter/model/shared.h"
#include "exporter/model/zk_metric.h"

namespace wk::exporter {

struct ServerInternals;  // exporter/model/internals.h

// ---------------------------------------------------------------------------------------------------------------
// What a member can be asked

/// One question to one surface of a member. The first four can each tell the member's status; the others add
/// detail.
enum class Probe : std::uint8_t {
  kMntr,                ///< four-letter word mntr
  kAdminMonitor,        ///< AdminServer /commands/monitor
  kPrometheus,          ///< the Prometheus provider's /metrics (3.6+)
  kSrvr,                ///< four-letter word srvr (always allowed)
  kRuok,                ///< four-letter word ruok
  kIsro,                ///< four-letter word isro
  kConf,                ///< four-letter word conf
  kCons,                ///< four-letter word cons
  kDirs,                ///< four-letter word dirs
  kWchs,                ///< four-letter word wchs
  kHash,                ///< four-letter word hash: digests of the data tree
  kAdminConfiguration,  ///< AdminServer /commands/configuration
  kAdminVotingView,     ///< AdminServer /commands/voting_view
  kAdminConnections,    ///< AdminServer /commands/connections
  kAdminZabstate,       ///< AdminServer /commands/zabstate (answers while looking)
  kAdminDirs,           ///< AdminServer /commands/dirs
  kAdminWatchSummary,   ///< AdminServer /commands/watch_summary
  kAdminHash,           ///< AdminServer /commands/hash
  kAdminServerStats,    ///< AdminServer /commands/server_stats: the zxid and the mode that monitor lacks
};
inline constexpr std::size_t kProbeCount = 19;
/// Label value and API name: "mntr", "admin_monitor", "prometheus", …
const char* name(Probe probe);
/// Whether the probe can tell a member's status.
bool is_status_source(Probe probe);

/// What became of one question. Exactly one applies; everything but kOk has a remedy (remedy_of).
enum class SourceState : std::uint8_t {
  kOk,
  kNotTried,        ///< not asked yet, or not needed since another source answers
  kUnresolved,      ///< the host name did not resolve
  kRefused,         ///< nobody listens there
  kUnreachable,     ///< no route to the host
  kTimedOut,        ///< no complete answer before the deadline
  kTlsFailure,      ///< handshake or certificate check failed
  kClosed,          ///< connection closed without an answer (for example the connection limit of an address)
  kNotWhitelisted,  ///< "… is not executed because it is not in the whitelist."
  kNotServing,      ///< "This ZooKeeper instance is not currently serving requests"
  kTruncated,       ///< the answer ended in the middle
  kTooLarge,        ///< the answer passed the limit
  kMalformed,       ///< the answer is not what this surface prints
  kHttpError,       ///< an HTTP status other than 200
};
inline constexpr std::size_t kSourceStateCount = 14;
const char* name(SourceState state);
/// What an operator can do about it, in one sentence; empty for kOk and kNotTried.
std::string remedy_of(SourceState state, Probe probe);

// ---------------------------------------------------------------------------------------------------------------
// Answers

enum class Implementation : std::uint8_t { kUnknown, kApache, kWatchkeeper, kClickHouseKeeper, kRaftKeeper };
const char* name(Implementation implementation);

enum class Role : std::uint8_t { kUnknown, kLeader, kFollower, kObserver, kStandalone, kReadOnly };
inline constexpr std::size_t kRoleCount = 6;
const char* name(Role role);

/// The ZAB phase a member says it is in. kUnknown when its surfaces do not tell.
enum class ZabPhase : std::uint8_t { kUnknown, kElection, kDiscovery, kSynchronization, kBroadcast };
const char* name(ZabPhase phase);

struct Quantile {
  double rank;   ///< 0 < rank < 1, for example 0.99
  double value;  ///< in ZooKeeper's unit of the metric
  friend bool operator==(const Quantile&, const Quantile&) = default;
};

/// The parts of a summary that the source printed, in ZooKeeper's unit.
struct SummaryValue {
  OptionalNumber count, sum, average, minimum, maximum;
  std::vector<Quantile> quantiles;
  friend bool operator==(const SummaryValue&, const SummaryValue&) = default;
};

/// One metric of the dictionary with its value: a summary exactly for the summary kinds, else a number that
/// is never NaN.
///
/// Every member has a few hundred of them in each snapshot, and most are a number without a key: these take
/// 32 bytes and nothing else. What else there is never changes, so that copies share it.
class Measurement {
 public:
  /// \param of   not null; points into zk_metrics()
  /// \param key  empty unless the metric is a set
  Measurement(const ZkMetric* of, std::string_view key, double number);
  Measurement(const ZkMetric* of, std::string_view key, SummaryValue summary);

  const ZkMetric* metric;

  [[nodiscard]] std::string_view key() const;
  /// Null for a summary.
  [[nodiscard]] const double* number() const;
  /// Null for a number.
  [[nodiscard]] const SummaryValue* summary() const;

  /// Takes over what `other` holds if it is the same, so that memory holds it once.
  void share_with(const Measurement& other);

 private:
  struct More {
    std::unique_ptr<const std::string> key;  ///< null when empty
    SummaryValue summary;
  };
  double number_;                     ///< NaN for a summary
  std::shared_ptr<const More> more_;  ///< null for a number without a key
};

/// What mntr, AdminServer's monitor, the Prometheus endpoint or srvr tell.
struct StatusAnswer {
  Implementation implementation = Implementation::kUnknown;
  std::string version;  ///< short: "3.9.5"; empty when not told; printable, at most 64 characters
  Role role = Role::kUnknown;
  ZabPhase phase = ZabPhase::kUnknown;
  std::optional<Zxid> zxid;               ///< last processed, where told (srvr)
  std::vector<Measurement> measurements;  ///< sorted by (metric name, key), unique
  std::vector<std::pair<std::string, double>>
      others;               ///< numeric keys that the dictionary lacks, sorted; bounded
  std::size_t dropped = 0;  ///< values left out because a limit was reached or the value was no number

  /// Plain value of a gauge or counter, absent when the source did not tell it.
  [[nodiscard]] std::optional<double> number(std::string_view metric_name) const;
  /// The summary of that name without key, or nullptr.
  [[nodiscard]] const SummaryValue* summary(std::string_view metric_name) const;
};

struct RuokAnswer {
  bool imok = false;
};

struct IsroAnswer {
  enum class Mode : std::uint8_t { kReadWrite, kReadOnly, kNull } mode = Mode::kNull;
};

/// One `server.N` line of the membership.
struct MembershipEntry {
  ServerId id;
  std::string host;  ///< of the quorum address; the first one of several
  std::uint16_t quorum_port = 0;
  std::uint16_t election_port = 0;
  bool voter = true;           ///< false for observers
  std::string client_address;  ///< "HOST:PORT" of the client port, empty when the line does not tell it
};

/// What conf, or AdminServer's configuration and voting_view, tell.
struct ConfigurationAnswer {
  /// Key as `conf` prints it (clientPort, tickTime, maxClientCnxns, initLimit, …) and its text; sorted;
  /// bounded.
  std::vector<std::pair<std::string, std::string>> entries;
  std::optional<ServerId> server_id;
  std::vector<MembershipEntry> membership;          ///< empty for standalone servers and where not told
  std::optional<std::uint64_t> membership_version;  ///< the hexadecimal `version=` of the membership

  [[nodiscard]] std::optional<std::string_view> entry(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> entry_number(std::string_view key) const;
};

struct ClientConnection {
  std::string address;  ///< of the client, without port
  std::uint16_t port = 0;
  std::optional<SessionId> session;
  std::optional<std::uint64_t> queued, received, sent;
  std::optional<std::chrono::milliseconds> session_timeout, latency_average, latency_maximum;
  std::string last_operation;
};

struct ConnectionsAnswer {
  std::uint64_t total = 0;
  std::uint64_t with_session = 0;
  /// Connections by client address, most first; at most kAddressLimit rows.
  std::vector<std::pair<std::string, std::uint64_t>> by_address;
  /// The busiest connections by packets received, most first; at most kConnectionLimit rows.
  std::vector<ClientConnection> busiest;
  static constexpr std::size_t kAddressLimit = 100;
  static constexpr std::size_t kConnectionLimit = 100;
};

struct DirsAnswer {
  std::optional<std::uint64_t> snapshot_bytes, log_bytes;
};

struct WatchesAnswer {
  std::uint64_t connections = 0, paths = 0, watches = 0;
};

struct Digest {
  Zxid zxid;
  std::uint64_t value = 0;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};
/// Digests of the data tree, one each 128 transactions, oldest first; at most kLimit (the newest are kept).
struct DigestsAnswer {
  std::vector<Digest> digests;
  static constexpr std::size_t kLimit = 512;
};

/// AdminServer's zabstate: the only surface that tells the phase of a member that does not serve.
struct ZabAnswer {
  std::optional<ServerId> my_id;
  std::optional<bool> is_leader, voting;
  std::optional<Zxid> last_zxid;
  ZabPhase phase = ZabPhase::kUnknown;
};

using Answer = std::variant<std::monostate, StatusAnswer, RuokAnswer, IsroAnswer, ConfigurationAnswer,
                            ConnectionsAnswer, DirsAnswer, WatchesAnswer, DigestsAnswer, ZabAnswer>;

// ---------------------------------------------------------------------------------------------------------------
// Reports of the poller

/// One question and what became of it.
struct ProbeReport {
  Probe probe = Probe::kMntr;
  SourceState state = SourceState::kNotTried;
  std::string detail;  ///< for people: the peer's or system's own words, printable, at most 256 characters
  std::chrono::nanoseconds duration{0};
  Answer answer;  ///< monostate unless state is kOk
};

/// One visit to one member.
struct PollReport {
  std::size_t member = 0;  ///< index into the ensemble's targets
  Moment started, finished;
  std::vector<ProbeReport> probes;  ///< in the order they were asked; at least one
  std::string address;              ///< "IP:PORT" of the client port, empty without a connection to it
  std::optional<std::chrono::system_clock::time_point>
      certificate_not_after;  ///< of the member, when TLS was spoken
  /// Of a Watchkeeper server that tells of itself; null in all other reports.
  std::shared_ptr<const ServerInternals> internals;
};

/// A value and when it was learned. What owns memory is shared by all copies: facts are copied with each
/// visit, and most of what they hold stays as it was.
template <typename T>
struct Dated {
  std::conditional_t<std::is_trivially_copyable_v<T>, std::optional<T>, Shared<T>> value;
  Moment at;
};

/// When each part of a configuration was told: a surface may tell some parts only.
struct ConfigurationDates {
  Moment entries, server_id, membership, membership_version;
};

/// The newest of everything that is known of a member. Which probe gave the status is `status_probe`.
struct MemberFacts {
  Dated<StatusAnswer> status;
  Probe status_probe = Probe::kMntr;
  Dated<Zxid> zxid;         ///< from srvr, server_stats or zabstate, whichever is newest
  Dated<Zxid> zxid_before;  ///< what zxid was until the newest visit that told one
  Dated<RuokAnswer> ruok;
  Dated<IsroAnswer> isro;
  Dated<ConfigurationAnswer> configuration;  ///< of the newest answer, its gaps filled from older ones
  ConfigurationDates configuration_dates;    ///< of the parts that are told
  Dated<ConnectionsAnswer> connections;
  Dated<DirsAnswer> dirs;
  Dated<WatchesAnswer> watches;
  Dated<DigestsAnswer> digests;
  Dated<ZabAnswer> zab;
  /// Of the newest visit; null unless the member told it of itself.
  std::shared_ptr<const ServerInternals> internals;
};

}  // namespace wk::exporter
