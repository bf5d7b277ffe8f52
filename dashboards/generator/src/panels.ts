// The kinds of panels that the dashboards are made of, and the grid that they stand in. One look for all: a kind has one
// height, its legend is a table with the newest and the highest value, and its colours are those of the alert's severity.

import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Limits, Runbook } from './alerts';

/** Grafana's name of a unit. */
export type Unit =
  | 's'              // seconds, scaled: 12 ms
  | 'dtdurations'    // seconds in words: 2 days, 3 hours
  | 'dateTimeFromNow' // milliseconds since 1970: 3 minutes ago
  | 'percentunit'    // 0 to 1
  | 'bytes' | 'binBps'
  | 'ops' | 'pps' | 'cps' // operations, packets, and anything else that is counted, a second
  | 'short'          // a count, scaled: 1.2 K
  | 'none';          // a number as it is: an id, a flag with a text

export const datasource: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** Colours by severity. The text beside them says the same, for those who cannot tell them apart. */
export const colours = { ok: 'green', info: 'blue', warning: 'orange', critical: 'red', unknown: 'text' } as const;

export interface Query {
  expr: string;
  /** Text of the legend, with labels as {{label}}. */
  legend: string;
  /** When it differs from the panel's. */
  unit?: Unit;
  /** Shortest step, for what is counted per step; else the scrape interval. */
  step?: string;
}

interface Common {
  title: string;
  /** What it shows, what is normal, and what to think when it is not. */
  description: string;
  runbook: Runbook | Runbook[];
  unit: Unit;
  /** Of the grid's 24 columns. */
  width: number;
  limits?: Limits;
  /** Shown instead of "No data". */
  absent?: string;
  decimals?: number;
  mappings?: dashboard.ValueMapping[];
  /** Where a click on a series leads. */
  link?: Link;
}

export interface Link {
  title: string;
  url: string;
}

/** A panel with its size; the grid gives it its place. */
export interface Placed {
  builder: Builder<dashboard.Panel>;
  width: number;
  height: number;
}

// What the builders of all panel kinds have in common; the SDK has no type for it.
interface AnyPanelBuilder extends Builder<dashboard.Panel> {
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: common.DataSourceRef): this;
  links(links: Builder<dashboard.DashboardLink>[]): this;
  unit(unit: string): this;
  decimals(decimals: number): this;
  noValue(text: string): this;
  mappings(mappings: dashboard.ValueMapping[]): this;
  thresholds(thresholds: Builder<dashboard.ThresholdsConfig>): this;
  colorScheme(color: Builder<dashboard.FieldColor>): this;
  withTarget(target: Builder<prometheus.Dataquery>): this;
  overrideByQuery(refId: string, properties: dashboard.DynamicConfigValue[]): this;
  dataLinks(links: Builder<dashboard.DashboardLink>[]): this;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

function refId(index: number): string {
  const letter = letters[index];
  if (letter === undefined) {
    throw new Error(`a panel has more than ${letters.length} queries`);
  }
  return letter;
}

export function steps(limits: Limits | undefined): dashboard.Threshold[] {
  const { warning, critical, below } = limits ?? {};
  const found: dashboard.Threshold[] = [];
  if (below) {
    // From the worst upwards: each limit is the first value that is better than the colour before it.
    if (critical !== undefined) {
      found.push({ value: critical, color: warning === undefined ? colours.ok : colours.warning });
    }
    if (warning !== undefined) {
      found.push({ value: warning, color: colours.ok });
    }
    return [{ value: null, color: critical === undefined ? colours.warning : colours.critical }, ...found];
  }
  if (warning !== undefined) {
    found.push({ value: warning, color: colours.warning });
  }
  if (critical !== undefined) {
    found.push({ value: critical, color: colours.critical });
  }
  return [{ value: null, color: limits === undefined ? colours.unknown : colours.ok }, ...found];
}

function thresholds(limits: Limits | undefined): Builder<dashboard.ThresholdsConfig> {
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps(limits));
}

function runbookLinks(runbook: Runbook | Runbook[]): Builder<dashboard.DashboardLink>[] {
  return [runbook].flat().map((name) =>
    new dashboard.DashboardLinkBuilder(name === 'README' ? 'All runbooks' : `Runbook: ${name}`)
      .type(dashboard.DashboardLinkType.Link)
      .url(`\${runbooks:raw}${name === 'README' ? '' : name}`)
      .targetBlank(true));
}

function target(query: Query, index: number, kind: 'instant' | 'range' | 'table' | 'heatmap'): Builder<prometheus.Dataquery> {
  const builder = new prometheus.DataqueryBuilder().refId(refId(index)).expr(query.expr).datasource(datasource)
    .editorMode(prometheus.QueryEditorMode.Code).legendFormat(query.legend);
  if (query.step !== undefined) {
    builder.interval(query.step);
  }
  switch (kind) {
    case 'instant': return builder.instant().format(prometheus.PromQueryFormat.TimeSeries);
    case 'table': return builder.instant().format(prometheus.PromQueryFormat.Table);
    case 'heatmap': return builder.range().format(prometheus.PromQueryFormat.Heatmap);
    case 'range': return builder.range().format(prometheus.PromQueryFormat.TimeSeries);
  }
}

function dataLink(link: Link): Builder<dashboard.DashboardLink> {
  return { build: () => ({ title: link.title, url: link.url }) as dashboard.DashboardLink };
}

function dress<T extends AnyPanelBuilder>(builder: T, panel: Common, queries: Query[],
                                          kind: 'instant' | 'range' | 'table' | 'heatmap'): T {
  builder.title(panel.title).description(panel.description).datasource(datasource).links(runbookLinks(panel.runbook))
    .unit(panel.unit).thresholds(thresholds(panel.limits)).noValue(panel.absent ?? 'not told');
  if (panel.decimals !== undefined) {
    builder.decimals(panel.decimals);
  }
  if (panel.mappings !== undefined) {
    builder.mappings(panel.mappings);
  }
  if (panel.link !== undefined) {
    builder.dataLinks([dataLink(panel.link)]);
  }
  queries.forEach((query, index) => {
    builder.withTarget(target(query, index, kind));
    if (query.unit !== undefined) {
      builder.overrideByQuery(refId(index), [{ id: 'unit', value: query.unit }]);
    }
  });
  return builder;
}

/** Texts for whole numbers. */
export function texts(byValue: Record<number, { text: string; color: string }>): dashboard.ValueMapping[] {
  return [{ type: dashboard.MappingType.ValueToText, options: byValue }] as dashboard.ValueMapping[];
}

/** Texts for the labels of a table. */
export function labelColours(byText: Record<string, string>): dashboard.ValueMapping[] {
  const options = Object.fromEntries(Object.entries(byText).map(([text, color]) => [text, { text, color }]));
  return [{ type: dashboard.MappingType.ValueToText, options }] as dashboard.ValueMapping[];
}

/**
 * One number of this moment, large. Asked as an instant query: the last value of a range would show a member that
 * stopped answering as if it were fresh.
 */
export function number(panel: Common & { queries: Query[]; name?: boolean }): Placed {
  const builder = new stat.PanelBuilder()
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(panel.limits === undefined && panel.mappings === undefined ? common.BigValueColorMode.None
      : common.BigValueColorMode.Background)
    .textMode(panel.name ? common.BigValueTextMode.Name
      : panel.queries.length > 1 ? common.BigValueTextMode.ValueAndName : common.BigValueTextMode.Value)
    .wideLayout(false)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  return { builder: dress(builder, panel, panel.queries, 'instant'), width: panel.width, height: 4 };
}

/** Lines over time; with limits a dashed line for each. */
export function lines(panel: Common & { queries: Query[]; stacked?: boolean; max?: number; bars?: boolean }): Placed {
  const builder = new timeseries.PanelBuilder()
    .lineWidth(1)
    .fillOpacity(panel.bars ? 60 : panel.stacked ? 25 : 8)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(false)
    .min(0)
    .drawStyle(panel.bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .lineInterpolation(common.LineInterpolation.Linear)
    .stacking(new common.StackingConfigBuilder().mode(panel.stacked ? common.StackingMode.Normal : common.StackingMode.None))
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(
      panel.limits === undefined ? common.GraphThresholdsStyleMode.Off : common.GraphThresholdsStyleMode.Dashed))
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassicByName))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .legend(new common.VizLegendOptionsBuilder().showLegend(true).displayMode(common.LegendDisplayMode.Table)
      .placement(common.LegendPlacement.Bottom).calcs(['lastNotNull', 'max']));
  if (panel.max !== undefined) {
    builder.max(panel.max);
  }
  return { builder: dress(builder, panel, panel.queries, 'range'), width: panel.width, height: 8 };
}

/** States over time, one row a series. */
export function states(panel: Common & { queries: Query[]; mappings: dashboard.ValueMapping[]; height?: number }): Placed {
  const builder = new statetimeline.PanelBuilder()
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto)
    .rowHeight(0.85)
    .fillOpacity(75)
    .lineWidth(0)
    .legend(new common.VizLegendOptionsBuilder().showLegend(false).displayMode(common.LegendDisplayMode.List)
      .placement(common.LegendPlacement.Bottom))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Single).sort(common.SortOrder.None));
  return { builder: dress(builder, panel, panel.queries, 'range'), width: panel.width, height: panel.height ?? 8 };
}

/** How many observations fell into which bucket of a histogram, over time. */
export function distribution(panel: Common & { query: string }): Placed {
  const builder = new heatmap.PanelBuilder()
    .calculate(false)
    .cellGap(1)
    .showValue(common.VisibilityMode.Never)
    .showLegend()
    .color(new heatmap.HeatmapColorOptionsBuilder().mode(heatmap.HeatmapColorMode.Scheme).scheme('Viridis').steps(64)
      .exponent(0.5).fill('dark-orange').scale(heatmap.HeatmapColorScale.Exponential).reverse(false))
    .yAxis(new heatmap.YAxisConfigBuilder().unit(panel.unit).axisPlacement(common.AxisPlacement.Left))
    .rowsFrame(new heatmap.RowsHeatmapOptionsBuilder().layout(common.HeatmapCellLayout.Auto))
    .cellValues(new heatmap.CellValuesBuilder().unit('cps'))
    .tooltip(new heatmap.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single).yHistogram(true).showColorScale(false));
  return {
    builder: dress(builder, panel, [{ expr: panel.query, legend: '{{le}}' }], 'heatmap'), width: panel.width, height: 8,
  };
}

export interface Column {
  title: string;
  /** A column of numbers; without it the column is the label of the same name as `label`. */
  expr?: string;
  label?: string;
  unit?: Unit;
  limits?: Limits;
  mappings?: dashboard.ValueMapping[];
  decimals?: number;
  width?: number;
  link?: Link;
}

export interface Sort {
  column: string;
  descending: boolean;
}

/**
 * Rows that the columns' labels tell apart. Each `labels` query brings labels only (its value is not shown); each column
 * with an expression brings a number. All must carry the same identifying labels, by which Grafana merges them.
 */
export function rows(panel: Common & {
  columns: Column[]; labels?: string[]; height: number; sort?: Sort | Sort[];
}): Placed {
  const valued = panel.columns.filter((column) => column.expr !== undefined);
  const queries = [...(panel.labels ?? []), ...valued.map((column) => column.expr as string)];
  const firstValue = panel.labels?.length ?? 0;
  // With one query Grafana calls its column "Value", with several "Value #A" and so on.
  const valueName = (index: number): string => (queries.length === 1 ? 'Value' : `Value #${refId(index)}`);
  const excluded: Record<string, boolean> = { Time: true, job: true };
  (panel.labels ?? []).forEach((_, index) => { excluded[valueName(index)] = true; });
  const order: Record<string, number> = {};
  const names: Record<string, string> = {};
  panel.columns.forEach((column, index) => {
    const source = column.expr === undefined ? column.label ?? column.title : valueName(firstValue + valued.indexOf(column));
    order[source] = index;
    names[source] = column.title;
  });
  const builder = new table.PanelBuilder()
    .filterable(true)
    .cellOptions({ type: common.TableCellDisplayMode.Auto })
    .cellHeight(common.TableCellHeight.Sm)
    .showHeader(true)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: { excludeByName: excluded, indexByName: order, renameByName: names } });
  dress(builder, panel, queries.map((expr) => ({ expr, legend: '' })), 'table');
  if (panel.sort !== undefined) {
    builder.sortBy([panel.sort].flat().map((sort) =>
      new common.TableSortByFieldStateBuilder().displayName(sort.column).desc(sort.descending)));
  }
  for (const column of panel.columns) {
    const properties: dashboard.DynamicConfigValue[] = [];
    if (column.expr !== undefined) {
      properties.push({ id: 'unit', value: column.unit ?? panel.unit });
    }
    if (column.decimals !== undefined) {
      properties.push({ id: 'decimals', value: column.decimals });
    }
    if (column.limits !== undefined || column.mappings !== undefined) {
      properties.push({ id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } });
    }
    if (column.limits !== undefined || column.mappings !== undefined) {
      // In a table only what is wrong is coloured; a text of its own may say that all is well.
      const quiet = steps(column.limits).map((step) =>
        (step.color === colours.ok || step.color === colours.unknown ? { ...step, color: 'transparent' } : step));
      properties.push({ id: 'thresholds', value: { mode: 'absolute', steps: quiet } });
    }
    if (column.mappings !== undefined) {
      properties.push({ id: 'mappings', value: column.mappings });
    }
    if (column.width !== undefined) {
      properties.push({ id: 'custom.width', value: column.width });
    }
    if (column.link !== undefined) {
      properties.push({ id: 'links', value: [{ title: column.link.title, url: column.link.url }] });
    }
    if (properties.length > 0) {
      builder.overrideByName(column.title, properties);
    }
  }
  return { builder, width: panel.width, height: panel.height };
}

/** A heading and the lines of panels below it. */
export interface Section {
  title: string;
  /** Closed until somebody opens it; its queries are not asked before. */
  closed?: boolean;
  lines: Placed[][];
}

const gridWidth = 24;

/** Places sections below each other. Every line fills the grid's width with panels of one height, or this throws. */
export function place(sections: Section[]): (dashboard.Panel | dashboard.RowPanel)[] {
  const found: (dashboard.Panel | dashboard.RowPanel)[] = [];
  let id = 1;
  let y = 0;
  for (const section of sections) {
    const row = new dashboard.RowBuilder(section.title).id(id++).collapsed(section.closed ?? false)
      .gridPos({ x: 0, y: y++, w: gridWidth, h: 1 }).build();
    const panels: dashboard.Panel[] = [];
    for (const line of section.lines) {
      const heights = new Set(line.map((panel) => panel.height));
      const width = line.reduce((sum, panel) => sum + panel.width, 0);
      if (heights.size !== 1 || width !== gridWidth) {
        throw new Error(`section "${section.title}": a line has the heights ${[...heights].join(', ')} and is ${width} of ` +
          `${gridWidth} columns wide`);
      }
      let x = 0;
      for (const panel of line) {
        const built = panel.builder.build();
        built.id = id++;
        built.gridPos = { x, y, w: panel.width, h: panel.height };
        x += panel.width;
        panels.push(built);
      }
      y += line[0]?.height ?? 0;
    }
    if (section.closed) {
      row.panels = panels;
      found.push(row);
    } else {
      found.push(row, ...panels);
    }
  }
  return found;
}
