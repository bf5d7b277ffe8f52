// What each member was over the charted time: a lane a member, coloured and as high as its state.

import {el, reconcile, role, setAttribute, setForeign, setText, svg} from './dom.js';
import {clockTime, duration} from './format.js';
import {past, rangeWords, span, timeOf, values} from './history.js';
import {model, on, short, shown} from './model.js';
import {states, stateWord} from './words.js';

// Height of a lane's bar by state, of ten: the shape tells it without the colour.
const kHeights = {serving: 10, read_only: 7, syncing: 5, looking: 5, not_serving: 3.5, unreachable: 2};
const kLane = 10;

let drawnAt = -Infinity;

/** Runs of equal state, means of coarse steps rounded up to the worse state: [{from, to, state}]. */
function runs(column) {
  const out = [];
  for (let i = 0; i < column.length; ++i) {
    const value = column[i];
    const state = Number.isNaN(value) ? null : states[Math.min(Math.ceil(value), states.length - 1)];
    const last = out.at(-1);
    if (last && last.state === state) last.to = i + 1;
    else out.push({from: i, to: i + 1, state});
  }
  return out.filter((run) => run.state !== null);
}

function makeLane(lane) {
  return el('li', {'data-lane': lane.member}, el('span', {class: 'name'}),
            svg('svg', {preserveAspectRatio: 'none', 'aria-hidden': 'true'}), el('span', {class: 'share'}));
}

function updateLane(node, {member, column}) {
  setForeign(node.children[0], short(member), 40);
  setAttribute(node.children[0], 'title', member);
  setAttribute(node, 'data-emphasis', model.emphasis ? (model.emphasis === member ? 'on' : 'off') : null);
  const found = column === null ? [] : runs(column);
  const shownSlots = past.end === null ? past.slots : span(past.end * past.step) / past.step;
  setAttribute(node.children[1], 'viewBox', `${past.slots - shownSlots} 0 ${shownSlots} ${kLane}`);
  reconcile(node.children[1], found, (run) => timeOf(run.from) + run.state, () => svg('rect', {}, svg('title')), (bar, run) => {
    setAttribute(bar, 'class', `state-${run.state}`);
    setAttribute(bar, 'x', run.from);
    setAttribute(bar, 'width', run.to - run.from);
    setAttribute(bar, 'y', (kLane - kHeights[run.state]) / 2);
    setAttribute(bar, 'height', kHeights[run.state]);
    setText(bar.firstChild, `${stateWord(run.state)} for ${duration((run.to - run.from) * past.step)} from ${clockTime(timeOf(run.from) * 1000)}`);
  });
  const known = found.reduce((sum, run) => sum + run.to - run.from, 0);
  const served = found.filter((run) => run.state === 'serving').reduce((sum, run) => sum + run.to - run.from, 0);
  const share = known === 0 ? null : (100 * served) / known;
  setText(node.children[2], share === null ? '' : `${share === 100 ? '100' : share > 99 ? Math.min(share, 99.99).toFixed(2) : share.toFixed(1)} % serving`);
}

export function startLanes() {
  const box = role(document, 'lanes');
  const list = box.querySelector('ol');
  const update = (all) => {
    const ensemble = shown();
    if (!ensemble) return;
    const end = past.end === null ? 0 : past.end * past.step;
    if (!all && end - drawnAt < Math.max(1, past.range / 1200) && end >= drawnAt) return;
    drawnAt = end;
    const lanes = ensemble.members.map(({member}) => ({member, column: past.end === null ? null : values('state', member)}));
    setText(role(box, 'lanes-range'), rangeWords[past.range]);
    reconcile(list, lanes, (lane) => lane.member, makeLane, updateLane);
  };
  on('row status', () => update(false));
  on('history-state emphasis route', () => update(true));
}
