// The page's own URLs. "/" shows the only ensemble, or the list when there are several.

import {changed, model, show} from './model.js';

export const tables = ['members', 'connections', 'configuration', 'sources', 'events', 'inside'];

const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** {list, ensemble, table}; ensemble null with list false means "the only one there is". */
export function parse(path) {
  const match = /^\/ensemble\/([^/]+)(?:\/([a-z]+))?\/?$/.exec(path);
  if (match) return {list: false, ensemble: decoded(match[1]), table: tables.includes(match[2]) ? match[2] : ''};
  return {list: path === '/ensembles', ensemble: null, table: ''};
}

export function pathOf(ensemble, table = '') {
  const base = `/ensemble/${encodeURIComponent(ensemble)}`;
  return table === '' ? base : `${base}/${table}`;
}

/** How many frames a view takes to show its parts, from above (parts.css): all at once are a long task. */
const kFolds = 3;
let unfolding = 0;

function unfold(folds) {
  const root = document.documentElement;
  cancelAnimationFrame(unfolding);
  if (folds === 0) delete root.dataset.fold;
  else root.dataset.fold = folds;
  if (folds > 0) unfolding = requestAnimationFrame(() => unfold(folds - 1));
}

/** Decides what is shown (parts.css hides the other parts); needs the status for "/". Returns whether another ensemble is shown than before. */
export function route() {
  const wanted = parse(location.pathname);
  const names = model.status?.ensembles.map((each) => each.name) ?? null;
  let ensemble = wanted.ensemble;
  if (ensemble === null && !wanted.list && names?.length === 1) ensemble = names[0];
  const view = ensemble !== null || (names === null && !wanted.list) ? (wanted.table === '' ? 'ensemble' : 'table') : 'list';
  const {dataset} = document.documentElement;
  if (dataset.view !== view && model.status !== null) unfold(kFolds);
  dataset.view = view;
  dataset.table = wanted.table;
  return show(ensemble, wanted.table);
}

/** Whether the part with tables of this name belongs to what is shown, as parts.css has it. */
export function isInView(part) {
  const {view, table} = document.documentElement.dataset;
  if (view === 'list') return part === 'ensembles';
  if (view === 'table') return part === table;
  return part !== 'ensembles' && part !== 'inside';
}

/** Follows links of the page without loading it anew; `arrived` runs after each change. */
export function startRouter(arrived) {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-nav]');
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey ||
        event.altKey)
      return;
    event.preventDefault();
    go(link.getAttribute('href'), arrived);
  });
  addEventListener('popstate', arrived);
}

export function go(path, arrived) {
  if (path !== location.pathname) history.pushState(null, '', path);
  arrived();
  scrollTo(0, 0);
  document.getElementById('main').focus({preventScroll: true});
  changed('route');
}
