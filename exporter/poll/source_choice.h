// Which question a visit asks next: the pure decision behind the poller.
//
// A member's status can come from four sources, best first: mntr, AdminServer's monitor, the Prometheus
// endpoint, srvr. A source that says it will not tell (not in the whitelist, HTTP error, …) is rested for a
// while and the next one takes over in the same visit; what rests is asked again after kSourceRest, at once
// when nothing else answers, and after the member came back (a restart may have changed its whitelist).
// Thread: any; plain values. Time is an argument.
// Source: reference metrics.md, sections 1, 8 and 9 (which surface answers in which state).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "exporter/model/facts.h"
#include "exporter/poll/probe_request.h"

namespace wk::exporter {

/// How long a source that will not tell is left alone while others answer.
inline constexpr std::chrono::seconds kSourceRest{60};

/// HTTP surfaces that the configuration names; the client port is always there.
struct Surfaces {
  bool admin = false;
  bool prometheus = false;
};

/// What one question brought, as far as the choice of the next one depends on it.
struct ProbeOutcome {
  SourceState state = SourceState::kOk;
  bool connected = true;  ///< the connection (with TLS, where spoken) was established
  bool serving = true;    ///< meant with kOk of a status source: the answer is that of a member that serves
};

/// What a visit found out about the member as a whole, worst first.
enum class Condition : std::uint8_t {
  kSilent,      ///< no status source answered
  kNotServing,  ///< it answers that it does not serve
  kServing,
};

/// What is remembered of a member from visit to visit. Starts as an unknown member: everything may be asked.
struct SourceMemory {
  using TimePoint = std::chrono::steady_clock::time_point;
  /// A probe is rested while the time is before this.
  std::array<TimePoint, kProbeCount> rests_until{};
  Condition condition = Condition::kSilent;  ///< at the end of the last visit
};

/// The questions of one visit, one after another:
///     VisitPlan plan(surfaces, memory, now, detail);
///     while (auto probe = plan.next()) plan.answered(ask(*probe));
///     memory = plan.memory();
class VisitPlan {
 public:
  /// \param detail  also ask conf, cons, dirs, wchs, hash, isro, ruok; done as well when the member came back
  VisitPlan(Surfaces surfaces, const SourceMemory& memory, std::chrono::steady_clock::time_point now,
            bool detail, std::chrono::nanoseconds rest = kSourceRest);

  /// The next question, or nothing when the visit is over. The same until answered() is called.
  [[nodiscard]] std::optional<Probe> next() const;
  /// Records what became of next().
  void answered(const ProbeOutcome& outcome);
  /// Whether another question would follow if next() hung: then next() must leave some of the time.
  [[nodiscard]] bool others_follow() const;
  /// Whether this visit asked, or is to ask, for detail.
  [[nodiscard]] bool detail() const { return detail_; }
  /// To be kept for the next visit; valid at any time, also when the visit is cut short.
  [[nodiscard]] const SourceMemory& memory() const { return memory_; }

 private:
  [[nodiscard]] bool asked(Probe probe) const {
    return outcomes_[static_cast<std::size_t>(probe)].has_value();
  }
  [[nodiscard]] bool succeeded(Probe probe) const;
  [[nodiscard]] bool is_open(Probe probe) const;
  [[nodiscard]] bool is_rested(Probe probe) const;
  [[nodiscard]] bool may_ask(Probe probe) const;
  [[nodiscard]] std::optional<Probe> next_status() const;
  [[nodiscard]] std::optional<Probe> next_detail() const;
  void rest(Probe probe);
  void judge(const ProbeOutcome& outcome, Probe probe);

  SourceMemory memory_;
  Condition condition_before_;
  std::chrono::steady_clock::time_point now_;
  std::chrono::nanoseconds rest_;
  bool detail_;
  std::array<std::optional<SourceState>, kProbeCount> outcomes_{};
  std::array<bool, kSurfaceCount> shut_{};  ///< surfaces not to be asked (any more) in this visit
  std::array<int, kSurfaceCount> hung_{};   ///< questions that were accepted and never answered
};

/// The part of `remaining` that one step may use: all of it when nothing follows, else two thirds, so that a
/// peer that hangs leaves time for the others.
std::chrono::nanoseconds step_budget(std::chrono::nanoseconds remaining, bool others_follow);

}  // namespace wk::exporter
