// The alert rules as far as dashboards show them: names, which are also those of the runbooks, and thresholds.
// tests/dashboards compares both with alerts/watchkeeper.rules.yml and docs/runbooks.

/**
 * Prefix of every link to a runbook, as the exporter serves them; the index is the prefix alone. A hidden variable of each
 * dashboard, so that it is changed in one place.
 */
export const runbookBase = 'http://localhost:9141/runbooks/';

export type Alert =
  | 'ZooKeeperAverageLatencyHigh' | 'ZooKeeperCanaryFailing' | 'ZooKeeperCanaryLatencyHigh'
  | 'ZooKeeperCanaryStalled' | 'ZooKeeperCertificateExpiring' | 'ZooKeeperChildListNearLimit'
  | 'ZooKeeperClientsNotReading' | 'ZooKeeperConfigurationDrift' | 'ZooKeeperConnectionsNearLimit'
  | 'ZooKeeperConnectionsRejected' | 'ZooKeeperDataSizeGrowth' | 'ZooKeeperDataSizeHigh' | 'ZooKeeperDigestMismatch'
  | 'ZooKeeperDiskFilling' | 'ZooKeeperEnsembleUnwatched' | 'ZooKeeperEphemeralsGrowth' | 'ZooKeeperErrorBudgetBurn' | 'ZooKeeperExporterBlind'
  | 'ZooKeeperExporterDown' | 'ZooKeeperExporterStale' | 'ZooKeeperFileDescriptorsNearLimit' | 'ZooKeeperFollowerLag'
  | 'ZooKeeperFsyncSlow' | 'ZooKeeperFsyncStalls' | 'ZooKeeperLeaderFlapping' | 'ZooKeeperLimitForecast'
  | 'ZooKeeperLimitNear' | 'ZooKeeperLockQueueGrowing' | 'ZooKeeperLogDiskFull' | 'ZooKeeperMemberDown'
  | 'ZooKeeperMemberFlapping' | 'ZooKeeperMemberNotServing' | 'ZooKeeperNoLeader'
  | 'ZooKeeperOutstandingRequestsHigh' | 'ZooKeeperPurgeFailing' | 'ZooKeeperQuorumLost'
  | 'ZooKeeperQuorumMarginZero' | 'ZooKeeperRequestLatencyHigh' | 'ZooKeeperServerStalled'
  | 'ZooKeeperServiceInterrupted' | 'ZooKeeperSessionExpiryStorm' | 'ZooKeeperSessionsExpiredByServer'
  | 'ZooKeeperSessionsNearTimeout' | 'ZooKeeperSnapshotFailing' | 'ZooKeeperSnapshotOverdue' | 'ZooKeeperSplitBrain'
  | 'ZooKeeperThrottling' | 'ZooKeeperTooFewSyncedFollowers' | 'ZooKeeperUnlistedMember'
  | 'ZooKeeperWatchCountGrowth' | 'ZooKeeperWatchCountHigh' | 'ZooKeeperWatchHerd' | 'ZooKeeperWritesSlow'
  | 'ZooKeeperZnodeCountGrowth' | 'ZooKeeperZnodeCountHigh' | 'ZooKeeperZxidCounterHeadroom';

/** A runbook: an alert's, or the index of all for what no alert watches. */
export type Runbook = Alert | 'README';

/** Values from which on a number is coloured; `below` means that lower values are the worse ones. */
export interface Limits {
  warning?: number;
  critical?: number;
  below?: boolean;
}

const sloErrorBudget = 0.0001;

export const limits = {
  requestLatency: { warning: 0.05 },
  canaryLatency: { warning: 0.1 },
  canaryFailures: { warning: 0.1 },
  fsync: { warning: 0.05 },
  outstanding: { warning: 10 },
  lag: { warning: 1000 },
  elections: { warning: 4 },
  stateChanges: { warning: 12 },
  ofLimit: { warning: 0.8 },
  zxidUsed: { warning: 0.9 },
  znodes: { warning: 2e6 },
  watches: { warning: 5e5 },
  ephemerals: { warning: 1e5 },
  dataSize: { warning: 2 * 1024 * 1024 * 1024 },
  certificate: { warning: 14 * 86400, critical: 2 * 86400, below: true },
  snapshotAge: { critical: 15 },
  pollAge: { critical: 60 },
  burnRate: { warning: 3 * sloErrorBudget, critical: 14.4 * sloErrorBudget },
  availability: { critical: 1 - sloErrorBudget, below: true },
  expiries: { warning: 20 },
  /** The 99th percentile of writes of a Watchkeeper server, its longest wake-up, contenders of a lock. */
  writeTail: { warning: 0.25 },
  stall: { warning: 1 },
  lockQueue: { warning: 50 },
  limitLeft: { warning: 4 * 3600, below: true },
  /** The margin of voters: 0 is the last moment at which the ensemble serves. */
  margin: { warning: 1, critical: 0, below: true },
  /** For counts and flags that should be zero. */
  anyIsBad: { critical: 1 },
  anyIsOdd: { warning: 1 },
  /** What is left of the error budget. */
  shouldBeAboveZero: { critical: 0, below: true },
  /** For flags that should be one. */
  shouldBeOne: { critical: 1, below: true },
  shouldBeOneSoon: { warning: 1, below: true },
} as const satisfies Record<string, Limits>;
