#include "exporter/view/ensemble_tracker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "exporter/view/conclusions.h"

namespace wk::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// A follower that died silently is dropped by its leader within syncLimit ticks; used while `conf` does not
/// tell.
constexpr nanoseconds kFailureDetectionDefault = std::chrono::seconds{20};
/// How long every member's canary must fail before it outweighs what the members say of themselves.
constexpr nanoseconds kCanaryOutweighs = std::chrono::seconds{3};
/// How long one member's canary must fail before it is an event.
constexpr nanoseconds kCanaryEventAfter = std::chrono::seconds{3};
/// Least time between two events of one kind about one member, for kinds that a load can repeat.
constexpr nanoseconds kRepeatAfter = std::chrono::seconds{60};
constexpr double kExpiryStormPerSecond = 10;
constexpr double kConnectionStormPerSecond = 100;
constexpr double kSlowFsyncMs = 100;
/// Rounds that may be open at a time; older ones count as failed.
constexpr std::size_t kOpenRounds = 8;

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

/// Whether any counter that survives role changes went back between two answers: the process began anew.
bool counters_restarted(const StatusAnswer& before, const StatusAnswer& after) {
  constexpr std::array<std::string_view, 4> kProcessCounters{"looking_count", "connection_request_count",
                                                             "bytes_received_count", "response_bytes"};
  return std::any_of(kProcessCounters.begin(), kProcessCounters.end(), [&](std::string_view counter) {
    const auto old_value = before.number(counter);
    const auto new_value = after.number(counter);
    return old_value && new_value && *new_value < *old_value;
  });
}

double growth(const StatusAnswer& before, const StatusAnswer& after, std::string_view counter) {
  const auto old_value = before.number(counter);
  const auto new_value = after.number(counter);
  return old_value && new_value ? std::max(0.0, *new_value - *old_value) : 0.0;
}

std::string membership_text(const ConfigurationAnswer& configuration) {
  std::string text;
  for (const MembershipEntry& entry : configuration.membership)
    text += fmt::format("{}server.{}={}:{}:{}{}", text.empty() ? "" : " ", entry.id.value, entry.host,
                        entry.quorum_port, entry.election_port, entry.voter ? "" : ":observer");
  return text;
}

/// Keys that the members of an ensemble should agree on, as `conf` names them.
constexpr std::array<std::string_view, 7> kDriftKeys{
    "electionAlg",       "initLimit", "maxClientCnxns", "maxSessionTimeout",
    "minSessionTimeout", "syncLimit", "tickTime"};

}  // namespace

EnsembleTracker::EnsembleTracker(EnsembleSpec spec, Moment start)
    : spec_(std::move(spec)), last_derived_(start) {
  view_.name = spec_.name;
  view_.canary_mode = spec_.canary;
  members_.resize(spec_.members.size());
  for (const TargetSpec& target : spec_.members) {
    MemberView& member = view_.members.emplace_back();
    member.name = target.name;
    member.state_reason = "nothing is known of it yet";
    member.state_since = start;
    member.facts = std::make_shared<MemberFacts>();
    if (spec_.canary == CanaryMode::kWrite) {
      const std::size_t index = view_.members.size() - 1;
      member.canary.watch_from =
          spec_.members[(index + spec_.members.size() - 1) % spec_.members.size()].name;
    }
  }
  std::vector<Event> none;
  derive(start, none);
}

void EnsembleTracker::begin(Moment now, std::vector<Event>& events) {
  emit(events, now, EventType::kExporterStarted, Severity::kInfo, "",
       fmt::format("the exporter began to watch {} {}", spec_.members.size(),
                   spec_.members.size() == 1 ? "member" : "members"));
}

nanoseconds EnsembleTracker::freshness(std::size_t member) const {
  return 3 * spec_.interval + spec_.members[member].timeout;
}

nanoseconds EnsembleTracker::failure_detection() const {
  nanoseconds longest{0};
  for (const Member& member : members_) {
    if (!member.facts.configuration.value) continue;
    const auto tick = member.facts.configuration.value->entry_number("tickTime");
    const auto limit = member.facts.configuration.value->entry_number("syncLimit");
    if (tick && limit && *tick > 0 && *limit > 0 && *tick * *limit < 3'600'000)
      longest = std::max<nanoseconds>(longest, milliseconds{*tick * *limit});
  }
  return longest == nanoseconds{0} ? kFailureDetectionDefault : 2 * longest;
}

bool EnsembleTracker::all_visited() const {
  return std::all_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.visited.has_value(); });
}

bool EnsembleTracker::synced_after(Moment moment) const {
  return std::any_of(view_.members.begin(), view_.members.end(), [&](const MemberView& member) {
    return member.canary.last_sync_ok && member.role != Role::kStandalone &&
           *member.canary.last_sync_ok - moment > nanoseconds{0};
  });
}

void EnsembleTracker::emit(std::vector<Event>& events, Moment at, EventType type, Severity severity,
                           const std::string& member, std::string text, std::optional<nanoseconds> duration) {
  ++view_.events[static_cast<std::size_t>(type)];
  events.push_back(Event{.id = 0,
                         .at = at,
                         .type = type,
                         .severity = severity,
                         .ensemble = spec_.name,
                         .member = member,
                         .text = std::move(text),
                         .duration = duration});
}

bool EnsembleTracker::emit_rarely(Member& member, std::vector<Event>& events, Moment at, EventType type,
                                  Severity severity, const std::string& member_name, std::string text) {
  auto& last = member.last_event[static_cast<std::size_t>(type)];
  if (last && at - *last < kRepeatAfter) return false;
  last = at;
  emit(events, at, type, severity, member_name, std::move(text));
  return true;
}

// ---------------------------------------------------------------------------------------------------------------
// Taking reports in

void EnsembleTracker::take(Member& member, MemberView& view, const PollReport& report) {
  member.visit_started = report.started;
  member.visited = report.finished;
  member.client_port = SourceState::kNotTried;
  member.status_ok = member.says_not_serving = member.process_answers = member.zab_ok = false;
  member.trouble.clear();
  view.last_poll = report.finished;
  ++view.polls;
  if (!report.address.empty()) view.address = report.address;
  if (report.certificate_not_after) view.certificate_not_after = report.certificate_not_after;

  MemberFacts& facts = member.facts;
  const auto newest_zxid = [&](Zxid zxid) { facts.zxid = {zxid, report.finished}; };
  for (const ProbeReport& probe : report.probes) {
    SourceStatus& source = view.sources[static_cast<std::size_t>(probe.probe)];
    if (probe.state != SourceState::kNotTried) {
      source.state = probe.state;
      source.last_tried = report.finished;
      source.duration += probe.duration;
      ++source.results[static_cast<std::size_t>(probe.state)];
      if (probe.state == SourceState::kOk)
        source.last_ok = report.finished;
      else
        source.detail = probe.detail;
    }
    member.process_answers |= answered(probe.state);
    member.says_not_serving |= probe.state == SourceState::kNotServing;
    if (is_client_port(probe.probe) && member.client_port == SourceState::kNotTried)
      member.client_port = probe.state;
    if (member.trouble.empty() && probe.state != SourceState::kOk && probe.state != SourceState::kNotTried)
      member.trouble = in_words(probe);
    if (probe.state != SourceState::kOk) continue;

    std::visit(
        [&]<typename T>(const T& answer) {
          if constexpr (std::is_same_v<T, StatusAnswer>) {
            if (answer.zxid) {
              newest_zxid(*answer.zxid);
              if (answer.role != Role::kUnknown) {
                member.paired_role = answer.role;
                member.paired_zxid = answer.zxid;
                member.paired_at = report.finished;
              }
            }
            if (!member.status_ok) {
              facts.status = {answer, report.finished};
              facts.status_probe = probe.probe;
            } else {
              // A second status in one visit (srvr after a richer one) only fills in what the first did not
              // tell.
              StatusAnswer& kept = *facts.status.value;
              if (kept.role == Role::kUnknown) kept.role = answer.role;
              if (kept.version.empty()) kept.version = answer.version;
              if (kept.implementation == Implementation::kUnknown)
                kept.implementation = answer.implementation;
              if (!kept.zxid) kept.zxid = answer.zxid;
            }
            member.status_ok = true;
          } else if constexpr (std::is_same_v<T, RuokAnswer>) {
            facts.ruok = {answer, report.finished};
          } else if constexpr (std::is_same_v<T, IsroAnswer>) {
            facts.isro = {answer, report.finished};
          } else if constexpr (std::is_same_v<T, ConfigurationAnswer>) {
            ConfigurationAnswer merged = answer;
            if (facts.configuration.value &&
                report.finished - facts.configuration.at < 3 * spec_.detail_interval) {
              // AdminServer spreads over two commands what `conf` tells in one.
              const ConfigurationAnswer& old = *facts.configuration.value;
              if (merged.entries.empty()) merged.entries = old.entries;
              if (merged.membership.empty()) merged.membership = old.membership;
              if (!merged.membership_version) merged.membership_version = old.membership_version;
              if (!merged.server_id) merged.server_id = old.server_id;
            }
            facts.configuration = {std::move(merged), report.finished};
          } else if constexpr (std::is_same_v<T, ConnectionsAnswer>) {
            facts.connections = {answer, report.finished};
          } else if constexpr (std::is_same_v<T, DirsAnswer>) {
            facts.dirs = {answer, report.finished};
          } else if constexpr (std::is_same_v<T, WatchesAnswer>) {
            facts.watches = {answer, report.finished};
          } else if constexpr (std::is_same_v<T, DigestsAnswer>) {
            facts.digests = {answer, report.finished};
          } else if constexpr (std::is_same_v<T, ZabAnswer>) {
            facts.zab = {answer, report.finished};
            member.zab_ok = answer.phase != ZabPhase::kUnknown;
            if (answer.last_zxid && !(facts.zxid.value && facts.zxid.at - report.started > nanoseconds{0}))
              newest_zxid(*answer.last_zxid);
          }
        },
        probe.answer);
  }
}

void EnsembleTracker::observe(const PollReport& report, std::vector<Event>& events) {
  WK_CHECK(report.member < members_.size(), "poll report of an unknown member");
  WK_CHECK(!report.probes.empty(), "poll report without probes");
  Member& member = members_[report.member];
  MemberView& view = view_.members[report.member];
  const bool had_status = member.facts.status.value.has_value();
  const StatusAnswer before = had_status ? *member.facts.status.value : StatusAnswer{};
  const Moment before_at = member.facts.status.at;
  const auto sources_before = view.sources;
  const auto configuration_before = member.facts.configuration;

  take(member, view, report);
  view.facts = std::make_shared<MemberFacts>(member.facts);

  if (member.process_answers) {
    for (std::size_t probe = 0; probe < kProbeCount; ++probe) {
      const SourceStatus& was = sources_before[probe];
      const SourceStatus& is = view.sources[probe];
      if (was.state == is.state || was.state == SourceState::kNotTried) continue;
      const auto word = name(static_cast<Probe>(probe));
      // A member that stops serving is one event of its own, not one for each of its surfaces.
      if (was.state == SourceState::kOk && is.state != SourceState::kNotServing)
        emit_rarely(
            member, events, report.finished, EventType::kSourceFailed, Severity::kWarning, view.name,
            fmt::format("{}: {} no longer answers ({}): {}", view.name, word, name(is.state), is.detail));
      else if (is.state == SourceState::kOk && was.state != SourceState::kNotServing)
        emit_rarely(member, events, report.finished, EventType::kSourceRecovered, Severity::kInfo, view.name,
                    fmt::format("{}: {} answers again (it was {})", view.name, word, name(was.state)));
    }
  }
  if (configuration_before.value &&
      member.facts.configuration.at - configuration_before.at > nanoseconds{0}) {
    const ConfigurationAnswer& was = *configuration_before.value;
    const ConfigurationAnswer& is = *member.facts.configuration.value;
    const auto membership_was = membership_text(was);
    const auto membership_is = membership_text(is);
    if (!membership_was.empty() && !membership_is.empty() && membership_was != membership_is)
      emit(events, report.finished, EventType::kConfigurationChanged, Severity::kInfo, view.name,
           fmt::format("{}: the membership changed from \"{}\" to \"{}\"", view.name, membership_was,
                       membership_is));
    for (const std::string_view key : kDriftKeys) {
      const auto old_value = was.entry(key);
      const auto new_value = is.entry(key);
      if (old_value && new_value && *old_value != *new_value)
        emit(events, report.finished, EventType::kConfigurationChanged, Severity::kInfo, view.name,
             fmt::format("{}: {} changed from {} to {}", view.name, key, *old_value, *new_value));
    }
  }
  if (member.status_ok && had_status) {
    const StatusAnswer& after = *member.facts.status.value;
    if (counters_restarted(before, after) ||
        (view.state == ServingState::kUnreachable && growth(after, before, "packets_received") > 0)) {
      ++view.restarts;
      emit(events, report.finished, EventType::kMemberRestarted, Severity::kInfo, view.name,
           fmt::format("{} was restarted: its counters began anew", view.name));
    } else {
      notice_rates(member, view, before, after, report.finished, report.finished - before_at, events);
    }
  }
  derive(report.finished, events);
}

void EnsembleTracker::observe(const CanaryReport& report, std::vector<Event>& events) {
  WK_CHECK(report.member < members_.size(), "canary report of an unknown member");
  Member& member = members_[report.member];
  MemberView& view = view_.members[report.member];
  view.canary = report.totals;
  if (report.round_ok) {
    if (member.canary_event_sent)
      emit(events, report.finished, EventType::kCanaryRecovered, Severity::kInfo, view.name,
           fmt::format("client operations through {} succeed again", view.name),
           report.finished - *member.canary_failing_since);
    member.canary_event_sent = false;
    member.canary_failing_since.reset();
  } else {
    if (!member.canary_failing_since) member.canary_failing_since = report.finished;
    if (!member.canary_event_sent && report.finished - *member.canary_failing_since >= kCanaryEventAfter) {
      member.canary_event_sent = true;
      emit(events, report.finished, EventType::kCanaryFailed, Severity::kWarning, view.name,
           fmt::format("client operations through {} fail: {}", view.name, report.totals.last_error));
    }
  }

  auto round = std::find_if(rounds_.begin(), rounds_.end(),
                            [&](const Round& open) { return open.number == report.round; });
  if (round == rounds_.end()) {
    if (rounds_.size() == kOpenRounds) {
      if (!rounds_.front().ok) ++view_.canary_rounds_failed;
      rounds_.erase(rounds_.begin());
    }
    rounds_.push_back(Round{.number = report.round, .first_report = report.finished});
    round = rounds_.end() - 1;
  }
  ++round->reports;
  if (report.round_ok && !round->ok) {
    round->ok = true;
    ++view_.canary_rounds_ok;
  }
  if (round->reports == members_.size()) {
    if (!round->ok) ++view_.canary_rounds_failed;
    rounds_.erase(round);
  }
  derive(report.finished, events);
}

void EnsembleTracker::tick(Moment now, std::vector<Event>& events) { derive(now, events); }

void EnsembleTracker::notice_rates(Member& member, const MemberView& view, const StatusAnswer& before,
                                   const StatusAnswer& after, Moment at, nanoseconds elapsed,
                                   std::vector<Event>& events) {
  if (elapsed <= nanoseconds{0}) return;
  const double per_second = 1 / wk::seconds(elapsed);
  if (const double rate = growth(before, after, "stale_sessions_expired") * per_second;
      rate > kExpiryStormPerSecond)
    emit_rarely(member, events, at, EventType::kExpiryStorm, Severity::kWarning, view.name,
                fmt::format("sessions expire at {:.0f}/s on {}", rate, view.name));
  const auto connections_before = before.number("num_alive_connections");
  const auto connections_after = after.number("num_alive_connections");
  if (connections_before && connections_after &&
      (*connections_after - *connections_before) * per_second > kConnectionStormPerSecond)
    emit_rarely(member, events, at, EventType::kConnectionStorm, Severity::kWarning, view.name,
                fmt::format("connections of {} rose from {:.0f} to {:.0f} within {}", view.name,
                            *connections_before, *connections_after, duration_text(elapsed)));
  const double throttled =
      growth(before, after, "request_throttle_wait_count") + growth(before, after, "throttled_ops") +
      growth(before, after, "large_requests_rejected") + growth(before, after, "stale_requests_dropped");
  const double rejected = growth(before, after, "connection_rejected");
  member.throttling = throttled > 0 || rejected > 0;
  if (member.throttling)
    emit_rarely(member, events, at, EventType::kThrottling, Severity::kWarning, view.name,
                fmt::format("{} throttled {:.0f} requests and refused {:.0f} connections within {}",
                            view.name, throttled, rejected, duration_text(elapsed)));
  const SummaryValue* fsync_before = before.summary("fsynctime");
  const SummaryValue* fsync_after = after.summary("fsynctime");
  if (fsync_before != nullptr && fsync_after != nullptr && fsync_before->count && fsync_after->count &&
      fsync_before->sum && fsync_after->sum) {
    const double count = *fsync_after->count - *fsync_before->count;
    // Without a flush in between, the mean of the flushes before stays the newest that is known.
    if (count > 0) member.fsync_mean_ms = (*fsync_after->sum - *fsync_before->sum) / count;
    if (count > 0 && member.fsync_mean_ms > kSlowFsyncMs)
      emit_rarely(
          member, events, at, EventType::kSlowFsync, Severity::kWarning, view.name,
          fmt::format("a flush of the transaction log took {:.0f} ms on {} (mean of {:.0f} within {})",
                      member.fsync_mean_ms, view.name, count, duration_text(elapsed)));
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Deriving the view

void EnsembleTracker::derive(Moment now, std::vector<Event>& events) {
  const bool first_judgement = !judged_ && all_visited();
  judged_ |= first_judgement;
  derive_membership(events, now);
  derive_states(now, events);
  derive_leader(now, events);
  derive_quorum(now, events);
  derive_service(now);
  derive_lag(now);
  derive_digests(now, events);
  derive_drift(now, events);
  derive_imbalance();
  derive_limits();
  for (std::size_t index = 0; index < view_.members.size(); ++index)
    view_.members[index].safe_to_stop = safe_to_stop(view_, index);
  view_.problems = problems_of(view_, now);
  view_.verdict = verdict_of(view_, now);
  last_derived_ = now;
}

void EnsembleTracker::derive_membership(std::vector<Event>& events, Moment now) {
  const ConfigurationAnswer* newest = nullptr;
  std::size_t without_id = 0;
  for (std::size_t index = 0; index < members_.size(); ++index) {
    const MemberFacts& facts = members_[index].facts;
    MemberView& view = view_.members[index];
    if (facts.configuration.value && facts.configuration.value->server_id)
      view.id = facts.configuration.value->server_id;
    else if (facts.zab.value && facts.zab.value->my_id)
      view.id = facts.zab.value->my_id;
    if (!view.id) ++without_id;
    if (!facts.configuration.value || facts.configuration.value->membership.empty()) continue;
    const ConfigurationAnswer& candidate = *facts.configuration.value;
    if (newest == nullptr ||
        candidate.membership_version.value_or(0) > newest->membership_version.value_or(0))
      newest = &candidate;
  }

  std::vector<std::string> unlisted;
  if (newest != nullptr) {
    view_.voters = static_cast<int>(std::count_if(newest->membership.begin(), newest->membership.end(),
                                                  [](const MembershipEntry& entry) { return entry.voter; }));
    for (const MembershipEntry& entry : newest->membership) {
      const auto listed =
          std::find_if(view_.members.begin(), view_.members.end(), [&](const MemberView& member) {
            return (member.id && *member.id == entry.id) ||
                   (!member.id && entry.client_address == member.name);
          });
      if (listed != view_.members.end()) {
        listed->voter = entry.voter;
        if (!listed->id) listed->id = entry.id;
      } else if (without_id == 0) {
        unlisted.push_back(fmt::format("server {} ({})", entry.id.value,
                                       entry.client_address.empty()
                                           ? fmt::format("{}, quorum port {}", entry.host, entry.quorum_port)
                                           : entry.client_address));
      }
    }
  } else {
    int listed_voters = 0;
    std::optional<double> told;
    for (std::size_t index = 0; index < members_.size(); ++index) {
      const auto& status = members_[index].facts.status.value;
      if (status && status->role == Role::kObserver) view_.members[index].voter = false;
      if (status && status->number("quorum_size")) told = status->number("quorum_size");
      if (view_.members[index].voter) ++listed_voters;
    }
    view_.voters = told && *told >= 1 && *told < 1000 ? static_cast<int>(*told) : listed_voters;
  }
  view_.standalone = members_.size() == 1 && members_[0].facts.status.value &&
                     members_[0].facts.status.value->role == Role::kStandalone;
  if (view_.standalone) view_.voters = 1;
  view_.majority = view_.voters / 2 + 1;

  for (const std::string& server : unlisted)
    if (std::find(view_.unlisted_members.begin(), view_.unlisted_members.end(), server) ==
        view_.unlisted_members.end())
      emit(events, now, EventType::kUnlistedMember, Severity::kInfo, "",
           fmt::format("the membership names {}, which is not among the configured targets", server));
  view_.unlisted_members = std::move(unlisted);
}

void EnsembleTracker::set_state(std::size_t index, ServingState state, std::string reason, Moment now,
                                std::vector<Event>& events) {
  MemberView& view = view_.members[index];
  const Member& member = members_[index];
  view.state_reason = std::move(reason);
  if (view.state == state) return;
  const ServingState before = view.state;
  const nanoseconds lasted = now - view.state_since;
  const bool first_visit = view.polls <= 1 && member.visited.has_value();
  view.state = state;
  view.state_since = now;
  if (first_visit) return;  // Learning the state for the first time is not a change of it.
  ++view.state_changes;
  if (state == ServingState::kUnreachable)
    emit(events, now, EventType::kMemberLost, Severity::kWarning, view.name,
         fmt::format("{} is lost: {}", view.name, view.state_reason));
  else if (before == ServingState::kUnreachable)
    emit(events, now, EventType::kMemberRegained, Severity::kInfo, view.name,
         fmt::format("{} answers again after {} and is {}", view.name, duration_text(lasted), name(state)),
         lasted);
  else
    emit(events, now, EventType::kMemberStateChanged,
         state == ServingState::kServing ? Severity::kInfo : Severity::kWarning, view.name,
         fmt::format("{} went from {} to {}: {}", view.name, name(before), name(state), view.state_reason),
         lasted);
}

void EnsembleTracker::derive_states(Moment now, std::vector<Event>& events) {
  // Whether some member leads decides how to read "not serving", so the claims come first.
  const bool somebody_leads = std::any_of(members_.begin(), members_.end(), [&](const Member& member) {
    const auto index = static_cast<std::size_t>(&member - members_.data());
    return member.visited && now - *member.visited <= freshness(index) && member.status_ok &&
           member.facts.status.value->role == Role::kLeader;
  });
  const bool alone = members_.size() == 1 && view_.voters <= 1;

  for (std::size_t index = 0; index < members_.size(); ++index) {
    Member& member = members_[index];
    MemberView& view = view_.members[index];
    view.role = Role::kUnknown;
    view.phase = ZabPhase::kUnknown;
    view.zxid.reset();
    if (!member.visited) continue;

    const bool visit_fresh = now - *member.visited <= freshness(index);
    const MemberFacts& facts = member.facts;
    // Operations that succeeded after the newest visit began tell more than a word that was not answered.
    const bool canary_serves = view.canary.last_sync_ok &&
                               now - *view.canary.last_sync_ok <= freshness(index) &&
                               *view.canary.last_sync_ok - *member.visit_started > nanoseconds{0};
    if (!visit_fresh) {
      set_state(index, ServingState::kUnreachable,
                fmt::format("no visit has finished for {}", duration_text(now - *member.visited)), now,
                events);
      continue;
    }
    if (facts.zxid.value && now - facts.zxid.at <= freshness(index)) view.zxid = facts.zxid.value;

    if (member.status_ok) {
      const StatusAnswer& status = *facts.status.value;
      const Role role = status.role;
      view.role = role;
      view.phase = status.phase;
      if (role == Role::kReadOnly)
        set_state(index, ServingState::kReadOnly, "serves read-only clients without a quorum", now, events);
      else if (status.phase == ZabPhase::kElection)
        set_state(index, ServingState::kLooking, "is in leader election", now, events);
      else if (status.phase == ZabPhase::kDiscovery || status.phase == ZabPhase::kSynchronization)
        set_state(index, ServingState::kSyncing, fmt::format("is in {} with its leader", name(status.phase)),
                  now, events);
      else
        set_state(index, ServingState::kServing,
                  role == Role::kUnknown ? "serves" : fmt::format("serves as {}", name(role)), now, events);
      if (role != Role::kUnknown && view.state == ServingState::kServing) {
        if (member.last_role && *member.last_role != role)
          emit(events, now, EventType::kRoleChanged, Severity::kInfo, view.name,
               fmt::format("{} went from {} to {}", view.name, name(*member.last_role), name(role)));
        member.last_role = role;
      }
    } else if (member.zab_ok && member.says_not_serving && facts.zab.value->phase == ZabPhase::kElection) {
      view.phase = ZabPhase::kElection;
      set_state(index, ServingState::kLooking, "is in leader election", now, events);
    } else if (member.zab_ok && member.says_not_serving &&
               (facts.zab.value->phase == ZabPhase::kDiscovery ||
                facts.zab.value->phase == ZabPhase::kSynchronization)) {
      view.phase = facts.zab.value->phase;
      set_state(index, ServingState::kSyncing, fmt::format("is in {} with its leader", name(view.phase)), now,
                events);
    } else if (member.says_not_serving) {
      if (!alone && !somebody_leads)
        set_state(index, ServingState::kLooking,
                  "says that it is not serving, and nobody leads: it looks for a leader", now, events);
      else
        set_state(
            index, ServingState::kNotServing,
            alone ? "says that it is not serving" : "says that it is not serving, while another member leads",
            now, events);
    } else if (canary_serves) {
      set_state(index, ServingState::kServing, fmt::format("serves the canary, though it {}", member.trouble),
                now, events);
    } else if (member.process_answers || member.client_port == SourceState::kClosed) {
      set_state(index, ServingState::kNotServing, member.trouble, now, events);
    } else {
      set_state(index, ServingState::kUnreachable, member.trouble, now, events);
    }
  }
}

void EnsembleTracker::derive_leader(Moment now, std::vector<Event>& events) {
  // Claims: who says that it leads, with the epoch that the same answer told.
  struct Claim {
    std::size_t member;
    std::optional<Epoch> epoch;
    Moment visit_started, at;
  };
  std::vector<Claim> claims;
  for (std::size_t index = 0; index < members_.size(); ++index) {
    const Member& member = members_[index];
    if (view_.members[index].state != ServingState::kServing || !member.status_ok) continue;
    const bool paired = member.paired_at && *member.paired_at - *member.visit_started >= nanoseconds{0};
    const Role role = paired ? *member.paired_role : member.facts.status.value->role;
    // Standalone is a quorum of one.
    if (role != Role::kLeader && !(view_.standalone && role == Role::kStandalone)) continue;
    claims.push_back({index, paired ? std::optional(member.paired_zxid->epoch()) : std::nullopt,
                      *member.visit_started, *member.visited});
  }
  std::optional<Epoch> newest = last_epoch_;
  for (const Claim& claim : claims)
    if (claim.epoch && (!newest || *claim.epoch > *newest)) newest = claim.epoch;
  for (const MemberView& member : view_.members)
    if (member.state == ServingState::kServing && member.zxid && (!newest || member.zxid->epoch() > *newest))
      newest = member.zxid->epoch();  // A follower that serves a newer epoch shows its leader's.

  view_.leaders = view_.deposed_leaders = 0;
  std::optional<Claim> leader;
  bool deposed_answers = false;
  for (const Claim& claim : claims) {
    if (!claim.epoch || !newest || *claim.epoch == *newest) {
      ++view_.leaders;
      if (!leader || claim.at - leader->at > nanoseconds{0}) leader = claim;
    } else {
      ++view_.deposed_leaders;
      // Only a visit that began after the new leader was known shows a deposed leader that still answers.
      deposed_answers |= last_epoch_ == newest && leader_elected_at_ &&
                         claim.visit_started - *leader_elected_at_ > nanoseconds{0};
    }
  }
  if (claims.size() > 1 && !newest)
    view_.leaders = 1;  // Without epochs two claims cannot be told from a change.

  const bool split = view_.leaders > 1 || deposed_answers;
  if (split && !split_brain_told_)
    emit(events, now, EventType::kSplitBrain, Severity::kCritical, "",
         view_.leaders > 1
             ? fmt::format("{} members lead epoch {} at the same time", view_.leaders, newest->value)
             : fmt::format("a deposed leader still answers while {} leads epoch {}",
                           leader ? view_.members[leader->member].name : "another member", newest->value));
  split_brain_told_ = split;
  view_.split_brain = split;

  view_.leader.reset();
  view_.leader_inferred = false;
  if (leader) {
    view_.leader = leader->member;
    silent_since_.reset();
    if (leader->epoch) view_.epoch = leader->epoch;
    leader_found(leader->member, now, events);
    leader_seen_ = leader->at;
    return;
  }
  if (!judged_) return;

  // Nobody whom the exporter can ask leads. A sync that succeeded since the leader failed to answer shows
  // one.
  const std::size_t previous = last_leader_.value_or(members_.size());
  // A process that is not listening any more is gone; one that is silent may only be cut off from the
  // exporter.
  const bool gone = previous == members_.size() || members_[previous].client_port != SourceState::kTimedOut;
  if (!silent_since_)
    silent_since_ =
        previous < members_.size() ? *members_[previous].visit_started : leader_seen_.value_or(last_derived_);
  const auto followers =
      std::count_if(view_.members.begin(), view_.members.end(), [](const MemberView& member) {
        return member.voter && member.state == ServingState::kServing && member.role != Role::kStandalone;
      });
  const bool recent_sync =
      std::any_of(view_.members.begin(), view_.members.end(), [&](const MemberView& member) {
        return member.canary.last_sync_ok && now - *member.canary.last_sync_ok <= freshness(0);
      });
  // Without a canary: followers that serve for longer than their failure detector takes have a leader, seen
  // or not.
  const bool outlasted = spec_.canary == CanaryMode::kOff && followers + 1 >= view_.majority &&
                         now - *silent_since_ > failure_detection();
  if ((followers > 0 && recent_sync && synced_after(*silent_since_)) || outlasted) {
    view_.leader_inferred = true;
    if (newest) view_.epoch = newest;
    leader_found(std::nullopt, now, events);
    leader_seen_ = now;
    return;
  }
  const nanoseconds grace = 2 * spec_.interval + spec_.members.front().timeout;
  if (followers > 0 && recent_sync && !gone && leader_known_ && leader_seen_ &&
      now - *leader_seen_ <= grace) {
    view_.leader_inferred = true;  // Until the canary has had a round to find out.
    return;
  }
  leader_missing(now, events);
}

void EnsembleTracker::leader_found(std::optional<std::size_t> leader, Moment now,
                                   std::vector<Event>& events) {
  const bool epoch_passed = view_.epoch && last_epoch_ && *view_.epoch > *last_epoch_;
  const bool another = leader && last_leader_ && *leader != *last_leader_;
  const std::string epoch_text = view_.epoch ? fmt::format(" epoch {}", view_.epoch->value) : "";
  if (leaderless_since_) leaderless_for_ = now - *leaderless_since_;
  leaderless_since_.reset();

  if (!leader) {
    // Whoever leads will usually answer within the round; until then its election is not told, nor its epoch
    // taken for known. Only a leader that stays hidden is worth an event of its own.
    if (!hidden_since_) hidden_since_ = now;
    if ((leaderless_for_ || epoch_passed) &&
        now - *hidden_since_ > spec_.interval + spec_.members.front().timeout) {
      const nanoseconds duration = leaderless_for_.value_or(nanoseconds{0});
      emit(events, now, EventType::kLeaderElected, Severity::kInfo, "",
           fmt::format("a leader serves{}, though it does not answer the exporter itself",
                       view_.epoch ? fmt::format(" in{}", epoch_text) : ""),
           duration);
      count_election(epoch_passed, duration);
      if (epoch_passed) last_leader_.reset();
      view_.leader_id.reset();
      last_epoch_ = view_.epoch;
    }
  } else {
    hidden_since_.reset();
    const bool elected = !leader_ever_known_ ? leaderless_for_.has_value() : epoch_passed || another;
    if (elected) {
      // A change between two visits was an outage as well: it lasted at most since the old leader last
      // answered.
      if (!leaderless_for_ && last_leader_)
        emit(events, now, EventType::kLeaderLost, Severity::kWarning, view_.members[*last_leader_].name,
             fmt::format("{} no longer leads", view_.members[*last_leader_].name));
      const nanoseconds duration = leaderless_for_.value_or(now - leader_seen_.value_or(now));
      count_election(epoch_passed, duration);
      emit(events, now, EventType::kLeaderElected, Severity::kInfo, view_.members[*leader].name,
           fmt::format("{} leads{}, after {} without a leader", view_.members[*leader].name, epoch_text,
                       duration_text(duration)),
           duration);
    } else if (leaderless_for_) {
      emit(events, now, EventType::kLeaderElected, Severity::kInfo, view_.members[*leader].name,
           fmt::format("{} leads{} as before, {} after it was last known to", view_.members[*leader].name,
                       epoch_text, duration_text(*leaderless_for_)),
           leaderless_for_);
      leaderless_for_.reset();
    }
    if (elected || !leader_ever_known_) leader_elected_at_ = now;
    leader_ever_known_ = true;
    last_leader_ = leader;
    view_.leader_id = view_.members[*leader].id;
    if (view_.epoch) last_epoch_ = view_.epoch;
  }
  leader_known_ = true;
}

void EnsembleTracker::count_election(bool epoch_passed, nanoseconds duration) {
  view_.elections +=
      epoch_passed ? std::min<std::uint64_t>(view_.epoch->value - last_epoch_->value, 1000) : 1;
  if (leader_ever_known_) ++view_.leader_changes;
  view_.election_duration.record(duration);
  leaderless_for_.reset();
}

void EnsembleTracker::leader_missing(Moment now, std::vector<Event>& events) {
  view_.leader_id.reset();
  // What was asked of the leader at silent_since_ was not answered: the gap began then, not now.
  if (!leaderless_since_) leaderless_since_ = leader_known_ ? silent_since_ : now;
  hidden_since_.reset();
  if (!leader_known_) return;
  leader_known_ = false;
  const std::string who = last_leader_ ? view_.members[*last_leader_].name : "the leader";
  emit(events, now, EventType::kLeaderLost, Severity::kCritical, last_leader_ ? who : "",
       fmt::format("no leader: {} {}", who,
                   last_leader_ ? view_.members[*last_leader_].state_reason : "is gone"));
}

void EnsembleTracker::derive_quorum(Moment now, std::vector<Event>& events) {
  int first_hand = 0, listed_voters = 0, long_unseen = 0;
  const nanoseconds detection = failure_detection();
  for (std::size_t index = 0; index < members_.size(); ++index) {
    MemberView& member = view_.members[index];
    // A deposed leader serves nobody's writes; a follower's zxid may be of the epoch before until the first
    // transaction.
    const bool deposed = member.role == Role::kLeader && view_.leader != index;
    member.in_sync =
        member.state == ServingState::kServing && !deposed && (view_.leader || view_.leader_inferred);
    if (!member.voter) continue;
    ++listed_voters;
    if (member.in_sync) ++first_hand;
    // A member that does not say that it is out of service may only be closed to the exporter.
    const bool untold = member.state == ServingState::kUnreachable ||
                        (member.state == ServingState::kNotServing && !members_[index].says_not_serving);
    if (untold && now - member.state_since > detection) ++long_unseen;
  }
  int in_sync = first_hand;
  if (view_.leader) {
    const auto& status = members_[*view_.leader].facts.status.value;
    const auto synced = status ? status->number("synced_followers") : std::nullopt;
    if (synced && *synced >= 0 && *synced < 1000) {
      const int hidden = std::max(0, view_.voters - listed_voters) + long_unseen;
      in_sync += std::clamp(1 + static_cast<int>(*synced) - first_hand, 0, hidden);
    }
  } else if (view_.leader_inferred) {
    in_sync = std::max(in_sync + 1, view_.majority);  // A leader that answers syncs has a quorum.
  }
  view_.voters_in_sync = std::min(in_sync, view_.voters);
  view_.quorum_margin = view_.voters_in_sync - view_.majority;
  if (!judged_) return;

  const bool held = view_.quorum_margin >= 0;
  if (quorum_held_ && !held) {
    quorum_lost_at_ = now;
    int able = 0;
    for (const MemberView& member : view_.members)
      if (member.voter && member.state != ServingState::kUnreachable) ++able;
    able += std::max(0, view_.voters - listed_voters);
    emit(events, now, EventType::kQuorumLost, Severity::kCritical, "",
         fmt::format("{} of {} voters in sync, {} are needed; {} answer the exporter", view_.voters_in_sync,
                     view_.voters, view_.majority, able));
  } else if (!quorum_held_ && held && quorum_ever_held_) {
    emit(events, now, EventType::kQuorumRegained, Severity::kInfo, "",
         fmt::format("{} of {} voters in sync again", view_.voters_in_sync, view_.voters),
         quorum_lost_at_ ? std::optional(now - *quorum_lost_at_) : std::nullopt);
  }
  quorum_held_ = held;
  quorum_ever_held_ |= held;
}

void EnsembleTracker::derive_service(Moment now) {
  const bool was_unserved = judged_ && view_.unserved_since.has_value();
  if (was_unserved) view_.unserved += std::max(nanoseconds{0}, now - last_derived_);

  bool serving = (view_.leader || view_.leader_inferred) && view_.quorum_margin >= 0;
  bool contradicted = false;
  if (serving && spec_.canary != CanaryMode::kOff) {
    // Members may claim to serve while no client gets anything done. Only a canary that once worked may say
    // so.
    contradicted = std::all_of(members_.begin(), members_.end(),
                               [&](const Member& member) {
                                 return member.canary_failing_since &&
                                        now - *member.canary_failing_since > kCanaryOutweighs;
                               }) &&
                   std::any_of(view_.members.begin(), view_.members.end(),
                               [](const MemberView& member) { return member.canary.last_ok.has_value(); });
    serving = !contradicted;
  }
  if (serving && (!view_.serving || !served_since_)) served_since_ = now;
  view_.serving = serving;
  if (!judged_ || serving) {
    view_.unserved_since.reset();
  } else if (!view_.unserved_since) {
    // The outage began when something was first asked in vain, which is known only now.
    Moment began = now;
    if (contradicted) {
      began = *members_.front().canary_failing_since;
      for (const Member& member : members_)
        if (*member.canary_failing_since - began > nanoseconds{0}) began = *member.canary_failing_since;
    } else if (!view_.leader && !view_.leader_inferred && leaderless_since_) {
      began = *leaderless_since_;
    }
    // What an earlier outage has counted is not counted again.
    if (served_since_ && *served_since_ - began > nanoseconds{0}) began = *served_since_;
    view_.unserved_since = began;
    view_.unserved += std::max(nanoseconds{0}, now - began);
  }
}

void EnsembleTracker::derive_lag(Moment) {
  std::optional<Zxid> newest;
  for (const MemberView& member : view_.members)
    if (member.zxid && member.state == ServingState::kServing && (!newest || *member.zxid > *newest))
      newest = member.zxid;
  for (MemberView& member : view_.members) {
    member.lag_transactions.reset();
    if (!newest || !member.zxid || member.state != ServingState::kServing || view_.standalone) continue;
    if (member.zxid->epoch() == newest->epoch())
      member.lag_transactions = newest->counter() - member.zxid->counter();
    else
      member.lag_transactions = newest->counter();  // At least those of the newer epoch.
  }
}

void EnsembleTracker::derive_digests(Moment now, std::vector<Event>& events) {
  // The newest zxid that at least two members have a digest of decides; the leader's digest is the reference
  // when the members are evenly split.
  view_.digest_mismatches = 0;
  std::vector<std::optional<bool>> verdicts(members_.size());
  for (std::size_t index = 0; index < members_.size(); ++index) {
    const auto& own = members_[index].facts.digests.value;
    if (!own || now - members_[index].facts.digests.at > 3 * spec_.detail_interval + freshness(index))
      continue;
    for (auto digest = own->digests.rbegin(); digest != own->digests.rend() && !verdicts[index]; ++digest) {
      int same = 1, different = 0;
      bool leader_differs = false;
      for (std::size_t other = 0; other < members_.size(); ++other) {
        if (other == index || !members_[other].facts.digests.value) continue;
        const auto& theirs = members_[other].facts.digests.value->digests;
        const auto at = std::lower_bound(theirs.begin(), theirs.end(), digest->zxid,
                                         [](const Digest& row, Zxid zxid) { return row.zxid < zxid; });
        if (at == theirs.end() || at->zxid != digest->zxid) continue;
        if (at->value == digest->value)
          ++same;
        else {
          ++different;
          leader_differs |= view_.leader == other;
        }
      }
      if (same + different < 2) continue;
      const bool leads = view_.leader == index;
      verdicts[index] =
          different > same || (different == same && !leads && (leader_differs || !view_.leader));
    }
  }
  for (std::size_t index = 0; index < members_.size(); ++index) {
    MemberView& member = view_.members[index];
    const bool was = member.digest_mismatch.value_or(false);
    member.digest_mismatch = verdicts[index];
    if (!verdicts[index].value_or(false)) continue;
    ++view_.digest_mismatches;
    if (!was)
      emit(events, now, EventType::kDigestMismatch, Severity::kCritical, member.name,
           fmt::format("the data of {} differs from the other members' at the same zxid", member.name));
  }
}

void EnsembleTracker::derive_drift(Moment now, std::vector<Event>& events) {
  std::vector<ConfigurationDrift> drift;
  const auto configuration_fresh = [&](const MemberFacts& facts) {
    return facts.configuration.value &&
           now - facts.configuration.at <= 3 * spec_.detail_interval + freshness(0);
  };
  const auto compare = [&](std::string key, const auto& value_of) {
    ConfigurationDrift row{.key = std::move(key), .values = {}};
    bool differs = false;
    for (std::size_t index = 0; index < members_.size(); ++index) {
      std::optional<std::string> value = value_of(members_[index].facts);
      if (!value) continue;
      differs |= !row.values.empty() && row.values.front().second != *value;
      row.values.emplace_back(view_.members[index].name, std::move(*value));
    }
    if (differs) drift.push_back(std::move(row));
  };
  for (const std::string_view key : kDriftKeys)
    compare(std::string(key), [&](const MemberFacts& facts) -> std::optional<std::string> {
      if (!configuration_fresh(facts)) return std::nullopt;
      const auto value = facts.configuration.value->entry(key);
      return value ? std::optional(std::string(*value)) : std::nullopt;
    });
  compare("membership", [&](const MemberFacts& facts) -> std::optional<std::string> {
    if (!configuration_fresh(facts) || facts.configuration.value->membership.empty()) return std::nullopt;
    return membership_text(*facts.configuration.value);
  });
  compare("version", [](const MemberFacts& facts) -> std::optional<std::string> {
    if (!facts.status.value || facts.status.value->version.empty()) return std::nullopt;
    return facts.status.value->version;
  });
  for (const ConfigurationDrift& row : drift) {
    const bool known = std::any_of(view_.drift.begin(), view_.drift.end(),
                                   [&](const ConfigurationDrift& old) { return old.key == row.key; });
    if (known) continue;
    std::string values;
    for (const auto& [member, value] : row.values)
      values += fmt::format("{}{}: {}", values.empty() ? "" : "; ", member, value);
    emit(events, now, EventType::kConfigurationDrift, Severity::kWarning, "",
         fmt::format("members are configured differently in {} ({})", row.key, values));
  }
  view_.drift = std::move(drift);
}

void EnsembleTracker::derive_imbalance() {
  const auto imbalance = [&](const auto& value_of) -> std::optional<double> {
    double sum = 0, most = 0;
    int members = 0;
    for (std::size_t index = 0; index < members_.size(); ++index) {
      if (view_.members[index].state != ServingState::kServing) continue;
      const std::optional<double> value = value_of(members_[index].facts);
      if (!value) continue;
      sum += *value;
      most = std::max(most, *value);
      ++members;
    }
    if (members < 2 || sum <= 0) return std::nullopt;
    return most * members / sum;
  };
  view_.connection_imbalance = imbalance([](const MemberFacts& facts) {
    return facts.status.value ? facts.status.value->number("num_alive_connections") : std::optional<double>{};
  });
  view_.session_imbalance = imbalance([](const MemberFacts& facts) {
    return facts.connections.value ? std::optional(static_cast<double>(facts.connections.value->with_session))
                                   : std::optional<double>{};
  });
}

void EnsembleTracker::derive_limits() {
  constexpr double kFsyncLimitsMs = 20;
  constexpr double kOutstandingLimits = 10;
  view_.limited_by = "nothing";
  view_.limited_by_reason = "no limit shows in the members' numbers";
  const auto limit = [&](std::string what, std::string why) {
    if (view_.limited_by != "nothing") return;
    view_.limited_by = std::move(what);
    view_.limited_by_reason = std::move(why);
  };
  if (!judged_) {
    view_.limited_by = "unknown";
    view_.limited_by_reason = "not every member has been visited yet";
    return;
  }
  if (!view_.serving)
    limit("no quorum", fmt::format("{} of {} voters in sync, {} are needed", view_.voters_in_sync,
                                   view_.voters, view_.majority));
  for (std::size_t index = 0; index < members_.size(); ++index) {
    const MemberView& view = view_.members[index];
    if (view.state != ServingState::kServing) continue;
    if (members_[index].throttling)
      limit("limits of " + view.name, "the member throttles requests or refuses connections");
    if (members_[index].fsync_mean_ms > kFsyncLimitsMs)
      limit("disk of " + view.name,
            fmt::format("a flush of its transaction log takes {:.0f} ms", members_[index].fsync_mean_ms));
  }
  for (std::size_t index = 0; index < members_.size(); ++index) {
    const MemberView& view = view_.members[index];
    if (view.state != ServingState::kServing || !members_[index].facts.status.value) continue;
    const auto outstanding = members_[index].facts.status.value->number("outstanding_requests");
    if (outstanding && *outstanding > kOutstandingLimits)
      limit("request queue of " + view.name, fmt::format("{:.0f} requests are outstanding", *outstanding));
    if (view.lag_transactions && *view.lag_transactions > kLagUnsafeTransactions)
      limit("replication to " + view.name,
            fmt::format("it is {} transactions behind", grouped(*view.lag_transactions)));
  }
}

}  // namespace wk::exporter
