// Questions that the members did not answer as they should, and what can be done about each.

import {setTime} from './ages.js';
import {el, part, setAttribute, setForeign, setState, setText} from './dom.js';
import {blind, model, on, short, shown} from './model.js';
import {pathOf} from './router.js';
import {keepHeight, Table} from './table.js';
import {sourceStateWord, sourceWord} from './words.js';

const columns = [
  {key: 'member', label: 'Member', width: 12, value: (row) => row.member, show: (cell, row) => {
    setForeign(cell, short(row.member), 60);
    setAttribute(cell, 'title', row.member);
  }},
  {key: 'source', label: 'Source', width: 12, value: (row) => sourceWord(row.source)},
  {key: 'state', label: 'What happened', width: 12, value: (row) => sourceStateWord(row.state)},
  {key: 'detail', label: 'In detail', width: 22, value: (row) => row.detail || null},
  {key: 'remedy', label: 'What to do', width: 38, value: (row) => row.remedy, show: (cell, row) => setForeign(cell, row.remedy, 500)},
  {key: 'last_ok', label: 'Last good answer', width: 11, value: (row) => row.last_ok, show: (cell, row) => {
    if (row.last_ok === null) {
      setText(cell, 'never');
      return;
    }
    if (!cell.firstElementChild) cell.replaceChildren(el('time', {tabindex: '0'}));
    setTime(cell.firstElementChild, row.last_ok);
  }},
];

export function startSources() {
  const section = part('sources');
  const table = new Table(section, {name: 'sources', label: 'Data source problems', columns, keyOf: (row) => `${row.member} ${row.source}`});
  table.table.dataset.full = '';
  table.full.checked = true;
  keepHeight(section);
  on('status link route', () => {
    const ensemble = shown();
    table.update(ensemble?.source_problems ?? [], model.ensemble === null ? null : `${pathOf(model.ensemble, 'sources')}.json`);
    if (blind()) setState(section, ensemble ? 'stale' : 'broken', ensemble ? 'No word: these are the problems of then.' : 'Watchkeeper does not answer; its sources are not known.');
    else if (model.status === null) setState(section, 'loading', 'Waiting for the first round of questions…');
    else if (!ensemble) setState(section, 'empty', 'No such ensemble is watched.');
    else if (ensemble.source_problems.length === 0) setState(section, 'empty', 'Every source that is asked answers as it should.');
    else setState(section, 'ready');
  });
}
