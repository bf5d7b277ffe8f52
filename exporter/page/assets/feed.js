// Where documents come from: the event stream, and questions every two seconds when there is no stream to be had.
//
// The browser itself reconnects a stream that breaks. A refused one (too many readers) ends it; then the page asks, and
// tries the stream again from time to time. Silence is noticed here, whatever the connection says of itself: something
// between may take a stream and hold back what it brings.

import {observe, standStill} from './clock.js';
import {changed, forgetBeforeRestart, isSilent, model, setLink, takeEvents, takeMembers, takeMissedEvents, takeStatus} from './model.js';

const kWatchMs = 1000;
const kAskMs = 2000;
const kLateMs = 100;  // by which a watch may come too early for what is due
const kAskDeadlineMs = 3000;
const kStreamRetryMs = 20_000;
const kHalfOpenMs = 15_000;
const kSleptMs = 5000;
const kStreamSilentMs = 2500;  // Less than what makes the page blind: a question may be answered until then.
const kEventsFirst = 500;
const kEventsMissed = 1000;

let stream = null;
let streamTriedAt = -Infinity;
let streamWord = -Infinity;  // when the stream last told a status
let askedAt = -Infinity;
let asking = false;
let awake = {steady: performance.now(), wall: Date.now()};
let missedAfter = null;  // Events after this id may be missing; null when none are.

export async function ask(path, deadlineMs = kAskDeadlineMs) {
  let refusal = null;
  try {
    const answer = await fetch(path, {signal: AbortSignal.timeout(deadlineMs), cache: 'no-store'});
    if (answer.ok) return await answer.json();
    refusal = answer.status;
    throw new Error(`${path} answered ${refusal}`);
  } catch (fault) {
    if (fault instanceof SyntaxError) refusal = 'no document';
    throw fault;
  } finally {
    model.refusal = refusal;
  }
}

export const encoded = encodeURIComponent;

const streamSilent = () => stream === null || performance.now() - streamWord > kStreamSilentMs;
const newestEvent = () => model.events.at(-1)?.id ?? 0;

function open() {
  close();
  streamTriedAt = performance.now();
  streamWord = -Infinity;
  // A stream that begins anew may bring the newest events alone. What the one before did not bring any more is asked for.
  let behind = model.eventsKnown;
  const opened = new EventSource(model.ensemble === null ? '/api/v1/stream'
                                                         : `/api/v1/stream?ensemble=${encoded(model.ensemble)}`);
  stream = opened;
  const listen = (type, take) => opened.addEventListener(type, (event) => {
    if (stream === opened) take(JSON.parse(event.data));
  });
  listen('status', (document) => {
    accept(document);
    streamWord = performance.now();
    setLink('live');
    if (!behind) return;
    behind = false;
    missedAfter ??= newestEvent();
    askPast();
  });
  listen('members', takeMembers);
  listen('row', (document) => {
    model.row = document;
    changed('row');
  });
  listen('events', takeEvents);
  opened.onerror = () => {
    if (stream !== opened) return;
    behind = model.eventsKnown;
    if (opened.readyState === EventSource.CLOSED) close();
  };
}

function close() {
  stream?.close();
  stream = null;
}

/** A computer that slept: its steady counter stood still meanwhile, so that the newest word would seem to be of just now. */
function noticeSleep() {
  const steady = performance.now(), wall = Date.now();
  const slept = wall - awake.wall - (steady - awake.steady);
  awake = {steady, wall};
  if (slept < kSleptMs) return;
  standStill(slept);
  if (model.lastWord !== null) model.lastWord = -Infinity;
  streamWord = -Infinity;
}

function accept(document) {
  noticeSleep();
  if (takeStatus(document)) {
    forgetBeforeRestart();
    missedAfter = 0;
    askPast();
  }
}

const askEvents = (ensemble, after) =>
    ask(`/api/v1/events?ensemble=${encoded(ensemble)}&after=${after}&limit=${after === 0 ? kEventsFirst : kEventsMissed}`);

/** Gets the events that the stream did not bring. */
async function askPast() {
  const {ensemble} = model;
  const after = missedAfter;
  if (ensemble === null || after === null) return;
  try {
    const document = await askEvents(ensemble, after);
    if (ensemble !== model.ensemble || after !== missedAfter) return;
    missedAfter = null;
    takeMissedEvents(document, after);
  } catch {
    // The next watch asks again.
  }
}

async function poll() {
  asking = true;
  askedAt = performance.now();
  try {
    const ensemble = model.ensemble;
    accept(await ask('/api/v1/status'));
    if (streamSilent()) setLink('polling');
    if (ensemble !== null) {
      const after = newestEvent();
      const [members, events] = await Promise.all([ask(`/ensemble/${encoded(ensemble)}/members.json`), askEvents(ensemble, after)]);
      takeMembers(members);
      if (ensemble === model.ensemble) {
        takeMissedEvents(events, after);
        changed('poll');
      }
    }
  } catch {
    // Said by the watch below when it lasts.
  }
  asking = false;
}

function watch() {
  noticeSleep();
  const now = performance.now();
  if (model.lastWord !== null && isSilent()) setLink('broken');
  if (model.lastWord === null && now > kHalfOpenMs / 3) setLink('broken');
  // A watcher that hangs tells so every ten seconds: that is a word, too.
  if (stream !== null && now - Math.max(streamWord, streamTriedAt) > kHalfOpenMs) open();
  if (stream === null && now - streamTriedAt > kStreamRetryMs) open();
  if (streamSilent() && !asking && now - askedAt >= kAskMs - kLateMs && now - streamTriedAt > kAskMs / 2) poll();
  if (model.link !== 'connecting') askPast();
  changed('tick');
}

/** Begins, or begins anew with another ensemble. */
export function follow() {
  missedAfter = 0;
  open();
  askPast();
}

export function startFeed() {
  setInterval(watch, kWatchMs);
  // One question at once, in parallel with the stream: whichever answers first fills the page.
  ask('/api/v1/status').then((document) => {
    if (model.status === null) accept(document);
    else observe(document.time);
  }, () => {});
}
