// Writes the dashboards as JSON into the folder that the argument names: one file each, keys in a fixed order, a line feed at
// the end. The committed files are this program's output; tests/dashboards compares them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensemble } from './ensemble';
import { inside } from './inside';
import { member } from './member';
import { overview } from './overview';

const folder = process.argv[2];
if (folder === undefined || process.argv.length > 3) {
  console.error('usage: node main.js FOLDER; writes overview.json, ensemble.json, member.json and inside.json there');
  process.exit(2);
}

/** The same value with the keys of every object sorted, so that a new version of the SDK does not shuffle the files. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]));
  }
  return value;
}

mkdirSync(folder, { recursive: true });
for (const [name, dashboard] of Object.entries({ overview, ensemble, member, inside })) {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(sorted(dashboard), null, 2)}\n`);
}
