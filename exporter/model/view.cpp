#include "exporter/model/view.h"

namespace wk::exporter {

const char* name(CanaryOperation operation) {
  switch (operation) {
    case CanaryOperation::kConnect:
      return "connect";
    case CanaryOperation::kSync:
      return "sync";
    case CanaryOperation::kRead:
      return "read";
    case CanaryOperation::kCreate:
      return "create";
    case CanaryOperation::kSet:
      return "set";
    case CanaryOperation::kDelete:
      return "delete";
    case CanaryOperation::kWatch:
      return "watch";
  }
  return "unknown";
}

const char* name(CanaryResult result) {
  switch (result) {
    case CanaryResult::kOk:
      return "ok";
    case CanaryResult::kTimedOut:
      return "timed_out";
    case CanaryResult::kConnectionLoss:
      return "connection_loss";
    case CanaryResult::kSessionExpired:
      return "session_expired";
    case CanaryResult::kRefused:
      return "refused";
    case CanaryResult::kError:
      return "error";
  }
  return "unknown";
}

const char* name(CanaryMode mode) {
  switch (mode) {
    case CanaryMode::kOff:
      return "off";
    case CanaryMode::kRead:
      return "read";
    case CanaryMode::kWrite:
      return "write";
  }
  return "unknown";
}

const char* name(ServingState state) {
  switch (state) {
    case ServingState::kServing:
      return "serving";
    case ServingState::kReadOnly:
      return "read_only";
    case ServingState::kLooking:
      return "looking";
    case ServingState::kSyncing:
      return "syncing";
    case ServingState::kNotServing:
      return "not_serving";
    case ServingState::kUnreachable:
      return "unreachable";
  }
  return "unknown";
}

const char* name(EventType type) {
  switch (type) {
    case EventType::kExporterStarted:
      return "exporter_started";
    case EventType::kMemberLost:
      return "member_lost";
    case EventType::kMemberRegained:
      return "member_regained";
    case EventType::kMemberStateChanged:
      return "member_state_changed";
    case EventType::kMemberRestarted:
      return "member_restarted";
    case EventType::kRoleChanged:
      return "role_changed";
    case EventType::kLeaderLost:
      return "leader_lost";
    case EventType::kLeaderElected:
      return "leader_elected";
    case EventType::kQuorumLost:
      return "quorum_lost";
    case EventType::kQuorumRegained:
      return "quorum_regained";
    case EventType::kSplitBrain:
      return "split_brain";
    case EventType::kDigestMismatch:
      return "digest_mismatch";
    case EventType::kConfigurationChanged:
      return "configuration_changed";
    case EventType::kConfigurationDrift:
      return "configuration_drift";
    case EventType::kUnlistedMember:
      return "unlisted_member";
    case EventType::kConnectionStorm:
      return "connection_storm";
    case EventType::kExpiryStorm:
      return "expiry_storm";
    case EventType::kSlowFsync:
      return "slow_fsync";
    case EventType::kThrottling:
      return "throttling";
    case EventType::kSourceFailed:
      return "source_failed";
    case EventType::kSourceRecovered:
      return "source_recovered";
    case EventType::kCanaryFailed:
      return "canary_failed";
    case EventType::kCanaryRecovered:
      return "canary_recovered";
    case EventType::kServerStarted:
      return "server_started";
    case EventType::kServerStopped:
      return "server_stopped";
    case EventType::kSnapshotWritten:
      return "snapshot_written";
    case EventType::kSnapshotFailed:
      return "snapshot_failed";
    case EventType::kFilesPurged:
      return "files_purged";
    case EventType::kLogFull:
      return "log_full";
    case EventType::kLogWritable:
      return "log_writable";
    case EventType::kCoreStalled:
      return "core_stalled";
  }
  return "unknown";
}

const char* name(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  return "unknown";
}

}  // namespace wk::exporter
