#include "server/node/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exporter/model/internals.h"
#include "exporter/sources/version.h"
#include "server/node/internals.h"
#include "server/node/words.h"

namespace wk::node {
namespace {

using exporter::Probe;
using exporter::ProbeReport;
using exporter::SourceState;

ProbeReport report(Probe probe, exporter::Answer answer) {
  return {
      .probe = probe, .state = SourceState::kOk, .detail = "", .duration = {}, .answer = std::move(answer)};
}

}  // namespace

Observer::Observer(const config::Config& config, std::string data_dir, std::string log_dir,
                   const RestoreFacts& restored, const replica::Replica& replica, const net::ClientPort& port,
                   const NodeStats& stats, const Surroundings& surroundings, const Surveys& surveys)
    : config_(config),
      data_dir_(std::move(data_dir)),
      log_dir_(std::move(log_dir)),
      restored_(restored),
      replica_(replica),
      port_(port),
      stats_(stats),
      surroundings_(surroundings),
      surveys_(surveys),
      standouts_(replica, surveys),
      limits_({config.limits, replica, port, surroundings, surveys}) {}

bool Observer::due(std::chrono::steady_clock::time_point now) const { return now - published_ >= kInterval; }

void Observer::publish(const Moment& now, std::uint64_t words) {
  published_ = now.steady;
  if (!receiver_) return;
  exporter::PollReport visit;
  visit.started = now;
  visit.probes.push_back(report(Probe::kMntr, status(now, words)));
  visit.probes.push_back(report(Probe::kRuok, exporter::RuokAnswer{true}));
  visit.probes.push_back(report(Probe::kIsro, exporter::IsroAnswer{exporter::IsroAnswer::Mode::kReadWrite}));
  if (detailed_ == std::chrono::steady_clock::time_point{} || now.steady - detailed_ >= kDetailInterval) {
    detailed_ = now.steady;
    visit.probes.push_back(report(Probe::kConf, configuration()));
    if (surveys_.connections().state().finished) visit.probes.push_back(report(Probe::kCons, connections()));
    visit.probes.push_back(report(Probe::kDirs, exporter::DirsAnswer{surroundings_.snapshot_folder_bytes,
                                                                     surroundings_.log_folder_bytes}));
    visit.probes.push_back(report(Probe::kWchs, watches()));
    visit.probes.push_back(report(Probe::kHash, digests()));
    newest_limits_ = limits_.look(now);
  }
  const std::size_t reply_bytes_max = static_cast<std::size_t>(config_.limits.max_request_bytes);
  auto inside = internals({replica_, port_, stats_, surroundings_, reply_bytes_max}, now);
  standouts_.copy(now, *inside);
  inside->limits = newest_limits_;
  if (!config_.client)
    inside->serves_nobody = "has no client port, so that no client can connect: set clientPort";
  visit.internals = std::move(inside);
  visit.finished = Moment::now();
  receiver_(std::move(visit));
}

std::string Observer::mntr(const Moment& now, std::uint64_t words) const {
  std::string text = mntr_text(version_text(), "standalone", measurements(sources(words), now));
  const session::ExpiryQueue::Occupancy expiry = replica_.sessions().expiry_occupancy();
  // Beyond Apache's: the moments at which sessions would expire, and the most crowded of them.
  fmt::format_to(std::back_inserter(text),
                 "zk_session_expiry_buckets\t{}\nzk_session_expiry_bucket_max\t{}\n", expiry.buckets,
                 expiry.most);
  return text;
}

MeasurementSources Observer::sources(std::uint64_t words) const {
  return {replica_, port_, stats_, restored_, surroundings_, words};
}

exporter::StatusAnswer Observer::status(const Moment& now, std::uint64_t words) const {
  exporter::StatusAnswer answer;
  answer.implementation = exporter::Implementation::kWatchkeeper;
  answer.version = exporter::short_version(version_text());
  answer.role = exporter::Role::kStandalone;
  answer.zxid = replica_.last_applied();
  answer.measurements = measurements(sources(words), now);
  return answer;
}

exporter::ConfigurationAnswer Observer::configuration() const {
  exporter::ConfigurationAnswer answer;
  answer.entries = {{"clientPort", std::to_string(config_.client ? port_.bound() : -1)},
                    {"dataDir", data_dir_},
                    {"dataLogDir", log_dir_},
                    {"maxClientCnxns", std::to_string(config_.limits.max_connections_per_address)},
                    {"maxSessionTimeout", std::to_string(config_.sessions.timeout_max.count())},
                    {"minSessionTimeout", std::to_string(config_.sessions.timeout_min.count())},
                    {"tickTime", std::to_string(config_.tick_time.count())}};
  answer.server_id = ServerId{0};
  return answer;
}

exporter::ConnectionsAnswer Observer::connections() const {
  exporter::ConnectionsAnswer answer;
  answer.total = port_.connections();
  answer.with_session = surveys_.connections().found().with_session;
  answer.busiest = surveys_.connections().found().busiest;
  using Entry = std::pair<const std::string, int>;
  std::vector<const Entry*> addresses;
  addresses.reserve(port_.by_address().size());
  for (const Entry& entry : port_.by_address()) addresses.push_back(&entry);
  const auto shown = std::min(addresses.size(), exporter::ConnectionsAnswer::kAddressLimit);
  std::ranges::partial_sort(addresses, addresses.begin() + static_cast<std::ptrdiff_t>(shown), std::greater{},
                            [](const Entry* entry) { return entry->second; });
  for (const Entry* entry : std::span(addresses).first(shown))
    answer.by_address.emplace_back(entry->first, entry->second);
  return answer;
}

exporter::WatchesAnswer Observer::watches() const {
  const tree::WatchCounts counts = replica_.watches().counts(tree::WatchKind::kData);
  return {counts.connections, counts.paths, counts.watches};
}

exporter::DigestsAnswer Observer::digests() const {
  exporter::DigestsAnswer answer;
  const auto& kept = replica_.digests().entries();
  const std::size_t count = std::min<std::size_t>(kept.size(), exporter::DigestsAnswer::kLimit);
  for (auto one = kept.end() - static_cast<std::ptrdiff_t>(count); one != kept.end(); ++one)
    answer.digests.push_back({one->zxid, one->digest});
  return answer;
}

}  // namespace wk::node
