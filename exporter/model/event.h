// Events: what changed, when, and for whom. Bounded in number; counted for ever.
//
// Thread: any; plain values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace wk::exporter {

enum class EventType : std::uint8_t {
  kExporterStarted,
  kMemberLost,          ///< a member became unreachable
  kMemberRegained,      ///< it answers again
  kMemberStateChanged,  ///< any other change of its serving state
  kMemberRestarted,     ///< its counters began anew, and its uptime where it tells one
  kRoleChanged,
  kLeaderLost,
  kLeaderElected,  ///< a leader is known again, or another one than before
  kQuorumLost,     ///< fewer voters in sync than the majority
  kQuorumRegained,
  kSplitBrain,      ///< two leaders of the same epoch, or a deposed one that still answers as leader
  kDigestMismatch,  ///< members differ at the same zxid
  kConfigurationChanged,
  kConfigurationDrift,  ///< members of one ensemble are configured differently
  kUnlistedMember,      ///< the membership names a server that the exporter was not told of
  kConnectionStorm,     ///< connections of a member rose faster than the threshold
  kExpiryStorm,         ///< sessions expired faster than the threshold
  kSlowFsync,           ///< mean fsync time of the last interval above the threshold
  kThrottling,          ///< a member throttles or refuses requests
  kSourceFailed,        ///< a source stopped answering, with its state
  kSourceRecovered,
  kCanaryFailed,  ///< client operations through a member fail
  kCanaryRecovered,
  // What only a server knows of itself, and tells where it watches itself.
  kServerStarted,  ///< with how the process before it ended
  kServerStopped,  ///< in order; the reason in the text
  kSnapshotWritten,
  kSnapshotFailed,
  kFilesPurged,
  kLogFull,      ///< no room for the transaction log: writes are refused
  kLogWritable,  ///< there is room again
  kCoreStalled,  ///< the core thread did nothing for a while
};
inline constexpr std::size_t kEventTypeCount = 31;
/// Label value and API name: "leader_lost", …
const char* name(EventType type);

enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };
const char* name(Severity severity);

struct Event {
  std::uint64_t id = 0;  ///< rises by one with each event of this exporter process; starts at 1
  Moment at;
  EventType type = EventType::kExporterStarted;
  Severity severity = Severity::kInfo;
  std::string ensemble;
  std::string member;  ///< as configured; empty when the event is the ensemble's
  std::string text;    ///< one sentence with the numbers; printable
  std::optional<std::chrono::nanoseconds> duration;  ///< of what just ended (an election, an outage)
};

}  // namespace wk::exporter
