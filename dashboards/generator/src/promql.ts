// PromQL that all dashboards share: selectors with the dashboards' variables, and the few shapes of a query.
//
// `instance` is the exporter, never a member. Two exporters may watch the same ensembles, and one that moved has a new
// address; so every query drops `instance` and `pod` by a maximum (or a minimum, where the worse opinion is the lower
// one). Other labels that a Prometheus adds stay, as in alerts/watchkeeper.rules.yml.

/** Makes `metric{...}` with the labels that a dashboard's variables choose, and further matchers. */
export type Selector = (metric: string, ...matchers: string[]) => string;

function selector(...fixed: string[]): Selector {
  return (metric, ...matchers) => `${metric}{${[...fixed, ...matchers].join(', ')}}`;
}

const exporterLabels = ['job="$job"', 'instance=~"$instance"'];

/** What the exporters tell of themselves. */
export const ofExporter = selector(...exporterLabels);
/** The ensembles that are chosen on the overview; $ensemble may hold several there. */
export const ofEnsembles = selector(...exporterLabels, 'ensemble=~"$ensemble"');
export const ofEnsemble = selector(...exporterLabels, 'ensemble="$ensemble"');
export const ofMember = selector(...exporterLabels, 'ensemble="$ensemble"', 'member="$member"');

const exporterIdentity = ['instance', 'pod'];

/** The highest of what the exporters say; `over` names labels to go beside theirs. */
export function highest(expression: string, ...over: string[]): string {
  return `max without (${[...over, ...exporterIdentity].join(', ')}) (${expression})`;
}

/** The lowest: for numbers of which less is worse. */
export function lowest(expression: string, ...over: string[]): string {
  return `min without (${[...over, ...exporterIdentity].join(', ')}) (${expression})`;
}

/** Sum over labels of one exporter, then the highest exporter; a plain sum would count two exporters twice. */
export function total(expression: string, ...over: string[]): string {
  return highest(`sum without (${over.join(', ')}) (${expression})`);
}

/** What the member answered last by any of its sources, as the exporter says that has waited longest for it. */
export function lastAnswer(select: Selector): string {
  return highest(`min without (source) (${select('watchkeeper_member_source_age_seconds')})`);
}

export const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
/** Growth over the time that the dashboard shows. */
export const growth = (series: string): string => `increase(${series}[$__range])`;

/**
 * Mean of a summary or histogram over the last few scrapes; ZooKeeper's own averages never forget. Absent where nothing
 * was counted: 0 / 0 would be shown as NaN.
 */
export function mean(select: Selector, metric: string, ...matchers: string[]): string {
  return `${rate(select(`${metric}_sum`, ...matchers))} / (${rate(select(`${metric}_count`, ...matchers))} > 0)`;
}

/** Observations a second by bucket of a histogram, of the exporter that counted most; all other labels are folded. */
export function buckets(select: Selector, metric: string, ...matchers: string[]): string {
  return `max by (le) (sum by (${['le', ...exporterIdentity].join(', ')}) (${rate(select(`${metric}_bucket`, ...matchers))}))`;
}

/** A percentile of a histogram; `over` names labels that are folded into it. NaN where nothing was counted: see known(). */
export function percentile(rank: number, select: Selector, metric: string, over: string[], ...matchers: string[]): string {
  const labels = [...over, ...exporterIdentity].join(', ');
  return `histogram_quantile(${rank}, sum without (${labels}) (${rate(select(`${metric}_bucket`, ...matchers))}))`;
}

/** Leaves NaN out, which a cell or a single number would show; for what is never negative. */
export const known = (expression: string): string => `${expression} >= 0`;

/** A label that is 1 in one of several series, as a number: the place of the value in `values`, counted from 1. */
export function coded(select: Selector, metric: string, label: string, values: readonly string[]): string {
  const terms = values.map((value, index) => `${index + 1} * (${select(metric, `${label}="${value}"`)} == 1)`);
  return highest(terms.join(' or '), label);
}

/** Alerts of the shipped rules. Some drop the label job, one stems from node_exporter: only the name tells them. */
export function alerts(metric: 'ALERTS' | 'ALERTS_FOR_STATE', ...alternatives: string[][]): string {
  return alternatives.map((matchers) => selector('alertname=~"ZooKeeper.+"')(metric, ...matchers)).join(' or ');
}
