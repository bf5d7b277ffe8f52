#include "exporter/model/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace wk::exporter {

const char* name(Probe probe) {
  switch (probe) {
    case Probe::kMntr:
      return "mntr";
    case Probe::kAdminMonitor:
      return "admin_monitor";
    case Probe::kPrometheus:
      return "prometheus";
    case Probe::kSrvr:
      return "srvr";
    case Probe::kRuok:
      return "ruok";
    case Probe::kIsro:
      return "isro";
    case Probe::kConf:
      return "conf";
    case Probe::kCons:
      return "cons";
    case Probe::kDirs:
      return "dirs";
    case Probe::kWchs:
      return "wchs";
    case Probe::kHash:
      return "hash";
    case Probe::kAdminConfiguration:
      return "admin_configuration";
    case Probe::kAdminVotingView:
      return "admin_voting_view";
    case Probe::kAdminConnections:
      return "admin_connections";
    case Probe::kAdminZabstate:
      return "admin_zabstate";
    case Probe::kAdminDirs:
      return "admin_dirs";
    case Probe::kAdminWatchSummary:
      return "admin_watch_summary";
    case Probe::kAdminHash:
      return "admin_hash";
    case Probe::kAdminServerStats:
      return "admin_server_stats";
  }
  return "unknown";
}

bool is_status_source(Probe probe) {
  return probe == Probe::kMntr || probe == Probe::kAdminMonitor || probe == Probe::kPrometheus ||
         probe == Probe::kSrvr;
}

const char* name(SourceState state) {
  switch (state) {
    case SourceState::kOk:
      return "ok";
    case SourceState::kNotTried:
      return "not_tried";
    case SourceState::kUnresolved:
      return "unresolved";
    case SourceState::kRefused:
      return "refused";
    case SourceState::kUnreachable:
      return "unreachable";
    case SourceState::kTimedOut:
      return "timed_out";
    case SourceState::kTlsFailure:
      return "tls_failure";
    case SourceState::kClosed:
      return "closed";
    case SourceState::kNotWhitelisted:
      return "not_whitelisted";
    case SourceState::kNotServing:
      return "not_serving";
    case SourceState::kTruncated:
      return "truncated";
    case SourceState::kTooLarge:
      return "too_large";
    case SourceState::kMalformed:
      return "malformed";
    case SourceState::kHttpError:
      return "http_error";
  }
  return "unknown";
}

namespace {

bool is_http(Probe probe) {
  switch (probe) {
    case Probe::kAdminMonitor:
    case Probe::kPrometheus:
    case Probe::kAdminConfiguration:
    case Probe::kAdminVotingView:
    case Probe::kAdminConnections:
    case Probe::kAdminZabstate:
    case Probe::kAdminDirs:
    case Probe::kAdminWatchSummary:
    case Probe::kAdminHash:
    case Probe::kAdminServerStats:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string remedy_of(SourceState state, Probe probe) {
  const bool http = is_http(probe);
  switch (state) {
    case SourceState::kOk:
    case SourceState::kNotTried:
      return {};
    case SourceState::kUnresolved:
      return "Check the host name in the exporter's configuration and the resolver of the exporter's host.";
    case SourceState::kRefused:
      if (http)
        return "Nothing listens on that HTTP port: switch the endpoint on in zoo.cfg "
               "(admin.enableServer=true, or "
               "metricsProvider.className for Prometheus) or correct admin_port / prometheus_port.";
      return "Nothing listens on the client port: start the server, or correct the address; while a member "
             "recovers its "
             "data it does not listen yet.";
    case SourceState::kUnreachable:
      return "Check routes and firewalls between the exporter and this member.";
    case SourceState::kTimedOut:
      return fmt::format(
          "The host drops the packets or the process hangs: check firewalls, whether the process is "
          "stopped or in a long pause, and the disk it waits for{}.",
          http ? "" : "; or the port speaks TLS and the exporter is not told so");
    case SourceState::kTlsFailure:
      return "Check that this port speaks TLS, that ca_file signs the member's certificate, that its names "
             "match the "
             "address, and that it has not expired.";
    case SourceState::kClosed:
      if (probe != Probe::kMntr && probe != Probe::kSrvr && !http)
        return fmt::format(
            "The member closed the connection without an answer: it does not know {} (older versions "
            "and other implementations lack words), or its connection limit is reached.",
            name(probe));
      return "The member closed the connection without an answer: usually maxClientCnxns for the exporter's "
             "address or "
             "maxCnxns is reached, or the port speaks TLS and the exporter does not.";
    case SourceState::kNotWhitelisted:
      return fmt::format(
          "Add {} to 4lw.commands.whitelist in zoo.cfg (for example "
          "4lw.commands.whitelist=mntr,srvr,ruok,isro,conf,cons,dirs,wchs,hash) and restart the member, "
          "or switch AdminServer or the Prometheus provider on.",
          name(probe));
    case SourceState::kNotServing:
      return "The process runs but is not in a quorum: look at the ensemble's problems first, then at this "
             "member's log "
             "and its connections to the election and quorum ports of the others.";
    case SourceState::kTruncated:
      return "The answer ended in the middle: the member is starved of CPU or something between cuts "
             "connections.";
    case SourceState::kTooLarge:
      return "The answer passed the exporter's limit: check that this is a ZooKeeper port; for cons, the "
             "member has very "
             "many connections.";
    case SourceState::kMalformed:
      return "The answer is not ZooKeeper's: check that host and port belong to a ZooKeeper client port (or "
             "AdminServer).";
    case SourceState::kHttpError:
      return "The HTTP endpoint answered with an error: check admin_command_url, and the member's log.";
  }
  return {};
}

const char* name(Implementation implementation) {
  switch (implementation) {
    case Implementation::kUnknown:
      return "unknown";
    case Implementation::kApache:
      return "apache";
    case Implementation::kWatchkeeper:
      return "watchkeeper";
    case Implementation::kClickHouseKeeper:
      return "clickhouse_keeper";
    case Implementation::kRaftKeeper:
      return "raftkeeper";
  }
  return "unknown";
}

const char* name(Role role) {
  switch (role) {
    case Role::kUnknown:
      return "unknown";
    case Role::kLeader:
      return "leader";
    case Role::kFollower:
      return "follower";
    case Role::kObserver:
      return "observer";
    case Role::kStandalone:
      return "standalone";
    case Role::kReadOnly:
      return "read_only";
  }
  return "unknown";
}

const char* name(ZabPhase phase) {
  switch (phase) {
    case ZabPhase::kUnknown:
      return "unknown";
    case ZabPhase::kElection:
      return "election";
    case ZabPhase::kDiscovery:
      return "discovery";
    case ZabPhase::kSynchronization:
      return "synchronization";
    case ZabPhase::kBroadcast:
      return "broadcast";
  }
  return "unknown";
}

Measurement::Measurement(const ZkMetric* of, std::string_view key, double number)
    : metric(of), number_(number) {
  WK_CHECK(!std::isnan(number), "a measurement that is no number");
  if (!key.empty())
    more_ = std::make_shared<const More>(More{std::make_unique<const std::string>(key), SummaryValue{}});
}

Measurement::Measurement(const ZkMetric* of, std::string_view key, SummaryValue summary)
    : metric(of), number_(std::numeric_limits<double>::quiet_NaN()) {
  More more{nullptr, std::move(summary)};
  if (!key.empty()) more.key = std::make_unique<const std::string>(key);
  more_ = std::make_shared<const More>(std::move(more));
}

std::string_view Measurement::key() const {
  return more_ && more_->key ? std::string_view(*more_->key) : std::string_view();
}

const double* Measurement::number() const { return std::isnan(number_) ? nullptr : &number_; }

const SummaryValue* Measurement::summary() const { return std::isnan(number_) ? &more_->summary : nullptr; }

void Measurement::share_with(const Measurement& other) {
  if (more_ && other.more_ && key() == other.key() && more_->summary == other.more_->summary)
    more_ = other.more_;
}

namespace {

const Measurement* find(const std::vector<Measurement>& measurements, std::string_view metric_name) {
  const auto at =
      std::lower_bound(measurements.begin(), measurements.end(), metric_name,
                       [](const Measurement& m, std::string_view wanted) { return m.metric->name < wanted; });
  return at != measurements.end() && at->metric->name == metric_name && at->key().empty() ? &*at : nullptr;
}

}  // namespace

std::optional<double> StatusAnswer::number(std::string_view metric_name) const {
  const Measurement* found = find(measurements, metric_name);
  const double* number = found == nullptr ? nullptr : found->number();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

const SummaryValue* StatusAnswer::summary(std::string_view metric_name) const {
  const Measurement* found = find(measurements, metric_name);
  return found == nullptr ? nullptr : found->summary();
}

std::optional<std::string_view> ConfigurationAnswer::entry(std::string_view key) const {
  const auto at =
      std::lower_bound(entries.begin(), entries.end(), key,
                       [](const auto& row, std::string_view wanted) { return row.first < wanted; });
  if (at == entries.end() || at->first != key) return std::nullopt;
  return at->second;
}

std::optional<std::int64_t> ConfigurationAnswer::entry_number(std::string_view key) const {
  const auto text = entry(key);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

}  // namespace wk::exporter
