// The past of the shown ensemble's numbers: a window of slots a fixed step apart, filled from /api/v1/history and moved on
// by the stream's rows.
//
// A slot without a value is NaN. What the page already knows stays when the watching program restarts and has forgotten it.

import {now} from './clock.js';
import {ask, encoded} from './feed.js';
import {changed, model, on, shown} from './model.js';

/** Length of a range → distance of its points, in seconds, as the program keeps them. */
const kSteps = new Map([[300, 1], [3600, 1], [10800, 10], [86400, 60]]);
export const rangeWords = {300: 'last 5 minutes', 3600: 'last hour', 10800: 'last 3 hours', 86400: 'last 24 hours'};
const kDeadlineMs = 15_000;
const kGapSeconds = 3;
const kMarginSlots = 3;
const kYoungSeconds = 60;
const kPointsMax = 250_000;  // that one answer may hold

const memberSeries = ['state', 'latency_average_ms', 'requests_per_second', 'outstanding_requests', 'fsync_ms', 'canary_latency_ms',
                      'connections', 'sessions', 'znodes', 'watches'];

export const past = {range: 3600, step: 1, slots: 3600, end: null, loaded: new Set()};
let columns = new Map();
let turn = 0;
let begun = false;    // It has been asked for.
let loading = false;  // The whole window is being asked for.
let catching = false;
let caughtAt = -Infinity;
let missedFrom = null;  // the last slot before a gap that has not been filled yet

const key = (series, member) => `${series}\n${member}`;

function column(series, member) {
  const name = key(series, member);
  if (!columns.has(name)) columns.set(name, new Float32Array(past.slots).fill(NaN));
  return columns.get(name);
}

/** Values of a member's series, oldest first, the last one of slot past.end; null when none was ever known. */
export const values = (series, member) => columns.get(key(series, member)) ?? null;

/** Seconds since 1970 of the slot at `index`. */
export const timeOf = (index) => (past.end - past.slots + 1 + index) * past.step;

/** The oldest slot of which anything is known; past.end when nothing is. */
function firstKnown() {
  let first = past.slots - 1;
  for (const [name, slots] of columns) {
    if (!name.startsWith('state\n')) continue;
    const found = slots.findIndex((value) => !Number.isNaN(value));
    if (found >= 0 && found < first) first = found;
  }
  return past.end - past.slots + 1 + first;
}

/** The seconds that are drawn, up to `end`: the range, or what is known of it while the watching is young. */
export function span(end) {
  if (past.end === null) return past.range;
  return Math.min(past.range, Math.max(kYoungSeconds, end - firstKnown() * past.step));
}

function moveTo(slot) {
  if (past.end === null) past.end = slot;
  const by = slot - past.end;
  if (by <= 0) return;
  for (const slots of columns.values()) {
    if (by < past.slots) slots.copyWithin(0, by);
    slots.fill(NaN, Math.max(0, past.slots - by));
  }
  past.end = slot;
}

function put(series, member, slot, value) {
  const index = past.slots - 1 - (past.end - slot);
  if (index >= 0 && index < past.slots) column(series, member)[index] = value ?? NaN;
}

function take(document) {
  for (const {series, member, first, points} of document.series) {
    if (member === null || first === null || points.length === 0) continue;
    const slot = first / document.step;
    moveTo(slot + points.length - 1);
    for (let i = 0; i < points.length; ++i) put(series, member, slot + i, points[i]);
  }
}

/** Gets a list of series of all members: in one answer, or in one for each when that would hold too much. */
async function fetchSeries(series, seconds) {
  const mine = turn;
  const members = shown().members.map(({member}) => `&member=${encoded(member)}`);
  const points = (seconds / past.step + kMarginSlots) * series.length * members.length;
  for (const member of points > kPointsMax ? members : ['']) {
    const document = await ask(`/api/v1/history?ensemble=${encoded(model.ensemble)}${member}&step=${past.step}` +
        `&since=-${Math.ceil(seconds)}s&series=${series.join(',')}`, kDeadlineMs);
    if (mine !== turn) return false;
    take(document);
  }
  return true;
}

/** Gets the whole window, a series at a time, so that each answer is a small piece of work. Returns whether all of it came. */
async function load() {
  let whole = true;
  const mine = ++turn;
  loading = true;
  for (const series of memberSeries) {
    try {
      if (!await fetchSeries([series], past.range)) return false;
      past.loaded.add(series);
      changed('history');
      changed(`history-${series}`);
    } catch {
      if (mine !== turn) return false;
      whole = false;  // Asked again below when the stream moves on and the series is still missing.
    }
  }
  loading = false;
  return whole;
}

/** Gets what was missed, or the slots that the coarse steps are still collecting. */
async function catchUp() {
  if (!begun || loading || catching || shown() === null) return;
  catching = true;
  caughtAt = performance.now();
  const from = missedFrom;
  const gap = Math.max(0, now() / 1000 - (from ?? past.end ?? 0) * past.step) + kMarginSlots * past.step;
  try {
    const anew = past.loaded.size < memberSeries.length || gap > past.range / 4;
    if (anew ? await load() : await fetchSeries(memberSeries, gap)) {
      if (missedFrom === from) missedFrom = null;
      if (!anew) everythingChanged();
    }
  } catch {
    // The next row or tick tries again.
  }
  catching = false;
}

/** "history" is said of everything, "history-SERIES" to whom one series is enough. */
function everythingChanged() {
  changed('history');
  for (const series of memberSeries) changed(`history-${series}`);
}

function reset() {
  columns = new Map();
  past.step = kSteps.get(past.range);
  past.slots = past.range / past.step;
  past.end = null;
  past.loaded = new Set();
  missedFrom = null;
  ++turn;
  loading = false;
  everythingChanged();
  begun = false;
  begin();
}

/** Asks for the window once it is known which members there are. */
function begin() {
  if (begun || shown() === null) return;
  begun = true;
  load();
}

export function setRange(range) {
  past.range = range;
  reset();
}

function takeRow() {
  const {row} = model;
  if (row === null || row.ensemble !== model.ensemble || past.step !== 1) return;
  const slot = Math.floor(row.time);
  if (past.end === null) moveTo(slot);
  if (slot - past.end > kGapSeconds) missedFrom ??= past.end;
  if (missedFrom !== null || past.loaded.size < memberSeries.length) catchUpSoon();
  moveTo(slot);
  for (const [member, series] of Object.entries(row.members))
    for (const name of memberSeries) if (name in series) put(name, member, slot, series[name]);
}

function catchUpSoon() {
  if (performance.now() - caughtAt > 2000) catchUp();
}

export function startHistory() {
  let ensemble = null;
  on('row', takeRow);
  on('status', begin);
  on('route', () => {
    if (model.ensemble === ensemble) return;
    ensemble = model.ensemble;
    reset();
  });
  on('poll', catchUpSoon);
  on('tick', () => {
    if (past.step > 1 && model.link === 'live' && performance.now() - caughtAt > past.step * 500) catchUp();
    else if (model.link === 'live' && (missedFrom !== null || past.loaded.size < memberSeries.length)) catchUpSoon();
  });
}
