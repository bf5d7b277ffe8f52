// One Watchkeeper server as only its inside can be known: where the time of a write goes, what it waits for, whom it holds
// back, what it holds and what runs out. Every series is of the server's own /metrics; for other servers all is absent.

import { limits, type Limits, type Runbook } from './alerts';
import { ageTitle, alertTable, noOrYes, page } from './frame';
import { distribution, lines, number, rows, type Placed, type Query, type Unit } from './panels';
import { buckets, growth, highest, lowest, mean, ofEnsemble, ofMember as of, percentile, rate, total } from './promql';

const one = (expr: string, legend: string): Query => ({ expr: highest(expr), legend });

/** A third of a line with some series of this server. */
function third(title: string, unit: Unit, runbook: Runbook | Runbook[], description: string, queries: Query[],
               more: { limits?: Limits; max?: number; stacked?: boolean; absent?: string } = {}): Placed {
  return lines({ title, unit, runbook, description, width: 8, queries, absent: 'no Watchkeeper server', ...more });
}

/** A counter by its label, each value a line. */
function each(metric: string, label: string): Query[] {
  return [one(rate(of(metric)), `{{${label}}}`)];
}

/** Median and 99th percentile of a histogram; `over` names labels that are folded into it. */
function middleAndTail(metric: string, over: string[] = []): Query[] {
  return [[0.5, 'median'], [0.99, '99th percentile']].map(([rank, legend]) =>
    ({ expr: percentile(rank as number, of, metric, over), legend: legend as string }));
}

/** What happened in the time that is shown. */
function happened(title: string, width: number, runbook: Runbook, description: string, series: string, ...over: string[]): Placed {
  return number({
    title, width, unit: 'short', decimals: 0, limits: limits.anyIsOdd, runbook, description,
    queries: [{ expr: highest(`round(${growth(series)})`, ...over), legend: 'times' }],
  });
}

const share = `${of('watchkeeper_server_limit_used')} / (${of('watchkeeper_server_limit_bound')} > 0)`;
const left = of('watchkeeper_server_limit_left_seconds');
/** Times that the core stood still; the factor keeps those of other servers of the ensemble out. */
const stalls = `max without (type) (round(${growth(ofEnsemble('watchkeeper_ensemble_events_total', 'type="core_stalled"'))})) ` +
  `* ignoring (member) group_right () (${of('watchkeeper_server_log_full')} >= bool 0)`;

export const inside = page({
  scope: 'inside',
  title: 'Watchkeeper: inside one server',
  description: 'What only a Watchkeeper server itself knows: stages of writes, disk, core thread, sessions, watches, limits. ' +
    'Paths, clients and sessions are on its page and in /api/v1/inside.',
  ensembles: ofEnsemble,
  members: of,
  sections: [{
    title: 'Now',
    lines: [[
      number({
        title: 'Log disk full', width: 3, unit: 'none', mappings: noOrYes, limits: limits.anyIsBad, runbook: 'ZooKeeperLogDiskFull',
        description: 'Whether the disk of the transaction log has no room, so that writes are refused.',
        queries: [one(of('watchkeeper_server_log_full'), 'full')],
      }),
      number({
        title: 'Stood still', width: 3, unit: 'short', decimals: 0, limits: limits.anyIsOdd, runbook: 'ZooKeeperServerStalled',
        description: 'Times in the range shown that the thread that serves everybody was away for a second or longer: for work of ' +
          'its own, or because the process was not run.',
        queries: [one(stalls, 'times')],
      }),
      number({
        title: 'Longest piece of work', width: 4, unit: 's', limits: limits.stall, runbook: 'ZooKeeperServerStalled',
        description: 'The longest wake-up of that thread in the last one to two minutes. Nobody else is served meanwhile.',
        queries: [one(of('watchkeeper_server_longest_wake_up_seconds'), 'longest')],
      }),
      happened('Sessions lost by the server', 4, 'ZooKeeperSessionsExpiredByServer',
        'Sessions that expired in the range shown and would live if this server had not stood still.',
        of('watchkeeper_server_session_expiries_total', 'cause="server_stood_still"'), 'cause'),
      number({
        title: 'Fullest limit', width: 4, unit: 'percentunit', limits: limits.ofLimit, name: true, runbook: 'ZooKeeperLimitNear',
        description: 'The limit that is used up most. Its colour changes at 80 %.',
        queries: [{ expr: `topk(1, ${highest(share)})`, legend: '{{limit}}' }],
      }),
      number({
        title: 'Next limit is reached in', width: 4, unit: 'dtdurations', limits: limits.limitLeft, absent: 'nothing grows steadily',
        runbook: 'ZooKeeperLimitForecast',
        description: 'At the pace of the last hour. Which limit it is, and how full, is in the table below.',
        queries: [{ expr: lowest(left, 'limit'), legend: 'left' }],
      }),
      number({
        title: ageTitle, width: 2, unit: 's', limits: limits.pollAge, runbook: 'ZooKeeperExporterStale',
        description: 'How long ago the core thread of this server last reported, or an exporter that watches it too last looked. ' +
          'It is about a second; after ten the server does not serve, and its numbers are absent until it reports again.',
        queries: [one(of('watchkeeper_member_last_poll_age_seconds'), 'age')],
      }),
    ], [
      alertTable(12, 8, 'inside', ['ensemble="$ensemble"', 'member="$member"'], ['ensemble="$ensemble"', 'member=""'],
        ['ensemble=""']),
      rows({
        title: 'Limits', width: 12, height: 8, unit: 'short', runbook: ['ZooKeeperLimitNear', 'ZooKeeperLimitForecast'],
        description: 'Every limit of this server, the fullest first: how much of it is used and, where it grows steadily, when it ' +
          'is reached. The runbook tells what each of them is.',
        sort: { column: 'Used', descending: true },
        columns: [
          { title: 'limit' },
          { title: 'Used', expr: highest(share), unit: 'percentunit', limits: limits.ofLimit, decimals: 1 },
          { title: 'Reached in', expr: lowest(left), unit: 'dtdurations', limits: limits.limitLeft },
        ],
      }),
    ]],
  }, {
    title: 'Writes and reads',
    lines: [[
      third('Where the time of a write goes', 's', 'ZooKeeperWritesSlow',
        'Mean time of a write in each stage; together they are the whole. fsync and append are the disk, log_queue is more load ' +
        'than the disk takes, quorum is other members, prepare, apply and reply are the CPU.',
        [one(mean(of, 'watchkeeper_server_write_stage_duration_seconds'), '{{stage}}')], { stacked: true, absent: 'no writes' }),
      third('Writes, median and tail', 's', 'ZooKeeperWritesSlow',
        'From the request received to the reply handed to the kernel.',
        middleAndTail('watchkeeper_server_write_duration_seconds'), { limits: limits.writeTail, absent: 'no writes' }),
      distribution({
        title: 'Writes by duration', width: 8, unit: 's', runbook: 'ZooKeeperWritesSlow', absent: 'no writes',
        description: 'How many writes took how long. Two bands are a disk that is quick but for hiccups.',
        query: buckets(of, 'watchkeeper_server_write_duration_seconds'),
      }),
    ], [
      third('Requests', 'ops', 'README', 'Requests received, by operation of the protocol.',
        each('watchkeeper_server_operations_total', 'operation'), { stacked: true }),
      third('Requests, 99th percentile', 's', 'ZooKeeperRequestLatencyHigh',
        'By operation. Writes wait for the disk; what is read should take less than a millisecond.',
        [{ expr: percentile(0.99, of, 'watchkeeper_server_operation_duration_seconds', []), legend: '{{operation}}' }],
        { absent: 'no requests' }),
      third('Requests, median', 's', 'ZooKeeperRequestLatencyHigh', 'By operation.',
        [{ expr: percentile(0.5, of, 'watchkeeper_server_operation_duration_seconds', []), legend: '{{operation}}' }],
        { absent: 'no requests' }),
    ], [
      third('Requests answered with an error', 'cps', 'README',
        'By operation. No node and bad version are part of many recipes; what matters is a change.',
        each('watchkeeper_server_operation_errors_total', 'operation')),
      third('Requests under way', 'short', 'ZooKeeperOutstandingRequestsHigh',
        'Requests that are not answered yet, and transactions that are with the log.',
        [one(of('watchkeeper_server_requests_outstanding'), 'requests'),
          one(of('watchkeeper_server_transactions_in_flight'), 'transactions')]),
      third('Transactions applied', 'ops', 'README',
        'Failed ones tell an error and change nothing. Containers and TTL nodes are removed by the server itself.',
        [one(rate(of('watchkeeper_server_transactions_total')), '{{result}}'),
          one(rate(of('watchkeeper_server_containers_removed_total')), 'containers removed')]),
    ]],
  }, {
    title: 'Disk',
    lines: [[
      third('Syncs of the log, median and tail', 's', ['ZooKeeperFsyncStalls', 'ZooKeeperFsyncSlow'],
        'Each write waits for one. The tail tells of hiccups that the mean hides.',
        middleAndTail('watchkeeper_server_fsync_duration_seconds'), { absent: 'no writes' }),
      distribution({
        title: 'Syncs by duration', width: 8, unit: 's', runbook: 'ZooKeeperFsyncStalls', absent: 'no writes',
        description: 'How many syncs of the log took how long.',
        query: buckets(of, 'watchkeeper_server_fsync_duration_seconds'),
      }),
      third('Transactions that share a sync', 'short', 'ZooKeeperFsyncSlow',
        'It grows when the disk is slower than the load: then each sync serves more writes.',
        middleAndTail('watchkeeper_server_log_batch_transactions'), { absent: 'no writes' }),
    ], [
      number({
        title: 'Last snapshot', width: 5, unit: 'dateTimeFromNow', runbook: 'ZooKeeperSnapshotOverdue',
        absent: 'none by this process', description: 'When this process last finished one.',
        queries: [{ expr: `1000 * ${highest(of('watchkeeper_server_last_snapshot_timestamp_seconds'))}`, legend: 'finished' }],
      }),
      number({
        title: 'Its size', width: 4, unit: 'bytes', runbook: 'ZooKeeperDataSizeHigh', absent: 'none by this process',
        description: 'What a restart has to read, and a member that joins has to fetch.',
        queries: [one(of('watchkeeper_server_last_snapshot_bytes'), 'size')],
      }),
      number({
        title: 'A snapshot takes', width: 4, unit: 's', runbook: 'ZooKeeperSnapshotOverdue', absent: 'none by this process',
        description: 'Mean of all that this process wrote. Clients are served meanwhile.',
        queries: [one(`${of('watchkeeper_server_snapshot_duration_seconds_sum')} / ` +
          `(${of('watchkeeper_server_snapshot_duration_seconds_count')} > 0)`, 'mean')],
      }),
      happened('Snapshots that failed', 4, 'ZooKeeperSnapshotFailing', 'In the range shown. The log of the server tells why.',
        of('watchkeeper_server_snapshots_total', 'result="failed"'), 'result'),
      happened('Purges that failed', 4, 'ZooKeeperPurgeFailing', 'In the range shown. The log of the server tells why.',
        of('watchkeeper_server_purges_total', 'result="failed"'), 'result'),
      number({
        title: 'Files purged', width: 3, unit: 'short', decimals: 0, runbook: 'ZooKeeperPurgeFailing',
        description: 'Old snapshots and logs that autopurge removed in the range shown.',
        queries: [one(`round(${growth(of('watchkeeper_server_purged_files_total'))})`, 'files')],
      }),
    ], [
      third('Folders', 'bytes', ['ZooKeeperLogDiskFull', 'ZooKeeperDiskFilling'],
        'Logs and snapshots with all that lies beside them. They grow for ever unless autopurge is on.',
        [one(of('watchkeeper_server_log_folder_bytes'), 'logs'), one(of('watchkeeper_server_snapshot_folder_bytes'), 'snapshots')]),
      third('Written to the log', 'binBps', 'ZooKeeperLogDiskFull', 'Transactions that were made durable.',
        [one(rate(of('watchkeeper_server_log_written_bytes_total')), 'bytes')]),
      third('Work in the background', 'cps', ['ZooKeeperSnapshotFailing', 'ZooKeeperPurgeFailing'],
        'Snapshots and purges by result, and log files begun.',
        [one(rate(of('watchkeeper_server_snapshots_total')), 'snapshots {{result}}'),
          one(rate(of('watchkeeper_server_purges_total')), 'purges {{result}}'),
          one(rate(of('watchkeeper_server_log_files_created_total')), 'log files begun')]),
    ]],
  }, {
    title: 'The thread that serves everybody',
    lines: [[
      third('Busy', 'percentunit', 'ZooKeeperServerStalled',
        'Part of the time that it works, and part of it for what observers read. Near 100 % this server is full.',
        [one(rate(of('watchkeeper_server_wake_up_duration_seconds_sum')), 'all work'),
          one(rate(of('watchkeeper_server_publish_duration_seconds_sum')), 'for observers'),
          one(rate(of('watchkeeper_server_survey_busy_seconds_total')), 'walk over {{survey}}')], { max: 1 }),
      third('Wake-ups, median and tail', 's', 'ZooKeeperServerStalled',
        'One wake-up serves all that is ready; a long one is a pause for all others.',
        middleAndTail('watchkeeper_server_wake_up_duration_seconds')),
      third('Longest wake-up', 's', 'ZooKeeperServerStalled', 'Of the last one to two minutes.',
        [one(of('watchkeeper_server_longest_wake_up_seconds'), 'longest')], { limits: limits.stall }),
    ], [
      third('Age of what the walks found', 's', 'README',
        'Sessions, connections, watches and znodes are walked in small slices; lists and extremes are as old as this.',
        [one(of('watchkeeper_server_survey_age_seconds'), '{{survey}}')]),
      third('Longest slice of a walk', 's', 'ZooKeeperServerStalled', 'The longest that one slice has taken from clients.',
        [one(of('watchkeeper_server_longest_survey_slice_seconds'), '{{survey}}')]),
      third('Requests count as slow from', 's', 'ZooKeeperWritesSlow',
        'Latency from which a request is kept among the slowest, which /api/v1/inside lists with all stages.',
        [one(of('watchkeeper_server_slow_request_threshold_seconds'), 'threshold')]),
    ]],
  }, {
    title: 'Sessions',
    lines: [[
      third('Sessions by part of their timeout used', 'short', 'ZooKeeperSessionsNearTimeout',
        'How long sessions have been silent, as part of their timeout. Healthy clients are heard of after one third; overdue ones ' +
        'are about to expire.', [one(of('watchkeeper_server_sessions_by_timeout_used'), '{{used}}')], { stacked: true }),
      third('Narrow escapes', 'cps', 'ZooKeeperSessionsNearTimeout',
        'Times that a session was heard of again after more than two thirds of its timeout.',
        [one(rate(of('watchkeeper_server_session_near_misses_total')), 'near misses')]),
      third('Expired sessions by cause', 'cps', ['ZooKeeperSessionsExpiredByServer', 'ZooKeeperSessionExpiryStorm'],
        'Of these, server_stood_still is the fault of this server; nothing_heard and not_back are the client or the network. ' +
        '/api/v1/inside has a record of each.',
        each('watchkeeper_server_session_expiries_total', 'cause'), { stacked: true }),
    ], [
      third('Sessions that come and go', 'cps', 'ZooKeeperSessionExpiryStorm',
        'Opened, resumed by a new connection, refused, expired, closed by their clients.',
        each('watchkeeper_server_session_changes_total', 'change')),
      third('Sessions', 'short', 'ZooKeeperSessionExpiryStorm', 'Alive, with or without a connection.',
        [one(of('watchkeeper_server_sessions'), 'alive')]),
      third('Sessions that would expire together', 'short', 'ZooKeeperSessionExpiryStorm',
        'How many moments of expiry there are, one tick apart, and the sessions at the most crowded: a storm to come if nothing ' +
        'more is heard.', [one(of('watchkeeper_server_session_expiry_bucket_most'), 'at the most crowded moment'),
        one(of('watchkeeper_server_session_expiry_buckets'), 'moments')]),
    ]],
  }, {
    title: 'Connections',
    lines: [[
      third('Connections by state', 'short', 'ZooKeeperConnectionsNearLimit',
        'In fresh ones nothing was received yet, opening ones have their session opened, finishing ones are closed behind a ' +
        'reply. Paused ones have too much under way.', [one(of('watchkeeper_server_connections'), '{{state}}'),
        one(of('watchkeeper_server_connections_paused'), 'paused')]),
      third('Refused by reason', 'cps', ['ZooKeeperConnectionsRejected', 'ZooKeeperClientsNotReading'],
        'Connections that were not taken or not kept: limits, other protocols, clients that do not read.',
        each('watchkeeper_server_connections_refused_total', 'reason')),
      third('Ended by the server, by reason', 'cps', 'ZooKeeperSessionExpiryStorm', 'The ordinary end is client_asked.',
        each('watchkeeper_server_connections_closed_total', 'reason')),
    ], [
      third('Accepted and lost', 'cps', 'ZooKeeperConnectionsRejected', 'Connections taken, and those that ended from the other side.',
        [one(rate(of('watchkeeper_server_connections_accepted_total')), 'accepted'),
          one(rate(of('watchkeeper_server_connections_ended_by_peer_total')), 'ended by the peer')]),
      third('Limits that held something back', 'cps', ['ZooKeeperThrottling', 'ZooKeeperLogDiskFull'],
        'Connections paused for too many requests or unread answers, writes refused without room, requests counted under no ' +
        'namespace of their own.', each('watchkeeper_server_limits_hit_total', 'limit')),
      third('Bytes of clients', 'binBps', 'ZooKeeperClientsNotReading', 'Read from clients and written to them.',
        [one(rate(of('watchkeeper_server_received_bytes_total')), 'received'),
          one(rate(of('watchkeeper_server_sent_bytes_total')), 'sent')]),
    ]],
  }, {
    title: 'Znodes, watches, memory and limits',
    lines: [[
      third('Watchers that one change wakes, 99th percentile', 'short', 'ZooKeeperWatchHerd',
        'By type of event, of changes that somebody watched. Hundreds and more are herds; /api/v1/inside names their paths.',
        [{ expr: percentile(0.99, of, 'watchkeeper_server_watch_fan_out', []), legend: '{{event}}' }],
        { absent: 'nothing was watched' }),
      third('Watch events', 'cps', 'ZooKeeperWatchHerd', 'Events sent to watchers, and the changes that caused them.',
        [{ expr: total(rate(of('watchkeeper_server_watch_fan_out_sum')), 'event'), legend: 'events' },
          { expr: total(rate(of('watchkeeper_server_watch_fan_out_count')), 'event'), legend: 'changes' }]),
      third('Most watched path', 'short', ['ZooKeeperWatchHerd', 'ZooKeeperWatchCountHigh'],
        'Watchers of the path that has most: the herd that one change of it would wake.',
        [one(of('watchkeeper_server_most_watched_path_watchers'), 'watchers')]),
    ], [
      third('Longest lock queue', 'short', 'ZooKeeperLockQueueGrowing',
        'Contenders of the lock or election that has most.', [one(of('watchkeeper_server_longest_lock_queue'), 'contenders')],
        { limits: limits.lockQueue }),
      third('Largest packets', 'bytes', 'ZooKeeperChildListNearLimit',
        'The largest znode, the longest reply that lists children, and jute.maxbuffer: beyond it clients reconnect for ever.',
        [one(of('watchkeeper_server_largest_znode_bytes'), 'largest znode'),
          one(of('watchkeeper_server_largest_child_list_reply_bytes'), 'longest list of children'),
          one(of('watchkeeper_server_packet_max_bytes'), 'jute.maxbuffer')]),
      third('Most children', 'short', 'ZooKeeperChildListNearLimit', 'Children of the znode that has most.',
        [one(of('watchkeeper_server_largest_child_list'), 'children')]),
    ], [
      third('Memory by part', 'bytes', ['ZooKeeperLimitNear', 'ZooKeeperDataSizeHigh'],
        'As measured by those who hold it. The process takes a little more.',
        [one(of('watchkeeper_server_memory_bytes'), '{{part}}')], { stacked: true }),
      third('Used part of limits', 'percentunit',
        ['ZooKeeperLimitNear', 'ZooKeeperConnectionsNearLimit', 'ZooKeeperFileDescriptorsNearLimit', 'ZooKeeperZxidCounterHeadroom'],
        'Every limit of this server; disks may be used up to 90 % before an alert speaks.', [one(share, '{{limit}}')],
        { limits: limits.ofLimit, max: 1 }),
      third('Time until a limit is reached', 'dtdurations', 'ZooKeeperLimitForecast',
        'At the pace of the last hour, for what grows steadily; absent otherwise, and in the first ten minutes of the process.',
        [{ expr: lowest(left), legend: '{{limit}}' }], { absent: 'nothing grows steadily', limits: limits.limitLeft }),
    ]],
  }],
});
