// One ensemble: is it serving, who leads, who lags, what do clients feel, and which of disk, network, Java, load or a limit
// is the reason.

import { limits } from './alerts';
import {
  ageOfView, alertTable, availability, exporterSection, noOrYes, page, roles, roleTexts, servingLabelColours, servingStates,
  servingTexts, toMember, yesOrNo, yesOrNotNow,
} from './frame';
import { colours, distribution, labelColours, lines, number, rows, states, type Placed, type Query, type Unit } from './panels';
import { buckets, coded, growth, highest, lastAnswer, lowest, mean, ofEnsemble as of, percentile, rate, total } from './promql';
import type { Limits, Runbook } from './alerts';

const open = toMember('label', 'chosen');
const byMember = (expr: string): Query[] => [{ expr: highest(expr), legend: '{{member}}' }];

/** A third of a line: one series a member. */
function ofMembers(title: string, unit: Unit, runbook: Runbook | Runbook[], description: string, expr: string,
                   limit?: Limits): Placed {
  const limits = limit && { limits: limit };
  return lines({ title, unit, runbook, description, width: 8, link: open, queries: byMember(expr), ...limits });
}

export const ensemble = page({
  scope: 'ensemble',
  title: 'ZooKeeper: one ensemble',
  description: 'From "is it serving?" to the reason why not. Everything here comes from watchkeeper-exporter.',
  ensembles: of,
  members: of,
  sections: [{
    title: 'Now',
    lines: [[
      number({
        title: 'Serving', width: 2, unit: 'none', mappings: yesOrNo, limits: limits.shouldBeOne,
        runbook: ['ZooKeeperQuorumLost', 'ZooKeeperNoLeader'],
        description: 'Whether clients can be served: a quorum is in sync with a leader, or the standalone server serves.',
        queries: [{ expr: lowest(of('watchkeeper_ensemble_serving')), legend: 'serving' }],
      }),
      number({
        title: 'Quorum margin', width: 3, unit: 'none', limits: limits.margin,
        runbook: ['ZooKeeperQuorumMarginZero', 'ZooKeeperQuorumLost'],
        description: 'Voters that may still fail. 0: the next failure stops service; negative: it is down. A standalone server, ' +
          'and an ensemble of two, always have 0.',
        queries: [{ expr: lowest(of('watchkeeper_ensemble_quorum_margin')), legend: 'margin' }],
      }),
      number({
        title: 'Voters in sync', width: 4, unit: 'none', runbook: 'ZooKeeperTooFewSyncedFollowers',
        description: 'Voters that follow the current leader, itself included; how many are needed; how many there are.',
        queries: [
          { expr: lowest(of('watchkeeper_ensemble_voters_in_sync')), legend: 'in sync' },
          { expr: highest(of('watchkeeper_ensemble_majority')), legend: 'needed' },
          { expr: highest(of('watchkeeper_ensemble_voters')), legend: 'voters' },
        ],
      }),
      number({
        title: 'Leader', width: 4, unit: 'none', name: true, runbook: ['ZooKeeperNoLeader', 'ZooKeeperSplitBrain'],
        absent: 'none',
        description: 'The member that says that it leads; for a standalone server the server itself.',
        queries: [{
          expr: `${highest(of('watchkeeper_member_role', 'role=~"leader|standalone"'), 'role')} == 1`, legend: '{{member}}',
        }],
      }),
      availability(3, of),
      number({
        title: 'Error budget left', width: 3, unit: 'percentunit', decimals: 1, limits: limits.shouldBeAboveZero,
        runbook: 'ZooKeeperErrorBudgetBurn', absent: 'no rules or no canary',
        description: 'Part of the error budget of the last 30 days that is left: 100 % when no second was lost, below 0 when more ' +
          'than 0.01 % were. From the shipped recording rules.',
        queries: [{ expr: 'min(ensemble:watchkeeper_error_budget_remaining:ratio30d{job="$job", ensemble="$ensemble"})',
          legend: 'left' }],
      }),
      number({
        title: 'Without service', width: 3, unit: 'dtdurations', limits: limits.anyIsOdd, runbook: 'ZooKeeperServiceInterrupted',
        description: 'Seconds of the time shown in which nobody was served. An election costs one to a few.',
        queries: [{ expr: highest(growth(of('watchkeeper_ensemble_unserved_seconds_total'))), legend: 'without service' }],
      }),
      ageOfView(2, of('watchkeeper_ensemble_serving')),
    ], [
      rows({
        title: 'Members', width: 24, height: 8, unit: 'short',
        runbook: ['ZooKeeperMemberDown', 'ZooKeeperMemberNotServing', 'ZooKeeperFollowerLag'],
        description: 'One row a member. Numbers of a member that stopped answering vanish; how long ago it answered stays. "May ' +
          'stop" means that the ensemble keeps serving without it. A click on the name opens the member.',
        labels: [
          highest(`${of('watchkeeper_member_serving_state')} == 1`),
          highest(`${of('watchkeeper_member_role')} == 1`),
          highest(of('watchkeeper_member_info')),
        ],
        sort: { column: 'member', descending: false },
        columns: [
          { title: 'member', link: toMember('column', 'chosen') },
          { title: 'State', label: 'state', mappings: servingLabelColours, width: 110 },
          { title: 'Role', label: 'role', width: 90, mappings: labelColours({ leader: 'purple', unknown: colours.critical }) },
          { title: 'May stop', expr: lowest(of('watchkeeper_member_safe_to_stop')), unit: 'none', mappings: yesOrNotNow,
            limits: limits.shouldBeOneSoon, width: 90 },
          { title: 'In sync', expr: lowest(of('watchkeeper_member_in_sync')), unit: 'none', mappings: yesOrNo,
            limits: limits.shouldBeOne, width: 80 },
          { title: 'Lag', expr: highest(of('watchkeeper_member_lag_transactions')), limits: limits.lag, width: 80 },
          { title: 'Last answer', expr: lastAnswer(of), unit: 'dtdurations' },
          { title: 'Writes', expr: highest(mean(of, 'watchkeeper_member_update_latency_seconds')), unit: 's',
            limits: limits.requestLatency },
          { title: 'fsync', expr: highest(mean(of, 'watchkeeper_member_fsync_duration_seconds')), unit: 's', limits: limits.fsync },
          { title: 'Outstanding', expr: highest(of('watchkeeper_member_outstanding_requests')), limits: limits.outstanding },
          { title: 'Connections', expr: highest(of('watchkeeper_member_connections')) },
          { title: 'Watches', expr: highest(of('watchkeeper_member_watches')), limits: limits.watches },
          { title: 'Version', label: 'version' },
          { title: 'Id', label: 'server_id', width: 50 },
        ],
      }),
    ], [
      alertTable(12, 8, 'ensemble', ['ensemble="$ensemble"'], ['ensemble=""']),
      states({
        title: 'State of each member', width: 12, unit: 'none', link: open, mappings: servingTexts,
        runbook: ['ZooKeeperMemberNotServing', 'ZooKeeperMemberFlapping'],
        description: 'Serving state over time, as the exporter concludes it from all that the member answers.',
        queries: [{ expr: coded(of, 'watchkeeper_member_serving_state', 'state', servingStates), legend: '{{member}}' }],
      }),
    ]],
  }, {
    title: 'What clients feel',
    lines: [[
      lines({
        title: 'Canary, 95th percentile', width: 8, unit: 's', limits: limits.canaryLatency, absent: 'canary is off',
        runbook: 'ZooKeeperCanaryLatencyHigh',
        description: "The exporter's own client operations through all members. read is local to a member; sync and writes pass " +
          'the leader and a majority; the limit does not hold for connect.',
        queries: [{
          expr: percentile(0.95, of, 'watchkeeper_canary_operation_duration_seconds', ['member']), legend: '{{operation}}',
        }],
      }),
      lines({
        title: 'Canary through each member, 95th percentile', width: 8, unit: 's', limits: limits.canaryLatency, link: open,
        runbook: 'ZooKeeperCanaryLatencyHigh', absent: 'canary is off',
        description: 'The slowest operation but connect. One member alone: its host or its link. All of them: the leader, its disk, ' +
          'or a majority of disks.',
        queries: [{
          expr: `max without (operation) (${percentile(0.95, of, 'watchkeeper_canary_operation_duration_seconds', [],
            'operation!="connect"')})`,
          legend: '{{member}}',
        }],
      }),
      lines({
        title: 'Canary operations that failed', width: 8, unit: 'percentunit', limits: limits.canaryFailures, link: open, max: 1,
        runbook: 'ZooKeeperCanaryFailing', absent: 'canary is off',
        description: 'Part of the operations through each member that failed or timed out.',
        queries: [{
          expr: `1 - ${total(rate(of('watchkeeper_canary_operations_total', 'result="ok"')), 'operation', 'result')} / ` +
            total(rate(of('watchkeeper_canary_operations_total')), 'operation', 'result'),
          legend: '{{member}}',
        }],
      }),
    ], [
      distribution({
        title: 'Canary syncs by duration', width: 8, unit: 's', runbook: 'ZooKeeperCanaryLatencyHigh', absent: 'canary is off',
        description: 'How many syncs took how long. Two bands mean two kinds of members, or a disk that is slow now and then.',
        query: buckets(of, 'watchkeeper_canary_operation_duration_seconds', 'operation="sync"'),
      }),
      ofMembers('Writes, mean latency', 's', 'ZooKeeperRequestLatencyHigh',
        'From receiving a write to its reply, at the member that owns the connection, over the last few scrapes.',
        mean(of, 'watchkeeper_member_update_latency_seconds'), limits.requestLatency),
      ofMembers('Reads, mean latency', 's', 'ZooKeeperRequestLatencyHigh',
        'Pings count as reads and pull this towards 0 when sessions are idle: real reads are slower.',
        mean(of, 'watchkeeper_member_read_latency_seconds'), limits.requestLatency),
    ]],
  }, {
    title: 'Load',
    lines: [[
      ofMembers('Client packets received', 'pps', 'README', 'Requests and pings. A member that receives none has no clients, or ' +
        'cannot be reached by them.', rate(of('watchkeeper_member_packets_received_total'))),
      lines({
        title: 'Writes committed', width: 8, unit: 'ops', runbook: 'README',
        description: 'Proposals that the leader sent a second: writes, and starts and ends of sessions.',
        queries: [{ expr: highest(rate(of('watchkeeper_member_proposals_total')), 'member'), legend: 'proposals' }],
      }),
      ofMembers('Outstanding requests', 'short', 'ZooKeeperOutstandingRequestsHigh',
        'Requests in the pipeline. On all members: a slow leader or slow disks. On one: its CPU, Java or link to the leader.',
        of('watchkeeper_member_outstanding_requests'), limits.outstanding),
    ], [
      lines({
        title: 'Client connections', width: 8, unit: 'short', stacked: true, link: open, runbook: 'ZooKeeperConnectionsNearLimit',
        description: 'Open connections, those of monitoring included. Very uneven ones mean that clients list one member first.',
        queries: byMember(of('watchkeeper_member_connections')),
      }),
      lines({
        title: 'Sessions', width: 8, unit: 'short', runbook: 'ZooKeeperSessionExpiryStorm',
        description: 'Sessions that the whole ensemble knows, and those that expired in the last 5 minutes.',
        queries: [
          { expr: highest(of('watchkeeper_member_global_sessions'), 'member'), legend: 'sessions' },
          { expr: total(`increase(${of('watchkeeper_member_sessions_expired_total')}[5m])`, 'member'),
            legend: 'expired in 5 minutes' },
        ],
      }),
      ofMembers('Watches', 'short', ['ZooKeeperWatchCountHigh', 'ZooKeeperWatchCountGrowth'],
        'Watch registrations on each member; they go with the clients when a member stops.', of('watchkeeper_member_watches'),
        limits.watches),
    ]],
  }, {
    title: 'Causes: disk',
    lines: [[
      ofMembers('Mean fsync', 's', 'ZooKeeperFsyncSlow',
        'One flush of the transaction log. Every write waits for a majority of them. ZooKeeper rounds down to milliseconds: 0 is a ' +
        'fast disk.', mean(of, 'watchkeeper_member_fsync_duration_seconds'), limits.fsync),
      ofMembers('Longest fsync', 's', 'ZooKeeperFsyncSlow',
        'The longest flush since the process started or its statistics were reset: it never comes down by itself.',
        of('watchkeeper_member_fsync_duration_maximum_seconds')),
      ofMembers('Logs and snapshots on disk', 'bytes', 'ZooKeeperDiskFilling',
        'Size of both directories. It grows for ever unless autopurge is on.',
        `${of('watchkeeper_member_log_directory_bytes')} + ${of('watchkeeper_member_snapshot_directory_bytes')}`),
    ]],
  }, {
    title: 'Causes: network and followers',
    lines: [[
      lines({
        title: 'Acknowledgement by a quorum', width: 8, unit: 's', runbook: 'ZooKeeperRequestLatencyHigh', link: open,
        description: 'From proposing to the acknowledgement of a majority, as the leader counts it: the link and the disk of the ' +
          'slowest voter that is needed.',
        queries: byMember(mean(of, 'watchkeeper_member_quorum_ack_latency_seconds')),
      }),
      ofMembers('Lag behind the leader', 'short', 'ZooKeeperFollowerLag',
        'Transactions between the newest one known and the last one of this member. Some seconds of writes are normal, since ' +
        'members are visited at different moments.', of('watchkeeper_member_lag_transactions'), limits.lag),
      lines({
        title: 'Time in the queue towards a learner', width: 8, unit: 's', runbook: 'ZooKeeperFollowerLag',
        description: 'How long a packet waits on the leader before it is sent to this learner: a slow link, or a learner that does ' +
          'not read.',
        queries: [{ expr: highest(mean(of, 'watchkeeper_member_learner_queue_duration_seconds'), 'member'),
          legend: 'to server {{learner}}' }],
      }),
    ], [
      states({
        title: 'Role of each member', width: 12, unit: 'none', link: open, mappings: roleTexts, runbook: 'ZooKeeperLeaderFlapping',
        description: 'Role that each member says it has; unknown while it does not answer.',
        queries: [{ expr: coded(of, 'watchkeeper_member_role', 'role', roles), legend: '{{member}}' }],
      }),
      lines({
        title: 'Elections', width: 12, unit: 'short', limits: limits.elections,
        runbook: ['ZooKeeperLeaderFlapping', 'ZooKeeperServiceInterrupted'],
        description: 'Elections, and changes to another leader, in the last 15 minutes.',
        queries: [
          { expr: highest(`increase(${of('watchkeeper_ensemble_elections_total')}[15m])`), legend: 'elections' },
          { expr: highest(`increase(${of('watchkeeper_ensemble_leader_changes_total')}[15m])`), legend: 'leader changes' },
        ],
      }),
    ]],
  }, {
    title: 'Causes: Java and limits',
    lines: [[
      ofMembers('Java: time paused', 'percentunit', 'ZooKeeperRequestLatencyHigh',
        'Part of the time that the pause monitor saw the process stand still, mostly for garbage collection. Reads 0 unless ' +
        'jvm.pause.monitor is on.', rate(of('watchkeeper_member_jvm_pause_duration_seconds_sum'))),
      ofMembers('Busiest client address, part of its limit', 'percentunit', 'ZooKeeperConnectionsNearLimit',
        'Connections of the address that has most of them, divided by maxClientCnxns. At 100 % further ones are closed. Absent ' +
        'where there is no limit.', `${of('watchkeeper_member_connections_from_busiest_address')} / ` +
        `(${of('watchkeeper_member_max_client_connections')} > 0)`, limits.ofLimit),
      ofMembers('File descriptors, part of their limit', 'percentunit', 'ZooKeeperFileDescriptorsNearLimit',
        'At 100 % the member accepts nobody and cannot open the next log file.',
        `${of('watchkeeper_member_open_file_descriptors')} / (${of('watchkeeper_member_max_file_descriptors')} > 0)`,
        limits.ofLimit),
    ], [
      lines({
        title: 'Requests held back', width: 8, unit: 'cps', runbook: 'ZooKeeperThrottling',
        description: 'What the members did to hold clients back. Any of it means more load than the ensemble may take in.',
        queries: ([
          ['requests_throttled', 'paused by the request throttle'], ['operations_throttled', 'refused after too long a wait'],
          ['large_requests_rejected', 'rejected as too large together'], ['stale_requests_dropped', 'dropped, client is gone'],
        ] as const).map(([metric, legend]) => ({ expr: total(rate(of(`watchkeeper_member_${metric}_total`)), 'member'), legend })),
      }),
      ofMembers('Connections rejected', 'cps', 'ZooKeeperConnectionsRejected',
        'Connections refused because of maxClientCnxns, maxCnxns or the connection throttle.',
        rate(of('watchkeeper_member_connections_rejected_total'))),
      lines({
        title: 'Transaction numbers used', width: 8, unit: 'percentunit', limits: limits.zxidUsed, max: 1,
        runbook: 'ZooKeeperZxidCounterHeadroom',
        description: 'Part of the transaction numbers of this epoch that is used. At 100 % the leader steps down.',
        queries: [{ expr: highest(of('watchkeeper_ensemble_zxid_used_ratio')), legend: 'used' }],
      }),
    ]],
  }, {
    title: 'Data', closed: true,
    lines: [[
      lines({
        title: 'Znodes', width: 8, unit: 'short', limits: limits.znodes,
        runbook: ['ZooKeeperZnodeCountHigh', 'ZooKeeperZnodeCountGrowth'],
        description: 'Nodes in the tree, which every member holds whole.',
        queries: [{ expr: highest(of('watchkeeper_member_znodes'), 'member'), legend: 'znodes' }],
      }),
      lines({
        title: 'Ephemeral znodes', width: 8, unit: 'short', limits: limits.ephemerals, runbook: 'ZooKeeperEphemeralsGrowth',
        description: 'Nodes that live as long as a session.',
        queries: [{ expr: highest(of('watchkeeper_member_ephemerals'), 'member'), legend: 'ephemerals' }],
      }),
      lines({
        title: 'Data', width: 8, unit: 'bytes', limits: limits.dataSize,
        runbook: ['ZooKeeperDataSizeHigh', 'ZooKeeperDataSizeGrowth'],
        description: 'Bytes of all paths and values. Members need several times as much memory.',
        queries: [{ expr: highest(of('watchkeeper_member_data_size_bytes'), 'member'), legend: 'paths and values' }],
      }),
    ]],
  }, {
    title: 'Agreement and configuration', closed: true,
    lines: [[
      number({
        title: 'Members with other data', width: 4, unit: 'short', limits: limits.anyIsBad, runbook: 'ZooKeeperDigestMismatch',
        description: "Members whose data differs from the majority's at the same transaction. Must be 0.",
        queries: [{ expr: highest(of('watchkeeper_ensemble_digest_mismatches')), legend: 'differ' }],
      }),
      number({
        title: 'Split brain', width: 4, unit: 'none', limits: limits.anyIsBad, mappings: noOrYes, runbook: 'ZooKeeperSplitBrain',
        description: 'Whether two members lead the same epoch, or a deposed leader still answers as leader.',
        queries: [{ expr: highest(of('watchkeeper_ensemble_split_brain')), legend: 'split brain' }],
      }),
      number({
        title: 'Keys that differ', width: 4, unit: 'short', limits: limits.anyIsOdd, runbook: 'ZooKeeperConfigurationDrift',
        description: 'Configuration keys that members do not agree on. The status page shows the values.',
        queries: [{ expr: highest(of('watchkeeper_ensemble_configuration_drifting_keys')), legend: 'keys' }],
      }),
      number({
        title: 'Unlisted members', width: 4, unit: 'short', limits: limits.anyIsOdd, runbook: 'ZooKeeperUnlistedMember',
        description: 'Servers that the membership names and the exporter was not told of.',
        queries: [{ expr: highest(of('watchkeeper_ensemble_unlisted_members')), legend: 'unlisted' }],
      }),
      number({
        title: 'Epoch', width: 4, unit: 'none', decimals: 0, runbook: 'ZooKeeperLeaderFlapping',
        description: 'Number of the leadership period; every election makes a new one.',
        queries: [{ expr: highest(of('watchkeeper_ensemble_epoch')), legend: 'epoch' }],
      }),
      number({
        title: 'First certificate expires', width: 4, unit: 'dtdurations', limits: limits.certificate, absent: 'no TLS',
        runbook: 'ZooKeeperCertificateExpiring',
        description: 'Time until the first of the certificates expires that members show to clients. Absent without TLS.',
        queries: [{ expr: `min(${of('watchkeeper_member_certificate_expiry_timestamp_seconds')} - time())`, legend: 'expires in' }],
      }),
    ], [
      rows({
        title: 'Configuration keys that differ', width: 8, height: 8, unit: 'short', runbook: 'ZooKeeperConfigurationDrift',
        absent: 'All members are configured alike',
        description: 'Keys on which members differ, and how many values there are.',
        columns: [
          { title: 'Key', label: 'key' },
          { title: 'Values', expr: highest(of('watchkeeper_ensemble_configuration_drift')) },
        ],
      }),
      lines({
        title: 'Imbalance', width: 8, unit: 'percentunit', runbook: 'ZooKeeperConnectionsNearLimit',
        description: 'Most connections or sessions of one member, divided by the mean of all. 100 % is even.',
        queries: [
          { expr: highest(of('watchkeeper_ensemble_connection_imbalance_ratio')), legend: 'connections' },
          { expr: highest(of('watchkeeper_ensemble_session_imbalance_ratio')), legend: 'sessions' },
        ],
      }),
      lines({
        title: 'Events', width: 8, unit: 'short', bars: true, stacked: true, runbook: 'README',
        description: 'What the exporter saw happen, by type, in each step of the graph; /api/v1/events tells the words.',
        queries: [{
          expr: `round(${highest(`increase(${of('watchkeeper_ensemble_events_total')}[$__interval])`)}) > 0`, legend: '{{type}}',
          step: '1m',
        }],
      }),
    ]],
  }, exporterSection()],
});
