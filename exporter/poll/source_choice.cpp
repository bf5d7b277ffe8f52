#include "exporter/poll/source_choice.h"

#include "base/check.h"

namespace wk::exporter {
namespace {

constexpr std::array<Probe, 4> kStatusSources{Probe::kMntr, Probe::kAdminMonitor, Probe::kPrometheus,
                                              Probe::kSrvr};

/// A word that adds detail, and the AdminServer commands that stand in for it. kRuok stands for "none".
struct DetailSource {
  Probe word;
  std::array<std::optional<Probe>, 2> stand_ins;
};
constexpr std::array<DetailSource, 7> kDetailSources{{
    {Probe::kRuok, {}},
    {Probe::kIsro, {}},
    {Probe::kConf, {Probe::kAdminConfiguration, Probe::kAdminVotingView}},
    {Probe::kCons, {Probe::kAdminConnections}},
    {Probe::kDirs, {Probe::kAdminDirs}},
    {Probe::kWchs, {Probe::kAdminWatchSummary}},
    {Probe::kHash, {Probe::kAdminHash}},
}};

/// Questions that may hang on one surface before the visit takes it for hung: mntr can hang alone (it walks
/// every metric), a second word that hangs means the process.
constexpr int kHungLimit = 2;

std::size_t index(Probe probe) { return static_cast<std::size_t>(probe); }
std::size_t surface_index(Probe probe) { return static_cast<std::size_t>(request_of(probe).surface); }

/// The source answered that it will not tell, or what it tells is of no use: asking again soon is pointless.
bool will_not_tell(SourceState state) {
  switch (state) {
    case SourceState::kNotWhitelisted:
    case SourceState::kHttpError:
    case SourceState::kMalformed:
    case SourceState::kTooLarge:
      return true;
    default:
      return false;
  }
}

}  // namespace

VisitPlan::VisitPlan(Surfaces surfaces, const SourceMemory& memory, std::chrono::steady_clock::time_point now,
                     bool detail, std::chrono::nanoseconds rest)
    : memory_(memory), condition_before_(memory.condition), now_(now), rest_(rest), detail_(detail) {
  memory_.condition = Condition::kSilent;
  shut_[static_cast<std::size_t>(Surface::kAdmin)] = !surfaces.admin;
  shut_[static_cast<std::size_t>(Surface::kPrometheus)] = !surfaces.prometheus;
}

bool VisitPlan::succeeded(Probe probe) const { return outcomes_[index(probe)] == SourceState::kOk; }
bool VisitPlan::is_open(Probe probe) const { return !shut_[surface_index(probe)]; }
bool VisitPlan::is_rested(Probe probe) const { return now_ < memory_.rests_until[index(probe)]; }
bool VisitPlan::may_ask(Probe probe) const { return !asked(probe) && is_open(probe) && !is_rested(probe); }

std::optional<Probe> VisitPlan::next_status() const {
  for (const Probe probe : kStatusSources)
    if (may_ask(probe)) return probe;
  for (const Probe probe : kStatusSources)  // nothing else answers: what rests is asked after all
    if (!asked(probe) && is_open(probe)) return probe;
  return std::nullopt;
}

std::optional<Probe> VisitPlan::next_detail() const {
  for (const DetailSource& source : kDetailSources) {
    if (may_ask(source.word)) return source.word;
    if (succeeded(source.word)) continue;
    for (const std::optional<Probe>& stand_in : source.stand_ins)
      if (stand_in && may_ask(*stand_in)) return stand_in;
  }
  return std::nullopt;
}

std::optional<Probe> VisitPlan::next() const {
  if (memory_.condition == Condition::kSilent)
    if (const auto probe = next_status()) return probe;
  if (may_ask(Probe::kSrvr)) return Probe::kSrvr;

  const bool zxid_told = succeeded(Probe::kSrvr) || memory_.condition == Condition::kNotServing;
  if (!zxid_told && may_ask(Probe::kAdminServerStats)) return Probe::kAdminServerStats;

  if (memory_.condition != Condition::kServing) {
    if (may_ask(Probe::kAdminZabstate)) return Probe::kAdminZabstate;
    if (may_ask(Probe::kRuok)) return Probe::kRuok;
    return std::nullopt;
  }
  return detail_ ? next_detail() : std::nullopt;
}

bool VisitPlan::others_follow() const {
  VisitPlan after = *this;
  after.answered({.state = SourceState::kTimedOut, .connected = true, .serving = false});
  return after.next().has_value();
}

void VisitPlan::rest(Probe probe) { memory_.rests_until[index(probe)] = now_ + rest_; }

void VisitPlan::judge(const ProbeOutcome& outcome, Probe probe) {
  if (!is_status_source(probe)) return;
  // "Not serving" outlasts an earlier answer of this visit: the member stopped serving in between, or the
  // earlier source (the Prometheus endpoint) does not tell.
  if (outcome.state == SourceState::kNotServing || (outcome.state == SourceState::kOk && !outcome.serving))
    memory_.condition = Condition::kNotServing;
  else if (outcome.state == SourceState::kOk && memory_.condition == Condition::kSilent)
    memory_.condition = Condition::kServing;

  if (memory_.condition > condition_before_) {
    for (std::size_t i = 0; i < kProbeCount; ++i)
      if (!outcomes_[i]) memory_.rests_until[i] = {};
    if (memory_.condition == Condition::kServing) detail_ = true;
    condition_before_ = memory_.condition;
  }
}

void VisitPlan::answered(const ProbeOutcome& outcome) {
  const std::optional<Probe> probe = next();
  WK_CHECK(probe.has_value(), "answered() after the visit is over");
  outcomes_[index(*probe)] = outcome.state;
  const std::size_t surface = surface_index(*probe);
  const bool http = request_of(*probe).surface != Surface::kClientPort;

  const bool answered_at_all = outcome.state == SourceState::kOk || outcome.state == SourceState::kNotServing;
  if (answered_at_all)
    memory_.rests_until[index(*probe)] = {};
  else if (will_not_tell(outcome.state) && *probe != Probe::kSrvr)
    rest(*probe);

  if (outcome.state == SourceState::kTimedOut && outcome.connected) ++hung_[surface];
  if (!outcome.connected || hung_[surface] >= (http ? 1 : kHungLimit)) {
    shut_[surface] = true;
    if (http)
      for (std::size_t i = 0; i < kProbeCount; ++i)
        if (surface_index(static_cast<Probe>(i)) == surface) rest(static_cast<Probe>(i));
  }
  judge(outcome, *probe);
}

std::chrono::nanoseconds step_budget(std::chrono::nanoseconds remaining, bool others_follow) {
  return others_follow ? remaining * 2 / 3 : remaining;
}

}  // namespace wk::exporter
