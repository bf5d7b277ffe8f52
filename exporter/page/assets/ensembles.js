// The list of all ensembles, worst first.

import {el, icon, part, reconcile, role, setAttribute, setForeign, setIcon, setState, setText} from './dom.js';
import {plural} from './format.js';
import {blind, model, on} from './model.js';
import {shortNames} from './names.js';
import {pathOf} from './router.js';
import {showMark, Table} from './table.js';
import {roleWord, severityIcon, severityRank, severityWord, stateIcon, stateWord} from './words.js';

function showMembers(cell, row) {
  if (!cell.firstElementChild) cell.append(el('ul', {class: 'glyphs'}));
  reconcile(cell.firstElementChild, row.members, (member) => member.member,
            () => el('li', {}, icon('unknown'), el('span', {class: 'visually-hidden'})), (node, member) => {
    const leads = member.role === 'leader' && member.state === 'serving';
    setIcon(node, blind() ? 'unknown' : leads ? 'leader' : stateIcon(member.state));
    setAttribute(node, 'data-serving', blind() ? 'unknown' : member.state);
    const text = `${member.member}: ${blind() ? 'not known' : `${stateWord(member.state)}, ${roleWord(member.role)}`}`;
    setText(node.lastElementChild, text);
    setAttribute(node, 'title', text);
  });
}

const columns = [
  {key: 'name', label: 'Ensemble', width: 14, value: (row) => row.name, show: (cell, row) => {
    if (!cell.firstElementChild) cell.append(el('a', {'data-nav': true, href: pathOf(row.name)}));
    setForeign(cell.firstElementChild, row.name, 64);
  }},
  {key: 'status', label: 'Status', width: 8, value: (row) => severityWord(row.status), order: (row) => severityRank[row.status], show: (cell, row) => {
    const status = blind() ? 'unknown' : row.status;
    setAttribute(cell, 'data-severity', status);
    showMark(cell, severityIcon(status), severityWord(status));
  }},
  {key: 'margin', label: 'Margin', width: 6, numeric: true, value: (row) => row.quorum.margin, show: (cell, row) => setText(cell, blind() ? '?' : String(row.quorum.margin))},
  {key: 'members', label: 'Members', width: 13, value: (row) => row.members.length, show: showMembers},
  {key: 'leader', label: 'Leader', width: 11, value: (row) => row.leader.member, show: (cell, row) => {
    const names = shortNames(row.members.map((each) => each.member));
    setForeign(cell, blind() ? '—' : names.get(row.leader.member) ?? (row.leader.id ? `server ${row.leader.id}` : 'none'), 60);
  }},
  {key: 'verdict', label: 'Verdict', width: 44, value: (row) => row.verdict, show: (cell, row) => setForeign(cell, row.verdict, 400)},
  {key: 'problems', label: 'Problems', width: 7, numeric: true, value: (row) => row.problems.length, show: (cell, row) => setText(cell, String(row.problems.length))},
  {key: 'limited', label: 'Limited by', width: 13, value: (row) => row.limited_by.what},
];

function updateTally() {
  const box = role(document, 'tally');
  const all = blind() ? [] : model.status?.ensembles ?? [];
  const serving = all.filter((each) => each.serving).length;
  setAttribute(box, 'data-level', all.length === 0 ? 'unknown' : serving < all.length ? 'critical' : 'ok');
  setText(role(box, 'tally-value'), all.length === 0 ? '?' : String(serving));
  setText(role(box, 'tally-meaning'), all.length === 0 ? 'not known' : `of ${plural(all.length, 'ensemble')} ${serving === 1 ? 'serves' : 'serve'}`);
  const counts = ['critical', 'warning', 'info', 'ok'].map((status) => ({status, count: all.filter((each) => each.status === status).length}))
      .filter(({count}) => count > 0);
  reconcile(role(box, 'tally-list'), counts, ({status}) => status,
            ({status}) => el('li', {'data-severity': status}, icon(severityIcon(status)), el('span')),
            (node, {status, count}) => setText(node.lastElementChild, `${severityWord(status)}: ${count}`));
}

export function startEnsembles() {
  const section = part('ensembles');
  const table = new Table(section, {name: 'ensembles', label: 'Ensembles', columns, keyOf: (row) => row.name});
  let order = '';
  on('status link route', updateTally);
  on('status link route', () => {
    const rows = [...(model.status?.ensembles ?? [])].sort((a, b) => severityRank[a.status] - severityRank[b.status] || a.name.localeCompare(b.name));
    const now = rows.map((row) => row.status + row.name).join('\n');
    if (now !== order && table.sort === null) table.keys = null;  // An ensemble that fails comes to the top.
    order = now;
    table.update(rows, '/ensembles.json');
    if (blind()) setState(section, rows.length > 0 ? 'stale' : 'broken', rows.length > 0 ? 'No word: this is what was true then.' : 'Watchkeeper does not answer; no ensemble is known.');
    else if (model.status === null) setState(section, 'loading', 'Waiting for the first look at the ensembles…');
    else if (rows.length === 0) setState(section, 'empty', 'No ensemble is configured.');
    else setState(section, 'ready', `${plural(rows.length, 'ensemble')}, those with problems first.`);
  });
}
