// All ensembles: which of them needs somebody, and what kind of trouble it is.

import { limits } from './alerts';
import {
  ageOfView, alertTable, availability, exporterSection, page, servingLabelColours, toEnsemble, toMember, yesOrNo,
} from './frame';
import { colours, lines, number, rows, states, texts, type Query } from './panels';
import { alerts, growth, highest, known, lastAnswer, lowest, mean, ofEnsembles as of, percentile, rate, total } from './promql';

const byEnsemble = (expr: string): Query[] => [{ expr, legend: '{{ensemble}}' }];
const worstMember = (expr: string): Query[] => byEnsemble(highest(expr, 'member'));
const open = toEnsemble('label');
const chosen = ['ensemble=~"$ensemble|"'];

const margin = lowest(of('watchkeeper_ensemble_quorum_margin'));
const complete = `${lowest(of('watchkeeper_ensemble_voters_in_sync'))} == bool ${highest(of('watchkeeper_ensemble_voters'))}`;
const serving = lowest(of('watchkeeper_ensemble_serving'));
/** 1 for a standalone server or a pair that is whole and serves: it never has a voter to spare, and nothing is wrong. */
const wholeWithoutSpare = `(${complete}) * (${margin} == bool 0) * (${serving} == bool 1)`;
/**
 * The margin in words. Voters may be in sync while nobody is served, since no client operation succeeds or nobody leads:
 * that is no service, whatever the margin is.
 */
const service = `(clamp(${margin}, -1, 2) + 0.5 * ${wholeWithoutSpare}) * (${serving} == bool 1) - (${serving} == bool 0)`;

export const overview = page({
  scope: 'overview',
  title: 'ZooKeeper: all ensembles',
  description: 'Which ensemble needs somebody now? Everything here comes from watchkeeper-exporter.',
  ensembles: of,
  members: of,
  sections: [{
    title: 'Now',
    lines: [[
      number({
        title: 'Ensembles without service', width: 4, unit: 'short', limits: limits.anyIsBad,
        runbook: ['ZooKeeperQuorumLost', 'ZooKeeperNoLeader'],
        description: 'Ensembles in which no client can be served. Should be 0.',
        queries: [{ expr: `sum(1 - ${serving})`, legend: 'without service' }],
      }),
      number({
        title: 'Smallest quorum margin', width: 4, unit: 'none', limits: limits.margin,
        runbook: ['ZooKeeperQuorumMarginZero', 'ZooKeeperQuorumLost'],
        description: 'Voters that may still fail in the ensemble that is worst off. 0 means that the next failure stops it, ' +
          'negative that it is down. Voters may be in sync and serve nobody: "Ensembles without service" tells. Standalone ' +
          'servers and pairs, which never have a voter to spare, count only while they are down.',
        absent: 'no spare voters',
        queries: [{ expr: `min(${margin} unless (${wholeWithoutSpare} == 1))`, legend: 'margin' }],
      }),
      number({
        title: 'Members that do not serve', width: 4, unit: 'short', limits: limits.anyIsOdd,
        runbook: ['ZooKeeperMemberDown', 'ZooKeeperMemberNotServing'],
        description: 'Members of all ensembles in any state but serving; the state of each is below.',
        queries: [{
          expr: `sum(1 - ${lowest(of('watchkeeper_member_serving_state', 'state="serving"'), 'state')})`, legend: 'members',
        }],
      }),
      number({
        title: 'Critical alerts', width: 3, unit: 'short', limits: limits.anyIsBad, runbook: 'README',
        description: 'Critical alerts of the shipped rules that fire now. Reads 0 as well where Prometheus has no rules loaded.',
        queries: [{
          expr: `count(${alerts('ALERTS', ['alertstate="firing"', 'severity="critical"', ...chosen])}) or vector(0)`,
          legend: 'critical',
        }],
      }),
      number({
        title: 'Warnings', width: 3, unit: 'short', limits: limits.anyIsOdd, runbook: 'README',
        description: 'Warnings of the shipped rules that fire now. Reads 0 as well where Prometheus has no rules loaded.',
        queries: [{
          expr: `count(${alerts('ALERTS', ['alertstate="firing"', 'severity="warning"', ...chosen])}) or vector(0)`,
          legend: 'warnings',
        }],
      }),
      availability(3, of),
      ageOfView(3),
    ], [
      rows({
        title: 'Ensembles', width: 24, height: 8, unit: 'short', runbook: ['ZooKeeperQuorumLost', 'ZooKeeperQuorumMarginZero'],
        description: 'One row an ensemble: first those that serve nobody, then those with the smallest margin. A click on the ' +
          'name opens it.',
        sort: [{ column: 'Serves', descending: false }, { column: 'Margin', descending: false }],
        columns: [
          { title: 'ensemble', link: toEnsemble('column') },
          { title: 'Serves', expr: serving, unit: 'none', mappings: yesOrNo,
            limits: limits.shouldBeOne, width: 80 },
          { title: 'Margin', expr: margin, unit: 'none', limits: limits.margin, width: 80 },
          { title: 'In sync', expr: lowest(of('watchkeeper_ensemble_voters_in_sync')), unit: 'none', width: 80 },
          { title: 'Voters', expr: highest(of('watchkeeper_ensemble_voters')), unit: 'none', width: 80 },
          { title: 'Open problems', expr: total(of('watchkeeper_ensemble_problems', 'severity!="info"'), 'severity'),
            limits: limits.anyIsOdd },
          { title: 'No service', expr: highest(growth(of('watchkeeper_ensemble_unserved_seconds_total'))), unit: 'dtdurations' },
          { title: 'Elections', expr: highest(`round(${growth(of('watchkeeper_ensemble_elections_total'))})`), decimals: 0 },
          { title: 'Canary p95', unit: 's', limits: limits.canaryLatency,
            expr: known(`max without (operation) (${percentile(0.95, of, 'watchkeeper_canary_operation_duration_seconds',
              ['member'], 'operation!="connect"')})`) },
          { title: 'Znodes', expr: highest(of('watchkeeper_member_znodes'), 'member'), limits: limits.znodes },
          { title: 'Data', expr: highest(of('watchkeeper_member_data_size_bytes'), 'member'), unit: 'bytes',
            limits: limits.dataSize },
          { title: 'Sessions', expr: highest(of('watchkeeper_member_global_sessions'), 'member') },
        ],
      }),
    ], [
      alertTable(12, 8, 'overview', chosen),
      rows({
        title: 'Which members do not serve', width: 12, height: 8, unit: 'short',
        runbook: ['ZooKeeperMemberDown', 'ZooKeeperMemberNotServing'], absent: 'Every member serves',
        description: 'Members in any state but serving, and how long ago they last answered anything.',
        labels: [highest(`${of('watchkeeper_member_serving_state', 'state!="serving"')} == 1`)],
        columns: [
          { title: 'ensemble', link: toEnsemble('column') },
          { title: 'member', link: toMember('column', 'named') },
          { title: 'State', label: 'state', mappings: servingLabelColours, width: 110 },
          { title: 'Last good answer', unit: 'dtdurations',
            expr: `${lastAnswer(of)} and ` +
              `${lowest(of('watchkeeper_member_serving_state', 'state="serving"'), 'state')} == 0` },
        ],
      }),
    ], [
      states({
        title: 'Service', width: 24, unit: 'none', link: open,
        runbook: ['ZooKeeperQuorumLost', 'ZooKeeperQuorumMarginZero', 'ZooKeeperServiceInterrupted'],
        description: 'Whether each ensemble served over time, and how many voters might still fail.',
        queries: byEnsemble(service),
        mappings: texts({
          [-1]: { text: 'no service', color: colours.critical }, 0: { text: 'next failure stops service', color: colours.warning },
          0.5: { text: 'whole, but has no voter to spare', color: colours.ok },
          1: { text: 'one may fail', color: colours.ok }, 2: { text: 'two or more may fail', color: 'dark-green' },
        }),
      }),
    ]],
  }, {
    title: 'What clients feel',
    lines: [[
      lines({
        title: 'Rounds of the canary that failed', width: 8, unit: 'percentunit', limits: limits.burnRate, link: open,
        runbook: 'ZooKeeperErrorBudgetBurn', absent: 'canary is off', max: 1,
        description: 'Seconds in which no member served the canary wholly. The lines are the paces at which the error budget of ' +
          '30 days is gone within ten days, and within two.',
        queries: byEnsemble(`${total(rate(of('watchkeeper_canary_rounds_total', 'result="failed"')), 'result')} / ` +
          total(rate(of('watchkeeper_canary_rounds_total')), 'result')),
      }),
      lines({
        title: 'Canary latency, 95th percentile', width: 8, unit: 's', limits: limits.canaryLatency, link: open,
        runbook: 'ZooKeeperCanaryLatencyHigh', absent: 'canary is off',
        description: 'The slowest operation of the canary, through all members: network, queues and disks as a client feels them.',
        queries: byEnsemble(`max without (operation) (${percentile(0.95, of, 'watchkeeper_canary_operation_duration_seconds',
          ['member'], 'operation!="connect"')})`),
      }),
      lines({
        title: 'Writes, mean latency', width: 8, unit: 's', limits: limits.requestLatency, link: open,
        runbook: 'ZooKeeperRequestLatencyHigh',
        description: 'Mean time of a write at the slowest member, as the member counts it, over the last few scrapes.',
        queries: worstMember(mean(of, 'watchkeeper_member_update_latency_seconds')),
      }),
    ]],
  }, {
    title: 'Causes',
    lines: [[
      lines({
        title: 'Disk: mean fsync', width: 8, unit: 's', limits: limits.fsync, link: open, runbook: 'ZooKeeperFsyncSlow',
        description: 'Mean flush of the transaction log on the slowest disk. ZooKeeper rounds down to milliseconds: 0 is a fast disk.',
        queries: worstMember(mean(of, 'watchkeeper_member_fsync_duration_seconds')),
      }),
      lines({
        title: 'Load: outstanding requests', width: 8, unit: 'short', limits: limits.outstanding, link: open,
        runbook: 'ZooKeeperOutstandingRequestsHigh',
        description: 'Requests in the pipeline of the member that has most of them.',
        queries: worstMember(of('watchkeeper_member_outstanding_requests')),
      }),
      lines({
        title: 'Java: time paused', width: 8, unit: 'percentunit', link: open, runbook: 'ZooKeeperRequestLatencyHigh',
        description: 'Part of the time that the pause monitor of a member saw it stand still, mostly for garbage collection. ' +
          'Reads 0 unless jvm.pause.monitor is on.',
        queries: worstMember(rate(of('watchkeeper_member_jvm_pause_duration_seconds_sum'))),
      }),
    ], [
      lines({
        title: 'Elections', width: 8, unit: 'short', limits: limits.elections, link: open, runbook: 'ZooKeeperLeaderFlapping',
        description: 'Elections in the last 15 minutes. Each one interrupts every client.',
        queries: byEnsemble(highest(`increase(${of('watchkeeper_ensemble_elections_total')}[15m])`)),
      }),
      lines({
        title: 'Lag behind the leader', width: 8, unit: 'short', limits: limits.lag, link: open, runbook: 'ZooKeeperFollowerLag',
        description: 'Transactions between the newest one known and the member that is farthest behind.',
        queries: worstMember(of('watchkeeper_member_lag_transactions')),
      }),
      lines({
        title: 'Sessions that expired', width: 8, unit: 'short', limits: limits.expiries, link: open,
        runbook: 'ZooKeeperSessionExpiryStorm',
        description: 'In the last 5 minutes. Their ephemeral nodes are gone: locks were released, services deregistered.',
        queries: byEnsemble(total(`increase(${of('watchkeeper_member_sessions_expired_total')}[5m])`, 'member')),
      }),
    ]],
  }, {
    title: 'Size and load',
    lines: [[
      lines({
        title: 'Client packets received', width: 8, unit: 'pps', link: open, runbook: 'README',
        description: 'By all members together; pings are included.',
        queries: byEnsemble(total(rate(of('watchkeeper_member_packets_received_total')), 'member')),
      }),
      lines({
        title: 'Client connections', width: 8, unit: 'short', link: open, runbook: 'ZooKeeperConnectionsNearLimit',
        description: 'Open client connections of all members, those of monitoring included.',
        queries: byEnsemble(total(of('watchkeeper_member_connections'), 'member')),
      }),
      lines({
        title: 'Watches', width: 8, unit: 'short', limits: limits.watches, link: open, runbook: 'ZooKeeperWatchCountHigh',
        description: 'At the member that holds most of them.',
        queries: worstMember(of('watchkeeper_member_watches')),
      }),
    ], [
      lines({
        title: 'Znodes', width: 8, unit: 'short', limits: limits.znodes, link: open,
        runbook: ['ZooKeeperZnodeCountHigh', 'ZooKeeperZnodeCountGrowth'],
        description: 'Nodes in the tree, which every member holds whole.',
        queries: worstMember(of('watchkeeper_member_znodes')),
      }),
      lines({
        title: 'Ephemeral znodes', width: 8, unit: 'short', limits: limits.ephemerals, link: open,
        runbook: 'ZooKeeperEphemeralsGrowth',
        description: 'Nodes that live as long as a session.',
        queries: worstMember(of('watchkeeper_member_ephemerals')),
      }),
      lines({
        title: 'Data', width: 8, unit: 'bytes', limits: limits.dataSize, link: open,
        runbook: ['ZooKeeperDataSizeHigh', 'ZooKeeperDataSizeGrowth'],
        description: 'Bytes of all paths and values. Members need several times as much memory.',
        queries: worstMember(of('watchkeeper_member_data_size_bytes')),
      }),
    ]],
  }, exporterSection()],
});
