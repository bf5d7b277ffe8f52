#include "exporter/view/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "exporter/model/internals.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// Within this time every source that is still needed is asked again, those that failed included.
constexpr nanoseconds kAskedAgain = std::chrono::seconds{120};

bool answered(SourceState state) {
  switch (state) {
    case SourceState::kOk:
    case SourceState::kNotServing:
    case SourceState::kNotWhitelisted:
    case SourceState::kTruncated:
    case SourceState::kTooLarge:
    case SourceState::kMalformed:
    case SourceState::kHttpError:
      return true;
    case SourceState::kNotTried:
    case SourceState::kUnresolved:
    case SourceState::kRefused:
    case SourceState::kUnreachable:
    case SourceState::kTimedOut:
    case SourceState::kTlsFailure:
    case SourceState::kClosed:
      return false;
  }
  return false;
}

bool is_client_port(Probe probe) {
  switch (probe) {
    case Probe::kMntr:
    case Probe::kSrvr:
    case Probe::kRuok:
    case Probe::kIsro:
    case Probe::kConf:
    case Probe::kCons:
    case Probe::kDirs:
    case Probe::kWchs:
    case Probe::kHash:
      return true;
    default:
      return false;
  }
}

std::string in_words(const ProbeReport& report) {
  switch (report.state) {
    case SourceState::kUnresolved:
      return "its host name does not resolve";
    case SourceState::kRefused:
      return "refuses connections on its client port";
    case SourceState::kUnreachable:
      return "there is no route to it";
    case SourceState::kTimedOut:
      return "does not answer in time";
    case SourceState::kTlsFailure:
      return fmt::format("TLS to its client port fails ({})", report.detail);
    case SourceState::kClosed:
      return "closes connections on its client port without an answer";
    case SourceState::kNotServing:
      return "says that it is not serving";
    case SourceState::kNotWhitelisted:
      return fmt::format("does not allow the word {}", name(report.probe));
    case SourceState::kTruncated:
      return fmt::format("its answer to {} ends in the middle", name(report.probe));
    case SourceState::kTooLarge:
      return fmt::format("its answer to {} is too large", name(report.probe));
    case SourceState::kMalformed:
      return fmt::format("its answer to {} is not ZooKeeper's", name(report.probe));
    case SourceState::kHttpError:
      return fmt::format("{} answers with an HTTP error", name(report.probe));
    case SourceState::kOk:
    case SourceState::kNotTried:
      break;
  }
  return "nothing is known of it yet";
}

template <typename T>
bool is_told(const std::optional<T>& part) {
  return part.has_value();
}
template <typename T>
bool is_told(const std::vector<T>& part) {
  return !part.empty();
}

/// What did not change since the last visit is held once, by both: a snapshot keeps the older facts alive for
/// a second. Both are sorted.
void share_measurements(std::vector<Measurement>& fresh, const std::vector<Measurement>& known) {
  auto old = known.begin();
  for (Measurement& measurement : fresh) {
    // Rows of the dictionary stand in one array, sorted by name.
    while (old != known.end() && (old->metric < measurement.metric ||
                                  (old->metric == measurement.metric && old->key() < measurement.key())))
      ++old;
    if (old != known.end() && old->metric == measurement.metric) measurement.share_with(*old);
  }
}

/// Files the answers of one visit under their kind.
class Filing {
 public:
  Filing(MemberFacts& facts, const PollReport& report, nanoseconds detail_interval)
      : facts_(facts), started_(report.started), finished_(report.finished), detail_(detail_interval) {}

  void file(const ProbeReport& probe) {
    std::visit(
        [&]<typename T>(const T& answer) {
          if constexpr (std::is_same_v<T, StatusAnswer>)
            status(answer, probe.probe);
          else if constexpr (std::is_same_v<T, ConfigurationAnswer>)
            configuration(answer);
          else if constexpr (std::is_same_v<T, ZabAnswer>)
            zab(answer);
          else if constexpr (std::is_same_v<T, RuokAnswer>)
            facts_.ruok = {answer, finished_};
          else if constexpr (std::is_same_v<T, IsroAnswer>)
            facts_.isro = {answer, finished_};
          else if constexpr (std::is_same_v<T, ConnectionsAnswer>)
            facts_.connections = {answer, finished_};
          else if constexpr (std::is_same_v<T, DirsAnswer>)
            facts_.dirs = {answer, finished_};
          else if constexpr (std::is_same_v<T, WatchesAnswer>)
            facts_.watches = {answer, finished_};
          else if constexpr (std::is_same_v<T, DigestsAnswer>)
            facts_.digests = {answer, finished_};
          else
            static_assert(std::is_same_v<T, std::monostate>, "every kind of answer has its place");
        },
        probe.answer);
  }

 private:
  void status(const StatusAnswer& answer, Probe probe) {
    if (answer.zxid) shows(*answer.zxid);
    if (!std::exchange(has_status_, true)) {
      StatusAnswer kept = answer;
      if (facts_.status.value) share_measurements(kept.measurements, facts_.status.value->measurements);
      facts_.status = {std::move(kept), finished_};
      facts_.status_probe = probe;
      return;
    }
    // A second status in one visit (srvr after a richer one) only fills in what the first did not tell. The
    // role is no word of Prometheus' text: it is concluded there from the names that are present.
    const StatusAnswer& first = *facts_.status.value;
    const bool concluded = facts_.status_probe == Probe::kPrometheus && !role_told_ &&
                           first.implementation != Implementation::kClickHouseKeeper;
    const bool tells_role = answer.role != Role::kUnknown && answer.role != first.role &&
                            (first.role == Role::kUnknown || concluded);
    role_told_ = role_told_ || answer.role != Role::kUnknown;
    const bool fills = tells_role || (first.version.empty() && !answer.version.empty()) ||
                       (first.implementation == Implementation::kUnknown &&
                        answer.implementation != Implementation::kUnknown) ||
                       (!first.zxid && answer.zxid);
    if (!fills) return;
    StatusAnswer kept = first;
    if (tells_role) kept.role = answer.role;
    if (kept.version.empty()) kept.version = answer.version;
    if (kept.implementation == Implementation::kUnknown) kept.implementation = answer.implementation;
    if (!kept.zxid) kept.zxid = answer.zxid;
    facts_.status.value = std::move(kept);
  }

  void configuration(ConfigurationAnswer answer) {
    // AdminServer spreads over two commands what `conf` tells in one.
    const auto fill = [&](auto& part, auto& old, Moment& told) {
      if (is_told(part))
        told = finished_;
      else if (finished_ - told <= 3 * detail_)
        part = std::move(old);
    };
    ConfigurationAnswer old = facts_.configuration.value.copy();
    ConfigurationDates& told = facts_.configuration_dates;
    fill(answer.entries, old.entries, told.entries);
    fill(answer.server_id, old.server_id, told.server_id);
    fill(answer.membership, old.membership, told.membership);
    fill(answer.membership_version, old.membership_version, told.membership_version);
    facts_.configuration = {std::move(answer), finished_};
  }

  void zab(const ZabAnswer& answer) {
    facts_.zab = {answer, finished_};
    const bool told_in_this_visit = facts_.zxid.value && facts_.zxid.at - started_ > nanoseconds{0};
    if (answer.last_zxid && !told_in_this_visit) shows(*answer.last_zxid);
  }

  void shows(Zxid zxid) {
    if (!std::exchange(has_zxid_, true)) facts_.zxid_before = facts_.zxid;
    facts_.zxid = {zxid, finished_};
  }

  MemberFacts& facts_;
  Moment started_, finished_;
  nanoseconds detail_;
  bool has_status_ = false;
  bool has_zxid_ = false;
  bool role_told_ = false;  ///< by an answer after the first
};

}  // namespace

Visit visit_of(const PollReport& report) {
  Visit visit;
  visit.started = report.started;
  visit.finished = report.finished;
  for (const ProbeReport& probe : report.probes) {
    visit.process_answers |= answered(probe.state);
    visit.says_not_serving |= probe.state == SourceState::kNotServing;
    if (is_client_port(probe.probe) && visit.client_port == SourceState::kNotTried)
      visit.client_port = probe.state;
    if (visit.trouble.empty() && probe.state != SourceState::kOk && probe.state != SourceState::kNotTried)
      visit.trouble = in_words(probe);
    if (probe.state == SourceState::kNotServing && is_status_source(probe.probe)) {
      // It outlasts an earlier answer of this visit: the member stopped serving in between.
      visit.status_ok = false;
      visit.role_at_zxid.reset();
    }
    if (probe.state != SourceState::kOk) continue;
    if (const auto* status = std::get_if<StatusAnswer>(&probe.answer)) {
      visit.status_ok = true;
      if (status->zxid && status->role != Role::kUnknown)
        visit.role_at_zxid = Visit::RoleAtZxid{status->role, *status->zxid};
    } else if (const auto* zab = std::get_if<ZabAnswer>(&probe.answer)) {
      visit.zab_phase = zab->phase;
    }
  }
  if (report.internals && !report.internals->serves_nobody.empty()) {
    visit.says_not_serving = true;
    visit.status_ok = false;
    visit.role_at_zxid.reset();
  }
  return visit;
}

MemberFacts learned(MemberFacts known, const PollReport& report, nanoseconds detail_interval) {
  Filing filing(known, report, detail_interval);
  for (const ProbeReport& probe : report.probes)
    if (probe.state == SourceState::kOk) filing.file(probe);
  known.internals = report.internals;
  return known;
}

void count_visit(const PollReport& report, MemberView& member, nanoseconds detail_interval) {
  member.last_poll = report.finished;
  ++member.polls;
  if (!report.address.empty()) member.address = report.address;
  if (report.certificate_not_after) member.certificate_not_after = report.certificate_not_after;
  for (const ProbeReport& probe : report.probes) {
    if (probe.state == SourceState::kNotTried) continue;
    SourceStatus& source = member.sources.of(probe.probe);
    source.state = probe.state;
    source.last_tried = report.finished;
    source.duration += probe.duration;
    ++source.results[static_cast<std::size_t>(probe.state)];
    if (probe.state == SourceState::kOk)
      source.last_ok = report.finished;
    else
      source.detail = probe.detail;
  }
  const bool told = std::any_of(report.probes.begin(), report.probes.end(), [](const ProbeReport& probe) {
    return probe.state == SourceState::kOk && std::holds_alternative<StatusAnswer>(probe.answer);
  });
  if (!told) return;  // Who does not answer is asked less.
  for (auto& [probe, source] : member.sources) {
    if (report.finished - *source.last_tried <= std::max(kAskedAgain, 3 * detail_interval)) continue;
    source.state = SourceState::kNotTried;
    source.detail.clear();
  }
}

}  // namespace wk::exporter
