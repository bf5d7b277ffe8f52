// The inside of the server that serves this page: where its time goes, what stands out, which limits are near. A page of
// other servers has none; then nothing of this is built, and its style is not fetched.

import {startBrief} from './brief.js';
import {ageOf, follow, notRenewed} from './detail.js';
import {el, part, reconcile, setForeign, setHidden, setState, setText} from './dom.js';
import {ago} from './format.js';
import {alone, blind, hasInside, model, on, short, toldInside} from './model.js';
import {pathOf} from './router.js';
import {makeBar, meanWrite, updateBar} from './stages.js';
import {figures, lists} from './standouts.js';
import {steady, Table} from './table.js';

const kStyle = '/assets/inside.css';

/** One list of the view: a table with a line that says what it is of. */
function startList(grid, list) {
  const sub = el('div', {class: `sub ${list.size}`, 'data-list': list.name}, el('header', {}, el('h3', {text: list.title})),
                 el('p', {class: 'message', 'data-role': 'message'}));
  const bar = list.bar ? makeBar() : null;
  if (bar) sub.append(bar);
  grid.append(sub);
  let table = null;
  const update = () => {
    const inside = toldInside();
    if (inside === null || table === null) return;
    const rows = list.rows(inside);
    if (rows.length === 0) setState(sub, 'empty', list.none(inside));
    else setState(sub, 'ready', list.said(inside));
    if (bar) updateBar(bar, meanWrite()?.stages ?? []);
    table.update(steady(table, rows), `${pathOf(model.ensemble, 'inside')}.json`);
  };
  alone(() => {
    table = new Table(sub, {name: list.name, label: list.title, columns: list.columns, keyOf: list.keyOf});
    table.rowShown = list.rowShown;
    update();
  });
  on('inside', update);
}

/** Numbers by a word, a list for each group. */
function startFigures(grid) {
  const box = el('div', {class: 'sub whole figures', 'data-list': 'figures'});
  grid.append(box);
  const update = () => {
    const inside = toldInside();
    if (inside === null) return;
    reconcile(box, figures(inside), (group) => group.title, (group) => el('div', {}, el('h3', {text: group.title}), el('dl')), (node, group) =>
        reconcile(node.lastElementChild, group.entries, (entry) => entry.word, () => el('div', {}, el('dt'), el('dd')), (line, entry) => {
          setForeign(line.firstElementChild, entry.word, 60);
          setText(line.lastElementChild, entry.value);
        }));
  };
  on('inside', update);
  update();
}

function startView(section) {
  const grid = el('div', {class: 'lists', hidden: toldInside() === null});
  section.append(grid);
  for (const list of lists) startList(grid, list);
  startFigures(grid);
  on('inside', () => setHidden(grid, toldInside() === null));
  follow('inside', section);
}

/** What the section says of itself, whatever it has. */
function sayState(section) {
  const inside = toldInside();
  const [member] = model.inside?.members ?? [];
  if (inside === null) {
    if (blind()) setState(section, 'broken', 'Watchkeeper does not answer; nothing is known of the inside of a server.');
    else if (model.status === null || hasInside()) setState(section, 'loading', 'Waiting for what the server tells of its inside…');
    else setState(section, 'empty', 'No member tells of its inside here: a Watchkeeper server does, on its own page.');
  } else if (blind()) {
    setState(section, 'stale', 'No word: this is the inside of then.');
  } else if (model.kept.has('inside')) {
    setState(section, 'stale', 'The server was started anew: this is the inside of before.');
  } else if (notRenewed('inside') !== '') {
    setState(section, 'stale', notRenewed('inside'));
  } else {
    setState(section, 'ready', `${short(member.member)} as of ${ago(member.age_seconds + ageOf('inside'))}; asked every 5 s. Totals count since it started, or since srst.`);
  }
}

export function startInside() {
  const section = part('inside');
  let style = null;
  let started = false;
  let viewed = false;
  const begin = () => {
    if (!hasInside()) return;
    if (style === null) {
      style = el('link', {rel: 'stylesheet', href: kStyle, on: {
        load: () => {
          started = true;
          startBrief();
          begin();
        },
        error: () => {
          style.remove();
          style = null;  // The next status tries again.
        }}});
      document.head.append(style);
    }
    if (started && !viewed && model.table === 'inside') {
      viewed = true;
      startView(section);
    }
  };
  on('status route', begin);
  on('inside status link route tick', () => sayState(section));
}
