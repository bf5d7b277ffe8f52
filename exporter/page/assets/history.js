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

const memberSeries = ['state', 'latency_average_ms', 'requests_per_second', 'outstanding_requests', 'fsync_ms', 'canary_latency_ms',
                      'connections', 'sessions', 'znodes', 'watches'];

export const past = {range: 3600, step: 1, slots: 3600, end: null, loaded: new Set()};
let columns = new Map();
let turn = 0;
let loading = false;  // The whole window is being asked for.
let catching = false;
let caughtAt = -Infinity;

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

async function fetchSeries(series, seconds) {
  const mine = turn;
  const document = await ask(
      `/api/v1/history?ensemble=${encoded(model.ensemble)}&step=${past.step}&since=-${Math.ceil(seconds)}s&series=${series}`, kDeadlineMs);
  if (mine !== turn) return false;
  take(document);
  return true;
}

/** Gets the whole window, a series at a time, so that each answer is a small piece of work. */
async function load() {
  const mine = ++turn;
  loading = true;
  for (const series of memberSeries) {
    try {
      if (!await fetchSeries(series, past.range)) return;
      past.loaded.add(series);
      changed('history');
      changed(`history-${series}`);
    } catch {
      if (mine !== turn) return;  // Asked again below when the stream moves on and the series is still missing.
    }
  }
  loading = false;
}

/** Gets what was missed, or the slots that the coarse steps are still collecting. */
async function catchUp() {
  if (loading || catching || past.end === null || shown() === null) return;
  catching = true;
  caughtAt = performance.now();
  const gap = Math.max(0, now() / 1000 - past.end * past.step) + kMarginSlots * past.step;
  try {
    if (past.loaded.size < memberSeries.length || gap > past.range / 4) await load();
    else if (await fetchSeries(memberSeries.join(','), gap)) everythingChanged();
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
  ++turn;
  loading = false;
  everythingChanged();
  if (model.ensemble !== null) load();
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
  if (slot - past.end > kGapSeconds || past.loaded.size < memberSeries.length) catchUpSoon();
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
  on('route', () => {
    if (model.ensemble === ensemble) return;
    ensemble = model.ensemble;
    reset();
  });
  on('poll', catchUpSoon);
  on('tick', () => {
    if (past.step > 1 && model.link === 'live' && performance.now() - caughtAt > past.step * 500) catchUp();
    else if (model.link === 'live' && past.loaded.size < memberSeries.length) catchUpSoon();
  });
}
