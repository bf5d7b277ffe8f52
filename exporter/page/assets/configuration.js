// The members' configuration side by side, differences first and marked.

import {ageOf, follow, notRenewed} from './detail.js';
import {el, part, setAttribute, setForeign, setState} from './dom.js';
import {duration, plural} from './format.js';
import {blind, model, on, short} from './model.js';
import {pathOf} from './router.js';
import {keepHeight, showMark, Table} from './table.js';

// What is a member's own: it must differ, or differs without harm.
const kOwn = new Set(['serverId', 'clientPort', 'secureClientPort', 'clientPortAddress', 'secureClientPortAddress', 'dataDir',
                      'dataLogDir', 'dataDirSize', 'dataLogSize', 'electionPort', 'quorumPort', 'peerType']);
const kNotTold = 'not told';

function rowOf({key, differs, drift, values}, telling) {  // telling: the members whose configuration is of now
  const known = telling.map((member) => values[member]).filter((value) => value !== null);
  const kind = drift ? 'drift' : kOwn.has(key) ? (differs ? 'own' : 'same') : differs ? 'drift' : known.length < telling.length ? 'partly' : 'same';
  return {key, values, telling, kind, common: commonest(known)};
}

function commonest(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

const kinds = {
  drift: {rank: 0, mark: 'differs', word: 'Differs'}, partly: {rank: 1, mark: 'info', word: 'Told by some'},
  own: {rank: 2, mark: 'event', word: 'Each its own'}, same: {rank: 3, mark: 'ok', word: 'Same'},
};

const columnsOf = (members) => [
  {key: 'key', label: 'Key', width: 15, value: (row) => row.key},
  {key: 'kind', label: 'Compared', width: 9, value: (row) => kinds[row.kind].word, show: (cell, row) => showMark(cell, kinds[row.kind].mark, kinds[row.kind].word)},
  ...members.map(({member}) => ({
    key: member, label: short(member), width: 13, title: member,
    value: (row) => row.values[member] ?? null,
    show: (cell, row) => {
      const value = row.values[member] ?? null;
      setForeign(cell, value ?? kNotTold, 80);
      setAttribute(cell, 'data-unknown', value === null || !row.telling.includes(member) ? true : null);
      setAttribute(cell, 'data-differs', row.kind === 'drift' && row.telling.includes(member) && value !== null && value !== row.common ? 'true' : null);
    },
  })),
];

export function startConfiguration() {
  const section = part('configuration');
  const only = el('input', {type: 'checkbox', 'data-role': 'only-differences', on: {change: () => update()}});
  const table = new Table(section, {name: 'configuration', label: 'Configuration', columns: columnsOf([]), keyOf: (row) => row.key,
                                    tools: [el('label', {class: 'check'}, only, 'Only differences')]});
  table.rowShown = (node, row) => setAttribute(node, 'data-kind', row.kind);

  function update() {
    const {members, keys} = model.configuration ?? {members: [], keys: []};
    const told = members.filter((member) => member.fresh);
    const old = members.filter((member) => !member.fresh && member.age_seconds !== null);
    const telling = told.map((member) => member.member);
    const rows = keys.map((row) => rowOf(row, telling)).sort((a, b) => kinds[a.kind].rank - kinds[b.kind].rank || a.key.localeCompare(b.key));
    table.setColumns(columnsOf(members));
    table.update(told.length + old.length === 0 ? [] : rows.filter((row) => !only.checked || ['drift', 'partly'].includes(row.kind)),
                 model.ensemble === null ? null : `${pathOf(model.ensemble, 'configuration')}.json`);
    const differing = rows.filter((row) => row.kind === 'drift').length;
    if (model.configuration === null) {
      if (blind()) setState(section, 'broken', 'Watchkeeper does not answer; the configuration is not known.');
      else setState(section, 'loading', 'Waiting for the members’ configuration…');
    } else if (blind()) {
      setState(section, 'stale', 'No word: this is the configuration of then.');
    } else if (model.kept.has('configuration')) {
      setState(section, 'stale', 'Watchkeeper was started anew: this is the configuration of before.');
    } else if (notRenewed('configuration') !== '') {
      setState(section, 'stale', notRenewed('configuration'));
    } else if (told.length === 0 && old.length > 0) {
      setState(section, 'stale', 'No member tells its configuration now: these were told before.');
    } else if (told.length === 0) {
      setState(section, 'empty', 'No member tells its configuration: allow the word conf (4lw.commands.whitelist), or name the AdminServer’s port.');
    } else {
      const missing = members.length - told.length - old.length;
      const before = old.map(({member, age_seconds: age}) => ` ${short(member)}’s is ${duration(Math.round(age + ageOf('configuration')))} old and left out of the comparison.`).join('');
      setState(section, 'ready', `${differing === 0 ? 'Every key that should agree agrees.' : `${plural(differing, 'key')} that should agree ${differing === 1 ? 'differs' : 'differ'}.`}` +
          `${missing === 0 ? '' : ` ${plural(missing, 'member')} ${missing === 1 ? 'does' : 'do'} not tell theirs.`}${before}`);
    }
  }
  on('configuration link route', update);
  keepHeight(section);
  follow('configuration', section);
}
