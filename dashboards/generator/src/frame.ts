// What surrounds the panels: variables, annotations, links between the dashboards, and what is said of members and alerts
// on more than one of them.

import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import { limits, runbookBase } from './alerts';
import {
  colours, datasource, labelColours, lines, number, place, rows, texts, type Link, type Placed, type Section, type Unit,
} from './panels';
import { alerts, growth, ofEnsemble, ofExporter, type Selector, lowest, highest, rate, total } from './promql';

export const uids = {
  overview: 'watchkeeper-overview', ensemble: 'watchkeeper-ensemble', member: 'watchkeeper-member', inside: 'watchkeeper-inside',
};

// How Grafana writes a variable, or a field of the row that is clicked, into an address.
const keep = '${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${__url_time_range}';

/** To the dashboard of the ensemble that a label or column names. */
export function toEnsemble(source: 'label' | 'column'): Link {
  const value = source === 'label' ? '__field.labels.ensemble' : '__data.fields.ensemble';
  return { title: 'Open the ensemble', url: `/d/${uids.ensemble}?var-ensemble=\${${value}:percentencode}&${keep}` };
}

/** To the dashboard of the member that a label or column names; without `ensemble` of that on this dashboard. */
export function toMember(source: 'label' | 'column', ensemble: 'chosen' | 'named'): Link {
  const fields = source === 'label' ? '__field.labels' : '__data.fields';
  const of = ensemble === 'chosen' ? '${ensemble:queryparam}' : `var-ensemble=\${${fields}.ensemble:percentencode}`;
  return { title: 'Open the member', url: `/d/${uids.member}?var-member=\${${fields}.member:percentencode}&${of}&${keep}` };
}

function query(name: string, label: string, description: string, definition: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name).label(label).description(description).datasource(datasource)
    .query({ query: definition, refId: `variable-${name}` })
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged).sort(dashboard.VariableSort.AlphabeticalCaseInsensitiveAsc);
}

export type Scope = 'overview' | 'ensemble' | 'member' | 'inside';

function variables(scope: Scope): dashboard.VariableModel[] {
  const everything = { text: ['All'], value: ['$__all'], selected: true };
  // Of ensembles and members, the inside has those only that tell it.
  const ofThese = scope === 'inside' ? 'watchkeeper_server_sessions' : 'watchkeeper_ensemble_serving';
  const ensembles = `label_values(${ofExporter(ofThese)}, ensemble)`;
  const found = [
    new dashboard.DatasourceVariableBuilder('datasource').label('Data source')
      .description('The Prometheus that scrapes watchkeeper-exporter.').type('prometheus').build(),
    query('job', 'Job', "Prometheus' job of the exporters; the shipped configuration calls it watchkeeper.",
      'label_values(watchkeeper_build_info, job)').build(),
    query('instance', 'Exporter', 'The exporters that are asked. With several, the worse opinion is shown.',
      'label_values(watchkeeper_build_info{job="$job"}, instance)').multi(true).includeAll(true).allValue('.*')
      .current(everything).build(),
    scope === 'overview'
      ? query('ensemble', 'Ensemble', 'The ensembles that are shown.', ensembles).multi(true).includeAll(true).allValue('.*')
        .current(everything).build()
      : query('ensemble', 'Ensemble', 'The ensemble that is shown.', ensembles).build(),
  ];
  if (scope === 'member') {
    found.push(query('member', 'Member', "The member that is shown, as the exporter's configuration writes it.",
      `label_values(watchkeeper_member_voter{job="$job", instance=~"$instance", ensemble="$ensemble"}, member)`).build());
  }
  if (scope === 'inside') {
    found.push(query('member', 'Server', 'The Watchkeeper server that is shown; its own /metrics must be scraped.',
      `label_values(${ofEnsemble('watchkeeper_server_sessions')}, member)`).build());
  }
  const base = new dashboard.ConstantVariableBuilder('runbooks').label('Runbooks')
    .description('Where the runbooks are served; every panel and alert links there.').value(runbookBase).build();
  base.hide = dashboard.VariableHide.HideVariable;
  base.current = { text: runbookBase, value: runbookBase };
  found.push(base);
  for (const variable of found) {
    // The SDK writes the defaults of an interval variable into every variable, which Grafana's schema does not allow.
    for (const key of ['auto', 'auto_count', 'auto_min'] as const) {
      delete variable[key];
    }
  }
  return found;
}

function annotation(name: string, color: string, expr: string, title: string, text: string): dashboard.AnnotationQuery {
  const built = new dashboard.AnnotationQueryBuilder().name(name).datasource(datasource).enable(true).iconColor(color)
    .target(new prometheus.DataqueryBuilder().refId('Anno').expr(expr).interval('15s').legendFormat(''))
    .titleFormat(title).textFormat(text).tagKeys('ensemble').build();
  delete built.placement;
  return built;
}

function annotations(ensembles: Selector, members: Selector): dashboard.AnnotationQuery[] {
  // $__rate_interval is longer than the step of the query, so no change falls between two of its windows.
  const recently = (series: string): string => highest(`increase(${series}[$__rate_interval])`);
  return [
    annotation('Leader changes', 'purple',
      `${highest(ensembles('watchkeeper_member_role', 'role="leader"'), 'role')} == 1 and ignoring (member) ` +
      `${recently(ensembles('watchkeeper_ensemble_leader_changes_total'))} > 0`,
      'New leader', '{{member}} leads {{ensemble}}'),
    // Grafana marks only values above 0.
    annotation('Outages', 'red', `1 - ${lowest(ensembles('watchkeeper_ensemble_serving'))} > 0`,
      'No service', '{{ensemble}} serves nobody'),
    annotation('Member restarts', 'blue', `${recently(members('watchkeeper_member_restarts_total'))} > 0`,
      'Restart', '{{member}} of {{ensemble}} restarted'),
  ];
}

export interface Page {
  scope: Scope;
  title: string;
  description: string;
  /** What chooses the series of ensembles, and those of members. */
  ensembles: Selector;
  members: Selector;
  sections: Section[];
}

export function page(content: Page): dashboard.Dashboard {
  const built = new dashboard.DashboardBuilder(content.title).uid(uids[content.scope]).description(content.description)
    .tags(['watchkeeper', 'zookeeper']).timezone('browser').refresh('30s').time({ from: 'now-3h', to: 'now' })
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(new dashboard.DashboardLinkBuilder('Watchkeeper').type(dashboard.DashboardLinkType.Dashboards).tags(['watchkeeper'])
      .icon('external link').tooltip('The other dashboards, with the same variables and time').includeVars(true).keepTime(true))
    .build();
  built.id = null;
  built.templating = { list: variables(content.scope) };
  built.annotations = { list: annotations(content.ensembles, content.members) };
  built.panels = place(content.sections);
  for (const panel of built.panels.flatMap((one) => ('panels' in one ? one.panels : [one]) as dashboard.Panel[])) {
    if (panel.type === 'table') {
      // Dropped by Grafana 12; the SDK still writes its default.
      delete panel.options['footer'];
    }
    panel.links?.forEach((link) => delete link.placement);
  }
  built.links?.forEach((link) => delete link.placement);
  return built;
}

export const servingStates = ['serving', 'read_only', 'syncing', 'looking', 'not_serving', 'unreachable'] as const;
export const servingTexts = texts({
  1: { text: 'serving', color: colours.ok }, 2: { text: 'read-only', color: colours.warning },
  3: { text: 'syncing', color: colours.warning }, 4: { text: 'looking', color: colours.critical },
  5: { text: 'not serving', color: colours.critical }, 6: { text: 'unreachable', color: 'dark-red' },
});
export const servingLabelColours = labelColours({
  serving: colours.ok, read_only: colours.warning, syncing: colours.warning, looking: colours.critical,
  not_serving: colours.critical, unreachable: 'dark-red',
});
export const roles = ['leader', 'follower', 'observer', 'standalone', 'read_only', 'unknown'] as const;
export const roleTexts = texts({
  1: { text: 'leader', color: 'purple' }, 2: { text: 'follower', color: colours.ok }, 3: { text: 'observer', color: colours.info },
  4: { text: 'standalone', color: colours.ok }, 5: { text: 'read-only', color: colours.warning },
  6: { text: 'unknown', color: colours.critical },
});
export const yesOrNo = texts({ 0: { text: 'no', color: colours.critical }, 1: { text: 'yes', color: colours.ok } });
export const noOrYes = texts({ 0: { text: 'no', color: colours.ok }, 1: { text: 'yes', color: colours.critical } });
export const yesOrNotNow = texts({ 0: { text: 'no', color: colours.warning }, 1: { text: 'yes', color: colours.ok } });
const severityColours = labelColours({ critical: colours.critical, warning: colours.warning, info: colours.info });
const alertStateColours = labelColours({ firing: colours.critical, pending: colours.warning });

/** The alerts that are pending or firing, with the way to their runbooks. `alternatives` are sets of matchers. */
export function alertTable(width: number, height: number, scope: Scope, ...alternatives: string[][]): Placed {
  const identity = 'severity, alertname, ensemble, member';
  const named = scope === 'overview';
  return rows({
    title: 'Alerts', width, height, unit: 'short', runbook: 'README', absent: 'No alert is pending or firing',
    description: 'Alerts of the shipped rules, the oldest first. A click on the name opens the runbook. Empty is good, if ' +
      'Prometheus has the rules loaded: see alerts/watchkeeper.rules.yml.',
    labels: [],
    columns: [
      { title: 'Severity', label: 'severity', mappings: severityColours, width: 90 },
      { title: 'Alert', label: 'alertname',
        link: { title: 'Open the runbook', url: '${runbooks:raw}${__data.fields.Alert}' } },
      { title: 'State', label: 'alertstate', mappings: alertStateColours, width: 90 },
      ...(named ? [{ title: 'ensemble', link: toEnsemble('column') }] : []),
      ...(scope === 'member' || scope === 'inside' ? []
        : [{ title: 'member', link: toMember('column', named ? 'named' : 'chosen') }]),
      { title: 'Since', unit: 'dateTimeFromNow' as const, width: 150,
        expr: `1000 * min by (${identity}) (${alerts('ALERTS_FOR_STATE', ...alternatives)}) * on (${identity}) ` +
          `group_right () max by (alertstate, ${identity}) (${alerts('ALERTS', ...alternatives)})` },
    ],
    sort: { column: 'Since', descending: false },
  });
}

/** In the first line of every dashboard. */
export const ageTitle = 'Age of view';

/** How many rounds of the canary succeeded in the time that is shown. */
export function availability(width: number, select: Selector): Placed {
  const rounds = 'watchkeeper_canary_rounds_total';
  return number({
    title: 'Availability', width, unit: 'percentunit', decimals: 3, limits: limits.availability,
    runbook: 'ZooKeeperErrorBudgetBurn', absent: 'canary is off',
    description: 'Part of the seconds on this dashboard in which at least one member served the canary wholly: what clients ' +
      'feel. The objective is 99.99 %. With several ensembles the worst is shown.',
    queries: [{
      expr: `min(1 - ${total(growth(select(rounds, 'result="failed"')), 'result')} / ` +
        `(${total(growth(select(rounds)), 'result')} > 0))`,
      legend: 'available',
    }],
  });
}

/**
 * How old what is shown is: an exporter that hangs goes on with its last view. `those` chooses exporters by what they know
 * of; without it they are all that are chosen.
 */
export function ageOfView(width: number, those?: string): Placed {
  const ages = ofExporter('watchkeeper_exporter_snapshot_age_seconds');
  return number({
    title: ageTitle, width, unit: 's', limits: limits.snapshotAge, runbook: 'ZooKeeperExporterStale',
    description: 'Age of the oldest snapshot of the exporters that tell what is shown here. It is about a second; above 15 s ' +
      'the exporter hangs, and every number here describes the past.',
    queries: [{ expr: `max(${ages}${those === undefined ? '' : ` and on (job, instance) ${those}`})`, legend: 'age' }],
  });
}

/** What keeps the exporter itself from seeing. */
export function exporterSection(): Section {
  return {
    title: 'The exporters themselves', closed: true,
    lines: [[
      number({
        title: 'Targets down', width: 6, unit: 'short', limits: limits.anyIsBad,
        runbook: ['ZooKeeperExporterDown', 'ZooKeeperEnsembleUnwatched'], absent: 'no target',
        description: 'Targets of the job that Prometheus could not scrape just now: exporters, and servers that are scraped ' +
          'themselves. Should be 0; when all are down, nobody watches, and when one is, perhaps nobody what it watched alone. One that ' +
          'Prometheus has no target for any more is not counted; both alerts tell of it for a day.',
        queries: [{ expr: `sum(1 - ${ofExporter('up')})`, legend: 'down' }],
      }),
      number({
        title: 'Targets', width: 6, unit: 'short', runbook: 'ZooKeeperExporterDown', absent: 'no target',
        description: 'Targets of the job, down or not: exporters, and servers that are scraped themselves.',
        queries: [{ expr: `count(${ofExporter('up')})`, legend: 'targets' }],
      }),
      number({
        title: 'Members watched', width: 6, unit: 'short', runbook: 'ZooKeeperUnlistedMember',
        description: 'Members in the configuration of the exporters.',
        queries: [{ expr: `max(${ofExporter('watchkeeper_exporter_targets')})`, legend: 'members' }],
      }),
      number({
        title: 'Version', width: 6, unit: 'none', runbook: 'README', name: true,
        description: 'Version of the exporters.',
        queries: [{ expr: `max by (version) (${ofExporter('watchkeeper_build_info')})`, legend: '{{version}}' }],
      }),
    ], [
      ofEachExporter('Memory', 'bytes', 'Resident memory of each exporter. Flat is normal; it depends on the number of members.',
        ofExporter('process_resident_memory_bytes')),
      ofEachExporter('CPU', 'percentunit', 'Part of one core that each exporter uses.',
        rate(ofExporter('process_cpu_seconds_total'))),
      ofEachExporter('Visits that were skipped', 'cps', 'Visits that did not begin because the one before was still under way: ' +
        'members answer more slowly than the poll interval, or the host of the exporter is starved.',
      rate(ofExporter('watchkeeper_exporter_poll_rounds_skipped_total'))),
    ]],
  };
}

function ofEachExporter(title: string, unit: Unit, description: string, expr: string): Placed {
  const queries = [{ expr, legend: '{{instance}}' }];
  return lines({ title, unit, description, width: 8, runbook: 'ZooKeeperExporterStale', queries });
}
