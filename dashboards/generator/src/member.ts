// One member: what it is doing, where a request spends its time, which of its resources is used up, and how well the
// exporter sees it.

import { limits, type Limits, type Runbook } from './alerts';
import {
  ageOfView, alertTable, page, roles, roleTexts, servingStates, servingTexts, yesOrNo, yesOrNotNow,
} from './frame';
import { colours, labelColours, lines, number, rows, states, type Placed, type Query, type Unit } from './panels';
import { coded, growth, highest, lastAnswer, lowest, mean, ofEnsemble, ofMember as of, percentile, rate, total } from './promql';

const one = (expr: string, legend: string): Query => ({ expr: highest(expr), legend });

/** A third of a line with some series of this member. */
function third(title: string, unit: Unit, runbook: Runbook | Runbook[], description: string, queries: Query[],
               more: { limits?: Limits; max?: number; stacked?: boolean; absent?: string } = {}): Placed {
  return lines({ title, unit, runbook, description, width: 8, queries, ...more });
}

/** Mean of summaries of this member: [metric without prefix, legend]. */
function means(...metrics: [string, string][]): Query[] {
  return metrics.map(([metric, legend]) => one(mean(of, `watchkeeper_member_${metric}`), legend));
}

function rates(...metrics: [string, string][]): Query[] {
  return metrics.map(([metric, legend]) => one(rate(of(`watchkeeper_member_${metric}_total`)), legend));
}

export const member = page({
  scope: 'member',
  title: 'ZooKeeper: one member',
  description: 'What one member does, where its requests spend their time, and how the exporter sees it.',
  ensembles: ofEnsemble,
  members: of,
  sections: [{
    title: 'Now',
    lines: [[
      number({
        title: 'State', width: 3, unit: 'none', mappings: servingTexts,
        runbook: ['ZooKeeperMemberDown', 'ZooKeeperMemberNotServing'],
        description: 'Serving state, as the exporter concludes it from all that the member answers.',
        queries: [{ expr: coded(of, 'watchkeeper_member_serving_state', 'state', servingStates), legend: 'state' }],
      }),
      number({
        title: 'Role', width: 3, unit: 'none', mappings: roleTexts, runbook: 'ZooKeeperNoLeader',
        description: 'Role that the member says it has; unknown while it does not answer.',
        queries: [{ expr: coded(of, 'watchkeeper_member_role', 'role', roles), legend: 'role' }],
      }),
      number({
        title: 'In sync', width: 2, unit: 'none', mappings: yesOrNo, limits: limits.shouldBeOne, runbook: 'ZooKeeperFollowerLag',
        description: 'Whether it serves in the current epoch and is not far behind.',
        queries: [{ expr: lowest(of('watchkeeper_member_in_sync')), legend: 'in sync' }],
      }),
      number({
        title: 'May stop', width: 2, unit: 'none', mappings: yesOrNotNow, limits: limits.shouldBeOneSoon,
        runbook: 'ZooKeeperQuorumMarginZero',
        description: 'Whether the ensemble keeps serving without this member. /api/v1/safe-to-stop gives the reason.',
        queries: [{ expr: lowest(of('watchkeeper_member_safe_to_stop')), legend: 'may stop' }],
      }),
      number({
        title: 'Last good answer', width: 3, unit: 'dtdurations', limits: limits.pollAge,
        runbook: ['ZooKeeperMemberDown', 'ZooKeeperExporterStale'],
        absent: 'never',
        description: 'How long ago the member answered any question of the exporter.',
        queries: [{ expr: lastAnswer(of), legend: 'ago' }],
      }),
      number({
        title: 'In this role for', width: 3, unit: 'dtdurations', runbook: 'ZooKeeperMemberFlapping',
        description: 'Age of the current role. It is not the age of the process: every change of the role begins it anew.',
        queries: [{ expr: lowest(of('watchkeeper_member_role_uptime_seconds')), legend: 'in role' }],
      }),
      number({
        title: 'Restarts', width: 2, unit: 'short', decimals: 0, limits: limits.anyIsOdd, runbook: 'ZooKeeperMemberFlapping',
        description: 'Restarts of the process in the time shown.',
        queries: [{ expr: highest(`round(${growth(of('watchkeeper_member_restarts_total'))})`), legend: 'restarts' }],
      }),
      number({
        title: 'Version', width: 4, unit: 'none', name: true, runbook: 'README',
        description: 'What the member says that it runs; kept while it does not answer.',
        queries: [{ expr: highest(of('watchkeeper_member_info')), legend: '{{version}}' }],
      }),
      ageOfView(2, ofEnsemble('watchkeeper_ensemble_serving')),
    ], [
      alertTable(12, 8, 'member', ['ensemble="$ensemble"', 'member="$member"'], ['ensemble="$ensemble"', 'member=""'],
        ['ensemble=""']),
      states({
        title: 'State over time', width: 12, unit: 'none', mappings: servingTexts,
        runbook: ['ZooKeeperMemberNotServing', 'ZooKeeperMemberFlapping'],
        description: 'Serving state over time.',
        queries: [{ expr: coded(of, 'watchkeeper_member_serving_state', 'state', servingStates), legend: '{{member}}' }],
      }),
    ]],
  }, {
    title: 'What clients of this member feel',
    lines: [[
      third('Canary, 95th percentile', 's', 'ZooKeeperCanaryLatencyHigh',
        "The exporter's own client operations through this member. The limit does not hold for connect.",
        [{ expr: percentile(0.95, of, 'watchkeeper_canary_operation_duration_seconds', []), legend: '{{operation}}' }],
        { limits: limits.canaryLatency, absent: 'canary is off' }),
      third('Canary operations by result', 'ops', 'ZooKeeperCanaryFailing',
        'What became of the operations; everything but ok is trouble.',
        [{ expr: total(rate(of('watchkeeper_canary_operations_total')), 'operation'), legend: '{{result}}' }],
        { stacked: true, absent: 'canary is off' }),
      third('Time for a watch to arrive, 95th percentile', 's', 'ZooKeeperCanaryLatencyHigh',
        'From the acknowledgement of a change made through another member to its event here. Needs the canary in write mode.',
        [{ expr: percentile(0.95, of, 'watchkeeper_canary_watch_delivery_seconds', ['from']), legend: 'all sources' }],
        { absent: 'canary does not write' }),
    ], [
      third('Requests, mean latency', 's', 'ZooKeeperRequestLatencyHigh',
        'Over the last few scrapes. Pings count as reads and pull reads towards 0.',
        means(['read_latency_seconds', 'reads'], ['update_latency_seconds', 'writes']), { limits: limits.requestLatency }),
      third('Reads, percentiles as the member tells them', 's', 'ZooKeeperRequestLatencyHigh',
        "ZooKeeper's own percentiles, of a sample that leans towards the last minute; whole milliseconds.",
        [one(of('watchkeeper_member_read_latency_seconds', 'quantile!=""'), 'quantile {{quantile}}')],
        { limits: limits.requestLatency }),
      third('Writes, percentiles as the member tells them', 's', 'ZooKeeperRequestLatencyHigh',
        "ZooKeeper's own percentiles, of a sample that leans towards the last minute; whole milliseconds.",
        [one(of('watchkeeper_member_update_latency_seconds', 'quantile!=""'), 'quantile {{quantile}}')],
        { limits: limits.requestLatency }),
    ]],
  }, {
    title: 'Load',
    lines: [[
      third('Client packets', 'pps', 'README', 'Packets from and to clients, pings included.',
        rates(['packets_received', 'received'], ['packets_sent', 'sent'])),
      third('Client bytes', 'binBps', 'README', 'Bytes read from clients, and bytes of replies and watch events to them.',
        rates(['received_bytes', 'requests'], ['response_bytes', 'replies'], ['watch_event_bytes', 'watch events'])),
      third('Outstanding requests', 'short', 'ZooKeeperOutstandingRequestsHigh', 'Requests in the pipeline of this member.',
        [one(of('watchkeeper_member_outstanding_requests'), 'outstanding'),
          one(of('watchkeeper_member_pending_syncs'), 'syncs that wait (leader)')], { limits: limits.outstanding }),
    ], [
      third('Connections', 'short', 'ZooKeeperConnectionsNearLimit',
        'Open client connections, those of them with a session, and those of the address that has most.',
        [one(of('watchkeeper_member_connections'), 'connections'), one(of('watchkeeper_member_sessions'), 'with a session'),
          one(of('watchkeeper_member_connections_from_busiest_address'), 'of the busiest address')]),
      third('Connections that come and go', 'cps', ['ZooKeeperConnectionsRejected', 'ZooKeeperSessionExpiryStorm'],
        'Connect requests, sessions that moved here, clients that went away, and connections refused because of a limit.',
        rates(['connection_requests', 'connects'], ['sessions_reconnected', 'with a session they had'],
          ['connections_dropped', 'went away'], ['connections_rejected', 'rejected'])),
      third('Watches', 'short', 'ZooKeeperWatchCountHigh', 'Watch registrations, the paths they are on, and the connections that ' +
        'hold any.', [one(of('watchkeeper_member_watches'), 'watches'), one(of('watchkeeper_member_watched_paths'), 'paths'),
        one(of('watchkeeper_member_watching_connections'), 'connections')], { limits: limits.watches }),
    ]],
  }, {
    title: 'Causes: where a request spends its time',
    lines: [[
      third('Waiting for a stage', 's', 'ZooKeeperRequestLatencyHigh',
        'Mean time in the queue before each stage of the pipeline. The stage whose queue grows is the bottleneck. Preparation ' +
        'happens on the leader only.',
        means(['request_throttle_wait_seconds', 'request throttle'], ['prep_queue_wait_seconds', 'preparation'],
          ['sync_queue_wait_seconds', 'log'])),
      third('Time in a stage', 's', 'ZooKeeperRequestLatencyHigh',
        'Mean time in each stage. Writes in the commit stage include the round of the quorum.',
        means(['prep_duration_seconds', 'preparation'], ['sync_queue_and_flush_duration_seconds', 'log, with its queue'],
          ['commit_stage_write_duration_seconds', 'commit, writes'], ['commit_stage_read_duration_seconds', 'commit, reads'],
          ['final_stage_write_duration_seconds', 'reply, writes'], ['final_stage_read_duration_seconds', 'reply, reads'])),
      third('Requests in queues', 'short', 'ZooKeeperOutstandingRequestsHigh',
        'Mean length of the queue before each stage, when something was taken from it.',
        means(['prep_queue_requests', 'preparation'], ['sync_queue_requests', 'log'],
          ['commit_stage_queued_writes', 'commit, writes'], ['commit_stage_queued_reads', 'commit, reads'])),
    ]],
  }, {
    title: 'Causes: disk',
    lines: [[
      third('Mean fsync', 's', 'ZooKeeperFsyncSlow',
        'One flush of the transaction log; whole milliseconds rounded down, so that a fast disk reads as 0.',
        means(['fsync_duration_seconds', 'mean']), { limits: limits.fsync }),
      third('Longest fsync', 's', 'ZooKeeperFsyncSlow',
        'The longest flush since the process started or its statistics were reset: it never comes down by itself.',
        [one(of('watchkeeper_member_fsync_duration_maximum_seconds'), 'longest')]),
      third('Requests per flush', 'short', 'ZooKeeperFsyncSlow',
        'Requests that one flush makes durable. It grows when the disk is slower than the load.',
        means(['sync_batch_requests', 'requests'])),
    ], [
      third('Directories', 'bytes', 'ZooKeeperDiskFilling', 'Bytes of transaction logs and snapshots. They grow for ever unless ' +
        'autopurge is on.', [one(of('watchkeeper_member_log_directory_bytes'), 'transaction logs'),
        one(of('watchkeeper_member_snapshot_directory_bytes'), 'snapshots')]),
      third('Writing a snapshot', 's', 'ZooKeeperDataSizeHigh', 'The longest snapshot, and the mean of all, since the process ' +
        'started.', [one(of('watchkeeper_member_snapshot_duration_average_seconds'), 'mean'),
        one(of('watchkeeper_member_snapshot_duration_maximum_seconds'), 'longest')]),
      third('Flushes, percentiles as the member tells them', 's', 'ZooKeeperFsyncSlow',
        "ZooKeeper's own percentiles of one flush of the log stage, of a sample that leans towards the last minute; whole " +
        'milliseconds.', [one(of('watchkeeper_member_sync_queue_flush_duration_seconds', 'quantile!=""'), 'quantile {{quantile}}')]),
    ]],
  }, {
    title: 'Causes: network and the leader',
    lines: [[
      third('Lag behind the leader', 'short', 'ZooKeeperFollowerLag',
        'Transactions between the newest one known and the last one of this member.',
        [one(of('watchkeeper_member_lag_transactions'), 'transactions')], { limits: limits.lag }),
      third('Leader: acknowledgement by a quorum', 's', 'ZooKeeperRequestLatencyHigh',
        'From proposing to the acknowledgement of a majority. Only a leader has it.',
        means(['quorum_ack_latency_seconds', 'mean']), { absent: 'not a leader' }),
      third('Leader: acknowledgement by each voter', 's', 'ZooKeeperFollowerLag',
        'Sampled once in 1,000 transactions. The slowest of the majority decides how long writes take. Only a leader has it.',
        [one(mean(of, 'watchkeeper_member_ack_latency_seconds'), 'server {{learner}}')], { absent: 'not a leader, or few writes' }),
    ], [
      third('Leader: packets queued towards a learner', 'short', 'ZooKeeperFollowerLag',
        'Mean length of the queue towards each learner. Only a leader has it.',
        [one(mean(of, 'watchkeeper_member_learner_queue_packets'), 'server {{learner}}')], { absent: 'not a leader' }),
      third('Follower: from proposal to arrival', 's', 'ZooKeeperFollowerLag',
        "From the leader's time stamp to the arrival here. It subtracts the clocks of two hosts, so that clock skew distorts it.",
        means(['proposal_latency_seconds', 'proposals'], ['commit_propagation_latency_seconds', 'commits'],
          ['propagation_latency_seconds', 'until applied'])),
      third('Learners synchronised', 'cps', 'ZooKeeperTooFewSyncedFollowers',
        'Learners that this leader brought up to date: by the missing transactions, or by a whole snapshot, which is costly.',
        rates(['learner_syncs_by_diff', 'by transactions'], ['learner_syncs_by_snapshot', 'by snapshot'])),
    ]],
  }, {
    title: 'Causes: Java and limits',
    lines: [[
      third('Java: time paused', 'percentunit', 'ZooKeeperRequestLatencyHigh',
        'Part of the time that the pause monitor saw the process stand still, mostly for garbage collection. Reads 0 unless ' +
        'jvm.pause.monitor is on.', [one(rate(of('watchkeeper_member_jvm_pause_duration_seconds_sum')), 'paused')]),
      third('Used part of limits', 'percentunit', ['ZooKeeperConnectionsNearLimit', 'ZooKeeperFileDescriptorsNearLimit'],
        'Connections of the busiest address of maxClientCnxns, and file descriptors of their limit.',
        [one(`${of('watchkeeper_member_connections_from_busiest_address')} / ` +
          `(${of('watchkeeper_member_max_client_connections')} > 0)`, 'connections of one address'),
        one(`${of('watchkeeper_member_open_file_descriptors')} / (${of('watchkeeper_member_max_file_descriptors')} > 0)`,
          'file descriptors')], { limits: limits.ofLimit }),
      third('Requests held back', 'cps', 'ZooKeeperThrottling',
        'What the member did to hold clients back. Any of it means more load than it may take in.',
        rates(['requests_throttled', 'paused by the request throttle'], ['operations_throttled', 'refused after too long a wait'],
          ['large_requests_rejected', 'rejected as too large together'], ['stale_requests_dropped', 'dropped, client is gone'])),
    ], [
      third('Failures', 'cps', ['ZooKeeperDigestMismatch', 'ZooKeeperCertificateExpiring'],
        'Authentications and TLS handshakes that failed, data that did not fit its digest, errors that nothing caught. All ' +
        'should be 0.',
        rates(['auth_failures', 'authentication'], ['tls_handshakes_failed', 'TLS handshake'],
          ['digest_mismatches', 'digest mismatch'], ['unrecoverable_errors', 'unrecoverable'])),
      third('Response cache', 'percentunit', 'ZooKeeperRequestLatencyHigh',
        'Part of the replies that came from the cache of responses. Low is normal where every client reads something else.',
        (['data', 'children'] as const).map((kind) => {
          const hits = rate(of(`watchkeeper_member_${kind}_response_cache_hits_total`));
          const misses = rate(of(`watchkeeper_member_${kind}_response_cache_misses_total`));
          return one(`${hits} / (${hits} + ${misses})`, kind === 'data' ? 'getData' : 'getChildren');
        }), { max: 1 }),
      third('Watchers notified by one change', 'short', 'ZooKeeperWatchCountHigh',
        'Mean number of watch events that one change caused. Large numbers are bursts of traffic.',
        means(['change_watchers_fired', 'data changed'], ['children_watchers_fired', 'children changed'],
          ['create_watchers_fired', 'created'], ['delete_watchers_fired', 'deleted'])),
    ]],
  }, {
    title: 'Start and elections', closed: true,
    lines: [[
      number({
        title: 'Loading the database', width: 6, unit: 's', runbook: 'ZooKeeperMemberNotServing',
        description: 'Time that the last starts took to read the snapshot and replay the log, on average.',
        queries: [one(`${of('watchkeeper_member_database_load_duration_seconds_sum')} / ` +
          `(${of('watchkeeper_member_database_load_duration_seconds_count')} > 0)`, 'load')],
      }),
      number({
        title: 'Elections took', width: 6, unit: 's', runbook: 'ZooKeeperLeaderFlapping',
        description: 'Mean length of the elections that this process took part in.', absent: 'no election seen',
        queries: [one(`${of('watchkeeper_member_election_duration_seconds_sum')} / ` +
          `(${of('watchkeeper_member_election_duration_seconds_count')} > 0)`, 'election')],
      }),
      number({
        title: 'Changes of the state', width: 6, unit: 'short', decimals: 0, limits: limits.stateChanges,
        runbook: 'ZooKeeperMemberFlapping',
        description: 'In the last 15 minutes. A restart makes about four, an election three.',
        queries: [one(`round(increase(${of('watchkeeper_member_state_changes_total')}[15m]))`, 'changes')],
      }),
      number({
        title: 'Certificate expires', width: 6, unit: 'dtdurations', limits: limits.certificate, absent: 'no TLS',
        runbook: 'ZooKeeperCertificateExpiring',
        description: 'Time until the certificate expires that this member shows to clients. Absent without TLS.',
        queries: [{
          expr: lowest(`${of('watchkeeper_member_certificate_expiry_timestamp_seconds')} - time()`), legend: 'expires in',
        }],
      }),
    ]],
  }, {
    title: 'How the exporter sees this member', closed: true,
    lines: [[
      rows({
        title: 'Sources', width: 8, height: 8, unit: 'short', runbook: 'ZooKeeperExporterBlind',
        description: 'What the exporter asks this member, what came of the newest question, and how long ago it was answered. The ' +
          'status page tells the remedy.',
        labels: [highest(`${of('watchkeeper_member_source_state')} == 1`)],
        columns: [
          { title: 'Source', label: 'source' },
          { title: 'State', label: 'state', mappings: labelColours({
            ok: colours.ok, not_whitelisted: colours.warning, not_serving: colours.warning, refused: colours.critical,
            timed_out: colours.critical, unreachable: colours.critical, tls_failure: colours.critical, truncated: colours.critical,
            too_large: colours.critical, malformed: colours.critical, http_error: colours.critical, closed: colours.critical,
            unresolved: colours.critical,
          }) },
          { title: 'Answered ago', expr: highest(of('watchkeeper_member_source_age_seconds')), unit: 's' },
        ],
      }),
      third('Time to answer', 's', 'ZooKeeperExporterBlind', 'Mean time from asking each source to its answer or failure.',
        [one(mean(of, 'watchkeeper_member_source_duration_seconds'), '{{source}}')]),
      third('Questions that failed', 'cps', 'ZooKeeperExporterBlind', 'By source and outcome.',
        [one(rate(of('watchkeeper_member_source_polls_total', 'result!="ok"')), '{{source}} {{result}}')], { absent: 'none' }),
    ]],
  }],
});
