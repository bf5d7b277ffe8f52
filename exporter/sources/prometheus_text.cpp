#include "exporter/sources/prometheus_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "exporter/sources/mntr.h"
#include "exporter/sources/status_builder.h"

namespace wk::exporter {
namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::size_t kLabelValueLimit = 4096;

struct Sample {
  std::string_view name;
  std::optional<std::string> key;
  std::optional<double> quantile;
  bool other_labels = false;
  double value = 0;
};

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
}

// Everything up to the first of `stops`.
std::string_view take_until(std::string_view& text, std::string_view stops) {
  const std::string_view taken = text.substr(0, text.find_first_of(stops));
  text.remove_prefix(taken.size());
  return taken;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// A label's value behind its opening quote, with \\, \" and \n undone; nothing when the closing quote is
// missing.
std::optional<std::string> take_label_value(std::string_view& text) {
  std::string value;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (value.size() >= kLabelValueLimit) return std::nullopt;
    if (c == '\\' && !text.empty()) {
      value += text.front() == 'n' ? '\n' : text.front();
      text.remove_prefix(1);
    } else {
      value += c;
    }
  }
  return std::nullopt;
}

bool take_labels(std::string_view& text, Sample& sample) {
  while (true) {
    skip_blanks(text);
    if (take(text, '}')) return true;
    const std::string_view label = trimmed(take_until(text, "=}"));
    if (label.empty() || !take(text, '=')) return false;
    skip_blanks(text);
    if (!take(text, '"')) return false;
    auto value = take_label_value(text);
    if (!value) return false;
    if (label == "key") {
      sample.key = std::move(value);
    } else if (label == "quantile") {
      sample.quantile = parse_number(*value);
      if (!sample.quantile) return false;
    } else {
      sample.other_labels = true;
    }
    skip_blanks(text);
    take(text, ',');
  }
}

// NAME[{LABELS}] VALUE, with whatever follows (a timestamp, an exemplar) left unread.
std::optional<Sample> parse_sample(std::string_view line) {
  Sample sample;
  sample.name = take_until(line, " \t{");
  if (sample.name.empty()) return std::nullopt;
  skip_blanks(line);
  if (take(line, '{') && !take_labels(line, sample)) return std::nullopt;
  skip_blanks(line);
  const auto value = parse_number(take_until(line, kBlank));
  if (!value) return std::nullopt;
  sample.value = *value;
  return sample;
}

// ClickHouse Keeper's names, per concept. The second spelling of OutstandingRequests is that of older
// releases.
struct KeeperName {
  std::string_view keeper, zookeeper;
};
constexpr auto kKeeperNames = std::to_array<KeeperName>(
    {{"ClickHouseAsyncMetrics_KeeperApproximateDataSize", "approximate_data_size"},
     {"ClickHouseAsyncMetrics_KeeperAvgLatency", "avg_latency"},
     {"ClickHouseAsyncMetrics_KeeperEphemeralsCount", "ephemerals_count"},
     {"ClickHouseAsyncMetrics_KeeperFollowers", "followers"},
     {"ClickHouseAsyncMetrics_KeeperMaxFileDescriptorCount", "max_file_descriptor_count"},
     {"ClickHouseAsyncMetrics_KeeperMaxLatency", "max_latency"},
     {"ClickHouseAsyncMetrics_KeeperMinLatency", "min_latency"},
     {"ClickHouseAsyncMetrics_KeeperOpenFileDescriptorCount", "open_file_descriptor_count"},
     {"ClickHouseAsyncMetrics_KeeperPacketsReceived", "packets_received"},
     {"ClickHouseAsyncMetrics_KeeperPacketsSent", "packets_sent"},
     {"ClickHouseAsyncMetrics_KeeperSyncedFollowers", "synced_followers"},
     {"ClickHouseAsyncMetrics_KeeperWatchCount", "watch_count"},
     {"ClickHouseAsyncMetrics_KeeperZnodeCount", "znode_count"},
     {"ClickHouseMetrics_KeeperAliveConnections", "num_alive_connections"},
     {"ClickHouseMetrics_KeeperOutstandingRequests", "outstanding_requests"},
     {"ClickHouseMetrics_KeeperOutstandingRequets", "outstanding_requests"}});

struct KeeperRole {
  std::string_view name;
  Role role;
};
constexpr auto kKeeperRoles =
    std::to_array<KeeperRole>({{"ClickHouseAsyncMetrics_KeeperIsLeader", Role::kLeader},
                               {"ClickHouseAsyncMetrics_KeeperIsFollower", Role::kFollower},
                               {"ClickHouseAsyncMetrics_KeeperIsObserver", Role::kObserver},
                               {"ClickHouseAsyncMetrics_KeeperIsStandalone", Role::kStandalone}});

// What a ClickHouse endpoint has told so far, beyond the numbers.
struct KeeperSigns {
  bool seen = false;
  std::size_t roles = 0;
};

// Zxids beyond this are not exact as the doubles that the text carries.
constexpr double kExactLimit = 9007199254740992.0;

void add_keeper_sample(StatusBuilder& builder, KeeperSigns& signs, const Sample& sample) {
  if (sample.name.find("_Keeper") == std::string_view::npos || std::isnan(sample.value)) return;
  signs.seen = true;
  if (sample.name == "ClickHouseAsyncMetrics_KeeperZxid") {
    if (sample.value >= 0 && sample.value <= kExactLimit)
      builder.answer().zxid = Zxid{static_cast<std::uint64_t>(sample.value)};
    return;
  }
  if (const auto row = std::ranges::find(kKeeperRoles, sample.name, &KeeperRole::name);
      row != kKeeperRoles.end()) {
    ++signs.roles;
    // A single node is standalone and leader at once.
    if (sample.value == 1 && builder.answer().role != Role::kStandalone) builder.answer().role = row->role;
    return;
  }
  if (const auto row = std::ranges::find(kKeeperNames, sample.name, &KeeperName::keeper);
      row != kKeeperNames.end())
    return builder.add_plain(row->zookeeper, sample.value);
  builder.add_sample(sample.name, sample.key, sample.quantile, sample.other_labels, sample.value);
}

bool has_text(const StatusAnswer& answer, std::string_view name) { return answer.number(name).has_value(); }

double count_of(const StatusAnswer& answer, std::string_view name) {
  const SummaryValue* summary = answer.summary(name);
  return summary == nullptr ? 0 : summary->count.value_or(0);
}

Role role_by_presence(const StatusAnswer& answer) {
  if (has_text(answer, "leader_uptime")) return Role::kLeader;
  // A standalone server never looks for a leader; a member of an ensemble that serves has done so once.
  if (!has_text(answer, "quorum_size"))
    return answer.number("looking_count").value_or(0) > 0 ? Role::kReadOnly : Role::kStandalone;
  // Observers neither vote nor receive proposals; servers older than 3.9 may lack synced_observers.
  const bool follower = has_text(answer, "synced_observers") || count_of(answer, "election_time") > 0 ||
                        answer.number("learner_proposal_received_count").value_or(0) > 0;
  return follower ? Role::kFollower : Role::kObserver;
}

// Gauges of the running server object, which vanish with the role. outstanding_tls_handshake belongs to the
// listener.
bool has_any_role_gauge(const StatusAnswer& answer) {
  return std::ranges::any_of(answer.measurements, [](const Measurement& one) {
    return one.metric->kind == ZkKind::kGauge && one.metric->name != "outstanding_tls_handshake";
  });
}

}  // namespace

Parsed parse_prometheus_text(std::string_view text) {
  if (text.empty()) return parsed_failure(SourceState::kMalformed, "the scrape is empty");
  if (text.starts_with('<')) return parsed_failure(SourceState::kMalformed, "the endpoint answers with HTML");
  StatusBuilder builder;
  KeeperSigns keeper;
  Lines lines(text);
  while (const auto line = lines.next()) {
    const std::string_view content = trimmed(*line);
    if (content.empty() || content.starts_with('#')) continue;
    const auto sample = parse_sample(content);
    if (!sample) {
      builder.drop();
    } else if (sample->name.starts_with("ClickHouse")) {
      add_keeper_sample(builder, keeper, *sample);
    } else if (sample->name.starts_with("watchkeeper_")) {
      builder.answer().implementation =
          Implementation::kWatchkeeper;  // its own family stands beside ZooKeeper's names
    } else {
      builder.add_sample(sample->name, sample->key, sample->quantile, sample->other_labels, sample->value);
    }
  }
  const bool half_a_summary = builder.has_partial_summary();
  StatusAnswer answer = builder.finish();
  if (answer.measurements.empty() && !keeper.seen)
    return parsed_failure(SourceState::kMalformed, "the scrape holds no metric of ZooKeeper's");
  if (!text.ends_with('\n')) return parsed_failure(SourceState::kTruncated, "the scrape ends within a line");

  if (keeper.seen) {
    answer.implementation = Implementation::kClickHouseKeeper;
    if (keeper.roles == kKeeperRoles.size() && answer.role == Role::kUnknown)
      return parsed_failure(SourceState::kNotServing,
                            "the endpoint tells no role: the member is in no quorum");
    return parsed_ok(std::move(answer));
  }
  if (half_a_summary && answer.dropped == 0)
    return parsed_failure(SourceState::kTruncated, "the scrape ends within a summary");
  if (!has_any_role_gauge(answer))
    return parsed_failure(SourceState::kNotServing,
                          "the gauges of a serving member are gone from the scrape");
  if (!has_core_gauges(answer) || !has_text(answer, "uptime"))
    return parsed_failure(SourceState::kTruncated, "the scrape lacks gauges that every serving member has");
  answer.role = role_by_presence(answer);
  if (answer.implementation == Implementation::kUnknown) answer.implementation = Implementation::kApache;
  return parsed_ok(std::move(answer));
}

}  // namespace wk::exporter
