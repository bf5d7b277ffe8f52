// What happened, newest first.

import {setTime} from './ages.js';
import {el, icon, part, reconcile, role, setAttribute, setForeign, setHidden, setState, setText, visible} from './dom.js';
import {clockTime, duration, exact} from './format.js';
import {alone, blind, model, on, short} from './model.js';
import {pathOf} from './router.js';
import {eventWord, severityIcon, severityWord} from './words.js';

const kFirst = 60;
const kStep = 200;
const kLogMax = 5000;  // as many as the program keeps
const kMadeAFrame = 20;  // What a browser does for one after the script: a tenth to half a millisecond.
const kGood = new Set(['leader_elected', 'quorum_regained', 'member_regained', 'source_recovered', 'canary_recovered',
                       'log_writable']);

let limit = kFirst;
let needle = '';
const tops = new WeakMap();  // where each event stands in the list, in pixels

const searchable = (event) => `${eventWord(event.type)} ${event.member ?? ''} ${event.text} ${event.severity}`.toLowerCase();

function make(event) {
  const symbol = event.severity === 'info' ? (kGood.has(event.type) ? 'ok' : 'event') : severityIcon(event.severity);
  const time = el('time', {tabindex: '-1'});
  const node = el('li', {'data-event-type': event.type, 'data-severity': event.severity, 'data-good': kGood.has(event.type)},
                  icon(symbol), el('span', {class: 'visually-hidden', text: `${severityWord(event.severity)}: `}),
                  el('span', {class: 'type', text: eventWord(event.type)}), el('span', {class: 'who foreign'}),
                  el('span', {class: 'text foreign'}), el('span', {class: 'when'}, el('span', {class: 'at'}), time));
  setForeign(node.querySelector('.text'), event.duration_seconds === null ? event.text : `${event.text} (${duration(event.duration_seconds)})`, 300);
  setText(node.querySelector('.at'), clockTime(Date.parse(event.time)));
  setTime(time, event.time);
  return node;
}

/**
 * Puts each event below the one before it by a transform, so that a new one lets the older ones slide down instead of
 * making the page lay itself out anew. Who has scrolled, or points at an event, keeps what is read where it is. Out of sight
 * nothing slides: each event that does costs a layer.
 */
function arrange(list) {
  const items = [...list.children];
  const heights = items.map((item) => item.offsetHeight);
  const {scrollTop, clientHeight} = list;
  const read = items.find((item, index) => tops.get(item) + heights[index] > scrollTop);
  const before = tops.get(read);
  let top = 0;
  items.forEach((item, index) => {
    setAttribute(item, 'data-far', Math.min(top, tops.get(item) ?? top) > scrollTop + clientHeight);
    if (tops.get(item) !== top) item.style.transform = `translateY(${top}px)`;
    tops.set(item, top);
    top += heights[index];
  });
  const moved = read === undefined ? 0 : tops.get(read) - before;
  if (moved === 0 || (scrollTop === 0 && !list.matches(':hover, :focus-within'))) return;
  setAttribute(list, 'data-held', true);
  list.scrollTop += moved;
  requestAnimationFrame(() => setAttribute(list, 'data-held', null));
}

function update() {
  const section = part('events');
  const list = role(section, 'list');
  const found = [];
  let more = false;
  for (let i = model.events.length - 1; i >= 0; --i) {
    if (needle !== '' && !searchable(model.events[i]).includes(needle)) continue;
    if (found.length === limit) {
      more = true;
      break;
    }
    found.push(model.events[i]);
  }
  // Ids begin anew when the program restarts: the time tells such events apart.
  const all = reconcile(list, found, (event) => `${event.id} ${event.time}`, make, (node, event) => {
    const who = node.querySelector('.who');
    setForeign(who, event.member === null ? '' : short(event.member), 60);
    if (event.member !== null) setAttribute(who, 'title', event.member);
  }, kMadeAFrame);
  if (!all) alone(update);
  arrange(list);
  // One stop of the Tab key for the list, the arrow keys within.
  const times = list.querySelectorAll('time');
  if (times.length > 0 && !list.querySelector('time[tabindex="0"]')) times[0].tabIndex = 0;
  setHidden(role(section, 'more'), !more);
  const older = role(section, 'older');
  setHidden(older, more || model.eventsOlder === 0);
  setText(older, `${exact(model.eventsOlder)} older: JSON`);
  setHidden(list, found.length === 0);
  if (blind()) setState(section, model.events.length > 0 ? 'stale' : 'broken', model.events.length > 0 ? 'No word: newer events are missing.' : 'No word, and no events are known.');
  else if (!model.eventsKnown && model.events.length === 0) setState(section, 'loading', 'Waiting for the first events…');
  else if (model.events.length === 0) setState(section, 'empty', 'Nothing has happened since the watching began.');
  else if (found.length === 0) setState(section, 'ready', `No event matches “${visible(needle)}”.`);
  else setState(section, 'ready');
  const json = role(section, 'json');
  if (model.ensemble !== null) {
    setAttribute(json, 'href', `${pathOf(model.ensemble, 'events')}.json`);
    setAttribute(older, 'href', `${pathOf(model.ensemble, 'events')}.json?limit=${kLogMax}`);
  }
}

function move(event) {
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (!step || event.target.tagName !== 'TIME') return;
  const times = [...event.currentTarget.querySelectorAll('time')];
  const next = times[times.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

export function startEvents() {
  const section = part('events');
  section.querySelector('[data-filter]').addEventListener('input', (event) => {
    needle = event.target.value.trim().toLowerCase();
    limit = kFirst;
    update();
  });
  role(section, 'more').addEventListener('click', () => {
    limit += kStep;
    update();
  });
  role(section, 'list').addEventListener('keydown', move);
  new ResizeObserver(() => arrange(role(section, 'list'))).observe(role(section, 'list'));
  on('events link route', update);
}
