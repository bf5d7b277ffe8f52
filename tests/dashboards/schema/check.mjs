// Checks dashboards against Grafana's schema: `node check.mjs FILE...`; exit status 1 when one does not fit.
//
// Grafana publishes no JSON schema of classic dashboards on npm. It publishes its schema (CUE) as TypeScript types in
// @grafana/schema: this turns those into a JSON schema that allows nothing which the types do not name, for each version
// below, and checks each part against its own type: the dashboard, the options and field settings of each kind of panel,
// queries and annotations. Queries are checked against the types of Grafana's foundation SDK, since @grafana/schema no
// longer has those of the Prometheus data source.

import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const here = new URL('.', import.meta.url).pathname;
// Kind of panel -> folder and name of its types; kinds that are not here are refused.
const kinds = { stat: 'Stat', timeseries: 'TimeSeries', table: 'Table', 'state-timeline': 'StateTimeline', heatmap: 'Heatmap' };
const withoutFieldSettings = new Set(['stat']);
const versions = {
  '@grafana/schema-11': (kind) => `dist/esm/raw/composable/${kind}/panelcfg/x/${typeName(kind)}PanelCfg_types.gen`,
  '@grafana/schema-12': (kind) => `dist/types/raw/composable/${kind}/panelcfg/x/types.gen`,
  '@grafana/schema': (kind) => `dist/types/raw/composable/${kind}/panelcfg/x/types.gen`,
};

const typeName = (folder) => Object.entries(kinds).find(([kind]) => kind.replace('-', '') === folder)[1];
const definition = (kind) => `${kinds[kind]}Panel`;

/** TypeScript whose exported types are what is checked. */
function types(schema, panelModule) {
  const panels = Object.entries(kinds).map(([kind, name]) => {
    const module = `./node_modules/${schema}/${panelModule(kind.replace('-', ''))}`;
    const field = withoutFieldSettings.has(kind) ? 'Record<string, never>' : `${name}.FieldConfig`;
    return `import type * as ${name} from '${module}';
export type ${name}Panel = PanelOf<'${kind}', ${name}.Options, ${field}>;`;
  });
  return `import type * as schema from '${schema}';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
type Field<F> = Omit<schema.FieldConfig, 'custom'> & { custom?: F };
interface Fields<F> { defaults: Field<F>; overrides: Override[] }
interface Override { matcher: schema.MatcherConfig; properties: { id: string; value?: any }[] }
export type Query = Omit<Dataquery, '_implementsDataqueryVariant'>;
type PanelOf<T extends string, O, F> = Omit<schema.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> &
  { type: T; options: O; fieldConfig: Fields<F>; targets: Query[] };
// What the Prometheus data source reads beside the common fields of an annotation.
interface OfPrometheus { target: Query; titleFormat?: string; textFormat?: string; tagKeys?: string }
export type Annotation = Omit<schema.AnnotationQuery, 'target'> & OfPrometheus;
export type Row = Omit<schema.RowPanel, 'panels'> & { panels: never[] };
export type Frame = Omit<schema.Dashboard, 'panels' | 'annotations'> & { panels: never[]; annotations: { list: never[] } };
${panels.join('\n')}
`;
}

function generatorFor(name, panelModule) {
  const path = `${here}types-${name.replace(/\W+/g, '-')}.ts`;
  writeFileSync(path, types(name, panelModule));
  return createGenerator({
    path, tsconfig: `${here}tsconfig.json`, additionalProperties: false, skipTypeCheck: true, topRef: false, jsDoc: 'none',
    // Types of one name in different files would collide as definitions.
    expose: 'none',
  });
}

/** [definition, where, value] of each part of a dashboard. */
function parts(dashboard) {
  const found = [['Frame', 'the dashboard', { ...dashboard, panels: [], annotations: { list: [] } }]];
  for (const annotation of dashboard.annotations?.list ?? []) {
    found.push(['Annotation', `annotation "${annotation.name}"`, annotation]);
  }
  for (const panel of dashboard.panels ?? []) {
    if (panel.type === 'row') {
      found.push(['Row', `row "${panel.title}"`, { ...panel, panels: [] }]);
    }
    for (const one of panel.type === 'row' ? panel.panels : [panel]) {
      found.push([kinds[one.type] ? definition(one.type) : undefined, `panel ${one.id} "${one.title}" (${one.type})`, one]);
    }
  }
  return found;
}

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node check.mjs FILE...');
  process.exit(2);
}
let faults = 0;
for (const [name, panelModule] of Object.entries(versions)) {
  const { version } = JSON.parse(readFileSync(`${here}node_modules/${name}/package.json`, 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true });
  const generator = generatorFor(name, panelModule);
  const validators = new Map();
  const validatorOf = (type) => {
    if (!validators.has(type)) {
      validators.set(type, ajv.compile(generator.createSchema(type)));
    }
    return validators.get(type);
  };
  let checked = 0;
  for (const file of files) {
    for (const [type, where, value] of parts(JSON.parse(readFileSync(file, 'utf8')))) {
      checked += 1;
      const validate = type === undefined ? undefined : validatorOf(type);
      if (validate === undefined) {
        faults += 1;
        console.log(`${file}: ${where}: no type for this kind in @grafana/schema ${version}`);
      } else if (!validate(value)) {
        faults += validate.errors.length;
        for (const { instancePath, message, params } of validate.errors) {
          console.log(`${file}: ${where}: ${instancePath || '/'} ${message} ${JSON.stringify(params)} (Grafana ${version})`);
        }
      }
    }
  }
  console.log(`Grafana ${version}: ${checked} parts of ${files.length} dashboards checked`);
}
process.exit(faults === 0 ? 0 : 1);
