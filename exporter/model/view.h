// What the exporter concludes: the ensemble view, computed from all members' facts because no server can see
// it.
//
// A Snapshot is immutable once published; HTTP threads read it without a lock. It is complete in every state:
// an outage changes values, never the set of fields. Thread: any; plain values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/duration_histogram.h"
#include "base/ids.h"
#include "base/time.h"
#include "exporter/model/event.h"
#include "exporter/model/facts.h"
#include "exporter/model/source_status.h"

namespace wk::exporter {

// ---------------------------------------------------------------------------------------------------------------
// Canary: synthetic client operations

enum class CanaryOperation : std::uint8_t { kConnect, kSync, kRead, kCreate, kSet, kDelete, kWatch };
inline constexpr std::size_t kCanaryOperationCount = 7;
const char* name(CanaryOperation operation);

enum class CanaryResult : std::uint8_t {
  kOk,
  kTimedOut,
  kConnectionLoss,
  kSessionExpired,
  kRefused,  ///< no connection could be made
  kError,    ///< the server answered with an error code that the operation does not expect
};
inline constexpr std::size_t kCanaryResultCount = 6;
const char* name(CanaryResult result);

enum class CanaryMode : std::uint8_t { kOff, kRead, kWrite };
const char* name(CanaryMode mode);

/// Totals of one member's canary since the exporter started.
struct CanaryMember {
  bool connected = false;
  std::array<std::array<std::uint64_t, kCanaryResultCount>, kCanaryOperationCount> operations{};
  std::array<LatencyHistogram, kCanaryOperationCount> latency{};  ///< of successful operations
  LatencyHistogram watch_delivery;  ///< change acknowledged at `watch_from` → event received at this member
  std::string watch_from;           ///< the member through which the watched change is made; empty when none
  std::uint64_t sessions_expired = 0;
  std::optional<Moment> last_ok;       ///< last round in which every operation through this member succeeded
  std::optional<Moment> last_sync_ok;  ///< last successful sync (evidence that a leader serves)
  std::string last_error;              ///< of the newest failed operation; printable
};

/// What one round of the canary brought; the view adds it up.
struct CanaryReport {
  std::size_t member = 0;
  std::uint64_t round = 0;  ///< number of the round, the same for all members; rises by one
  Moment finished;
  bool round_ok = false;  ///< every operation of the round succeeded
  bool sync_ok = false;
  CanaryMember totals;  ///< the owner's running totals after this round
};

// ---------------------------------------------------------------------------------------------------------------
// Members

/// What a member does for clients. Exactly one applies, in every situation.
/// From the best to the worst.
enum class ServingState : std::uint8_t {
  kServing,      ///< leader, follower or observer of a quorum, or standalone
  kReadOnly,     ///< serves read-only clients without a quorum
  kLooking,      ///< in leader election
  kSyncing,      ///< discovery or synchronisation with a leader
  kNotServing,   ///< the process answers but does not serve, and its surfaces do not tell why
  kUnreachable,  ///< no surface answers
};
inline constexpr std::size_t kServingStateCount = 6;
const char* name(ServingState state);

struct SafeToStop {
  bool safe = false;
  std::string reason;  ///< one sentence, for example "would leave 1 of 3 voters in sync; 2 are needed"
};

struct MemberView {
  std::string name;     ///< "HOST:PORT" as configured: identity in labels and URLs
  std::string address;  ///< "IP:PORT" last connected to; empty when never
  std::optional<ServerId> id;
  bool voter = true;  ///< false when role or membership says observer, or when it is listed twice
  std::optional<std::size_t> same_as;  ///< index of the member that is the same server by another name
  ServingState state = ServingState::kUnreachable;
  std::string state_reason;  ///< why, in a sentence ("refuses connections on its client port")
  Moment state_since;
  Role role = Role::kUnknown;
  ZabPhase phase = ZabPhase::kUnknown;
  std::optional<Zxid> zxid;
  std::optional<std::uint64_t> lag_transactions;  ///< behind what others had shown before it answered
  bool in_sync = false;  ///< serves in the current epoch as leader or follower (observers: as observer)
  std::optional<bool> digest_mismatch;       ///< absent while no digest at a common zxid is known
  std::shared_ptr<const MemberFacts> facts;  ///< never null
  /// Age up to which what is asked each detail interval only tells its present.
  std::chrono::nanoseconds detail_fresh_for = std::chrono::seconds{34};
  SourceStatuses sources;
  SafeToStop safe_to_stop;
  std::optional<std::chrono::system_clock::time_point> certificate_not_after;
  CanaryMember canary;
  std::uint64_t state_changes = 0;
  std::uint64_t restarts = 0;
  std::uint64_t polls = 0;          ///< visits finished, whatever their outcome
  std::optional<Moment> last_poll;  ///< when the last visit finished
};

/// What was asked in detail, while it tells the present of a member that serves; else null.
template <typename T>
const T* present(const MemberView& member, const Dated<T>& detail, Moment now) {
  const bool serves = member.state == ServingState::kServing || member.state == ServingState::kReadOnly;
  return serves && detail.value && now - detail.at <= member.detail_fresh_for ? &*detail.value : nullptr;
}

// ---------------------------------------------------------------------------------------------------------------
// Ensembles

/// One named problem, for people and for machines.
struct Problem {
  std::string id;  ///< stable name: "no_leader", "quorum_lost", "member_unreachable", …
  Severity severity = Severity::kWarning;
  std::string summary;               ///< what, with the numbers
  std::string cause;                 ///< why, as far as the facts tell
  std::string remedy;                ///< what to do
  std::string runbook;               ///< file name in docs/runbooks without ".md": the alert's name
  std::vector<std::string> members;  ///< concerned; empty for the ensemble as a whole
};

/// One configuration key on which members of an ensemble disagree.
struct ConfigurationDrift {
  std::string key;
  std::vector<std::pair<std::string, std::string>> values;  ///< member name, its value
};

struct EnsembleView {
  std::string name;
  CanaryMode canary_mode = CanaryMode::kOff;
  std::vector<MemberView> members;  ///< in the order of the configuration

  bool standalone = false;  ///< one server outside any quorum
  int voters = 0;           ///< voting members: from the membership where known, else listed ones
  int majority = 0;         ///< voters needed to serve
  int voters_in_sync = 0;
  int quorum_margin = 0;              ///< voters_in_sync - majority
  bool serving = false;               ///< clients can be served: quorum in sync with a leader
  std::optional<std::size_t> leader;  ///< index of the member that leads the current epoch
  bool leader_inferred = false;  ///< the leader itself does not answer us, but syncs through others succeed
  std::optional<ServerId> leader_id;
  std::optional<Epoch> epoch;
  std::chrono::nanoseconds unserved{0};  ///< total time without service, the running outage included
  std::optional<Moment> unserved_since;  ///< start of the running outage
  std::uint64_t leader_changes = 0;
  std::uint64_t elections = 0;  ///< periods without a leader that ended, or epochs seen to pass
  ElectionHistogram election_duration;
  int leaders = 0;          ///< members that lead the current epoch; more than one is a split brain
  int deposed_leaders = 0;  ///< members that answer as leader of an older epoch
  bool split_brain = false;
  int digest_mismatches = 0;  ///< members whose digest differs from the majority's at the same zxid
  std::vector<ConfigurationDrift> drift;
  std::vector<std::string>
      unlisted_members;  ///< "server N (HOST:PORT)" known from the membership but not configured
  std::optional<double>
      connection_imbalance;                 ///< most connections of a member ÷ mean; absent below 2 members
  std::optional<double> session_imbalance;  ///< the same for sessions held (connections with a session)
  std::uint64_t canary_rounds_ok = 0;       ///< rounds in which at least one member served the canary wholly
  std::uint64_t canary_rounds_failed = 0;
  std::array<std::uint64_t, kEventTypeCount> events{};
  std::vector<Problem> problems;  ///< worst first
  std::string verdict;            ///< one sentence: what is the matter, since when, and with whom
  std::string limited_by;         ///< what performance is limited by now: "nothing", "disk of zk2:2181", …
  std::string limited_by_reason;  ///< the numbers behind it
};

/// The exporter's own counters.
struct ExporterStats {
  Moment started;
  std::uint64_t events_dropped = 0;       ///< events that fell out of the ring before anyone could read them
  std::uint64_t poll_rounds_skipped = 0;  ///< visits not begun or not counted, see Poller
  std::uint64_t samples_dropped = 0;      ///< values of members left out because a limit was reached
};

struct Snapshot {
  std::uint64_t sequence = 0;
  Moment taken;
  std::vector<EnsembleView> ensembles;
  ExporterStats exporter;
};

}  // namespace wk::exporter
