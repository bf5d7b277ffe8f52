// The head of the page: where the facts come from and how fresh they are, which ensemble, which view; title and icon.

import {now, secondsSince} from './clock.js';
import {el, reconcile, role, setAttribute, setHidden, setText, visible} from './dom.js';
import {absolute, clockTime, duration, zone} from './format.js';
import {blind, hasInside, model, on, onAtOnce, shown} from './model.js';
import {go, pathOf} from './router.js';
import {severityWord} from './words.js';

const kLinkWords = {
  connecting: 'Connecting', live: 'Live', polling: 'Asking every 2 s', broken: 'No word for',
};
const kLinkTitles = {
  connecting: 'Waiting for the first word', live: 'Every change is shown as it happens',
  polling: 'No event stream could be had (too many readers, or something between cuts it): the page asks every 2 s',
  broken: 'Watchkeeper does not answer; the page tries again by itself',
};
const kShapes = {
  ok: "%3Ccircle cx='8' cy='8' r='7' fill='%23159a77'/%3E%3Cpath d='m4.7 8.3 2.3 2.3 4.3-4.7' fill='none' stroke='%23fff' stroke-width='2'/%3E",
  info: "%3Ccircle cx='8' cy='8' r='7' fill='%23159a77'/%3E%3Cpath d='m4.7 8.3 2.3 2.3 4.3-4.7' fill='none' stroke='%23fff' stroke-width='2'/%3E",
  warning: "%3Cpath d='M8 1 15.4 14.6H.6z' fill='%23e09a1a'/%3E%3Cpath d='M8 6v6' stroke='%23fff' stroke-width='2' stroke-dasharray='4 1'/%3E",
  critical: "%3Cpath d='M5 1h6l4 4v6l-4 4H5l-4-4V5z' fill='%23d42a41'/%3E%3Cpath d='m5 5 6 6m0-6-6 6' stroke='%23fff' stroke-width='2'/%3E",
  unknown: "%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%237a8494' stroke-width='3' stroke-dasharray='3 2'/%3E",
};

/** The severity of what is shown: of the ensemble, or of all on the list; unknown while blind. */
export function severityShown() {
  if (model.status === null || blind()) return 'unknown';
  if (model.ensemble === null) return model.status.status;
  return shown()?.status ?? 'unknown';
}

let iconShown = '';

// Straight from the change, not from a frame: a page in the background gets none, and there the title matters most.
function updateTitle() {
  const severity = severityShown();
  const name = model.ensemble ?? 'All ensembles';
  const title = visible(`${severityWord(severity)} · ${visible(name).slice(0, 64)} · Watchkeeper`);
  if (document.title !== title) document.title = title;
  if (iconShown === severity) return;
  iconShown = severity;
  document.querySelector('link[rel=icon]').href =
      `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E${kShapes[severity] ?? kShapes.unknown}%3C/svg%3E`;
}

function updateLink() {
  const hangs = model.link !== 'broken' && blind();
  setAttribute(document.documentElement, 'data-link', hangs ? 'broken' : model.link);
  const word = role(document, 'link-word');
  setText(word, hangs ? 'Hangs since' : kLinkWords[model.link]);
  setAttribute(word.parentNode, 'title', hangs ? 'Watchkeeper answers, but its watcher hangs' : kLinkTitles[model.link]);
}

function updateClock() {
  const time = now();
  const clock = role(document, 'clock');
  if (time === null) return;
  if (blind()) setText(clock, duration(Math.round(secondsSince(model.status.snapshot.time))));
  else setText(clock, clockTime(time));
  setAttribute(clock, 'title', `Time of the watching host: ${absolute(time)}`);
}

function updateNavigation() {
  const names = model.status?.ensembles.map((each) => each.name) ?? [];
  setHidden(role(document, 'crumbs'), names.length < 2);
  const choice = role(document, 'choice');
  const options = model.ensemble === null ? ['', ...names] : names;
  reconcile(choice, options, (name) => name, (name) => el('option', {value: name}), (option, name) =>
      setText(option, name === '' ? 'Choose one' : visible(name)));
  if (document.activeElement !== choice || !options.includes(choice.value)) choice.value = model.ensemble ?? '';
  setAttribute(role(document, 'all'), 'aria-current', model.ensemble === null ? 'page' : null);
  for (const link of document.querySelectorAll('[data-table-link]')) {
    const table = link.dataset.tableLink;
    if (model.ensemble !== null) link.setAttribute('href', pathOf(model.ensemble, table));
    setAttribute(link, 'aria-current', table === model.table ? 'page' : null);
    if (table === 'inside') setHidden(link, !hasInside());
  }
  const sources = document.querySelector('[data-table-link=sources]');
  const count = shown()?.source_problems.length ?? 0;
  setAttribute(sources, 'data-count', count > 0 ? count : null);
}

function updateBuild() {
  const exporter = model.status?.exporter;
  if (!exporter) return;
  setText(role(document, 'build'), `Watchkeeper ${exporter.version} (${exporter.revision}), watching since ${absolute(Date.parse(exporter.started))}`);
  setText(role(document, 'zone'), `Times in ${zone}`);
}

export function startLink(arrived) {
  onAtOnce('tick link status route', updateTitle);
  on('link status', updateLink);
  on('link status route', updateNavigation);
  on('tick link status', updateClock);
  on('status', updateBuild);
  role(document, 'choice').addEventListener('change', (event) => {
    if (event.target.value !== '') go(pathOf(event.target.value, model.table), arrived);
  });
}
