// A small vocabulary for stories about an ensemble: who answers what, one second at a time. Time is a value.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/view/ensemble_tracker.h"

namespace wk::exporter {

class EnsembleStory {
 public:
  /// What one member answers to its visits.
  struct Answering {
    SourceState state =
        SourceState::kOk;  ///< of the client port; anything but kOk and kNotServing: no answer
    Role role = Role::kFollower;
    std::uint32_t epoch = 1;
    std::uint32_t counter = 100;
    int synced_followers = 2;  ///< told by a leader
    double connections = 10;
    double packets = 1000;
    std::uint32_t looking_count = 1;
    std::optional<double> uptime_ms;  ///< not told unless set; it does not grow by itself
    bool canary = true;               ///< its canary rounds succeed
    std::string address;              ///< that its name resolves to; not told unless set
  };

  explicit EnsembleStory(std::size_t members = 3, CanaryMode canary = CanaryMode::kRead)
      : tracker(spec(members, canary), start()), answering(members) {
    answering.at(members == 1 ? 0 : members - 1).role = members == 1 ? Role::kStandalone : Role::kLeader;
  }

  static EnsembleSpec spec(std::size_t members, CanaryMode canary) {
    EnsembleSpec result;
    result.canary = canary;
    for (std::size_t i = 0; i < members; ++i) {
      TargetSpec target;
      target.name = "zk" + std::to_string(i + 1) + ":2181";
      result.members.push_back(target);
    }
    return result;
  }

  static Moment start() {
    return {std::chrono::steady_clock::time_point(std::chrono::hours(1)),
            std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 50))};
  }

  /// Visits every member, runs a canary round, lets a second pass.
  void second() {
    ++round;
    for (std::size_t i = 0; i < answering.size(); ++i) visit(i);
    if (tracker.spec().canary != CanaryMode::kOff)
      for (std::size_t i = 0; i < answering.size(); ++i) canary(i);
    now = now + std::chrono::seconds(1);
    tracker.tick(now, events);
  }
  void seconds(int count) {
    for (int i = 0; i < count; ++i) second();
  }

  void visit(std::size_t index) {
    const Answering& who = answering[index];
    PollReport report;
    report.member = index;
    report.started = now;
    report.finished =
        now + std::chrono::milliseconds(5 + index);  // in the same order each second, as in life
    report.address = who.address;
    ProbeReport mntr{.probe = Probe::kMntr,
                     .state = who.state,
                     .detail = {},
                     .duration = std::chrono::milliseconds(2),
                     .answer = {}};
    ProbeReport srvr{.probe = Probe::kSrvr,
                     .state = who.state,
                     .detail = {},
                     .duration = std::chrono::milliseconds(1),
                     .answer = {}};
    if (who.state == SourceState::kOk) {
      StatusAnswer status;
      status.role = who.role;
      status.version = "3.9.5";
      add(status, "bytes_received_count", who.packets * 10);
      add(status, "looking_count", who.looking_count);
      add(status, "num_alive_connections", who.connections);
      add(status, "packets_received", who.packets);
      if (who.uptime_ms) add(status, "uptime", *who.uptime_ms);
      if (who.role == Role::kLeader) add(status, "synced_followers", who.synced_followers);
      mntr.answer = status;
      StatusAnswer brief;
      brief.role = who.role;
      brief.zxid = Zxid{(static_cast<std::uint64_t>(who.epoch) << 32) | who.counter};
      srvr.answer = brief;
    }
    report.probes = {mntr, srvr};
    report.probes.insert(report.probes.end(), extra.begin(), extra.end());
    tracker.observe(report, events);
  }

  void canary(std::size_t index) {
    CanaryMember& totals = canaries[index];
    const bool ok = answering[index].canary && answering[index].state == SourceState::kOk;
    totals.connected = ok;
    const Moment finished = now + std::chrono::milliseconds(20);
    if (ok) {
      totals.last_ok = totals.last_sync_ok = finished;
      totals.last_error.clear();
    } else {
      totals.last_error = "sync timed out";
    }
    tracker.observe(CanaryReport{index, round, finished, ok, ok, totals}, events);
  }

  /// Adds a configuration answer with this membership to every later visit of all members.
  static ProbeReport configuration(std::int64_t id, std::vector<MembershipEntry> membership,
                                   std::string tick = "2000") {
    ConfigurationAnswer answer;
    answer.server_id = ServerId{id};
    answer.entries = {{"maxClientCnxns", "60"}, {"syncLimit", "5"}, {"tickTime", std::move(tick)}};
    answer.membership = std::move(membership);
    return {.probe = Probe::kConf, .state = SourceState::kOk, .detail = {}, .duration = {}, .answer = answer};
  }

  void report_extra(std::size_t index, ProbeReport probe) {
    extra = {std::move(probe)};
    visit(index);
    extra.clear();
  }

  [[nodiscard]] const EnsembleView& view() const { return tracker.view(); }
  [[nodiscard]] const MemberView& member(std::size_t index) const { return tracker.view().members.at(index); }
  [[nodiscard]] long count(EventType type) const {
    return std::count_if(events.begin(), events.end(),
                         [&](const Event& event) { return event.type == type; });
  }
  [[nodiscard]] const Event& last(EventType type) const {
    const auto found =
        std::find_if(events.rbegin(), events.rend(), [&](const Event& event) { return event.type == type; });
    return found == events.rend() ? none : *found;
  }

  static void add(StatusAnswer& status, std::string_view metric, double value) {
    Measurement measurement{find_zk_metric(metric), {}, value};
    const auto at = std::lower_bound(
        status.measurements.begin(), status.measurements.end(), measurement,
        [](const Measurement& a, const Measurement& b) { return a.metric->name < b.metric->name; });
    status.measurements.insert(at, std::move(measurement));
  }

  EnsembleTracker tracker;
  std::vector<Answering> answering;
  std::vector<CanaryMember> canaries{answering.size()};
  std::vector<ProbeReport> extra;
  std::vector<Event> events;
  Moment now = start();
  std::uint64_t round = 0;
  Event none;
};

}  // namespace wk::exporter
