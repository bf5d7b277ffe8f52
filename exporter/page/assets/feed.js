// Where documents come from: the event stream, and questions every two seconds when there is no stream to be had.
//
// The browser itself reconnects a stream that breaks. A refused one (too many readers) ends it; then the page asks, and
// tries the stream again from time to time. Silence is noticed here, whatever the connection says of itself.

import {observe} from './clock.js';
import {changed, forgetBeforeRestart, isSilent, model, setLink, takeEvents, takeMembers, takeStatus} from './model.js';

const kWatchMs = 1000;
const kAskMs = 2000;
const kAskDeadlineMs = 3000;
const kStreamRetryMs = 20_000;
const kHalfOpenMs = 15_000;
const kEventsFirst = 500;

let stream = null;
let streamTriedAt = -Infinity;
let askedAt = -Infinity;
let asking = false;

export async function ask(path, deadlineMs = kAskDeadlineMs) {
  const answer = await fetch(path, {signal: AbortSignal.timeout(deadlineMs), cache: 'no-store'});
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

export const encoded = encodeURIComponent;

function open() {
  close();
  streamTriedAt = performance.now();
  const opened = new EventSource(model.ensemble === null ? '/api/v1/stream'
                                                         : `/api/v1/stream?ensemble=${encoded(model.ensemble)}`);
  stream = opened;
  const listen = (type, take) => opened.addEventListener(type, (event) => {
    if (stream === opened) take(JSON.parse(event.data));
  });
  listen('status', (document) => {
    setLink('live');
    accept(document);
  });
  listen('members', takeMembers);
  listen('row', (document) => {
    model.row = document;
    changed('row');
  });
  listen('events', (document) => takeEvents(document.events));
  opened.onerror = () => {
    if (stream !== opened) return;
    if (opened.readyState === EventSource.CLOSED) close();
  };
}

function close() {
  stream?.close();
  stream = null;
}

function accept(document) {
  if (takeStatus(document)) {
    forgetBeforeRestart();
    askPast();
  }
}

async function askPast() {
  const ensemble = model.ensemble;
  if (ensemble === null) return;
  try {
    const document = await ask(`/api/v1/events?ensemble=${encoded(ensemble)}&limit=${kEventsFirst}`);
    if (ensemble === model.ensemble) takeEvents(document.events);
  } catch {
    // The next watch asks again, as long as nothing is known.
  }
}

async function poll() {
  asking = true;
  askedAt = performance.now();
  try {
    const ensemble = model.ensemble;
    accept(await ask('/api/v1/status'));
    if (stream === null) setLink('polling');
    if (ensemble !== null) {
      const last = model.events.at(-1)?.id ?? 0;
      const [members, events] = await Promise.all([
        ask(`/ensemble/${encoded(ensemble)}/members.json`),
        ask(`/api/v1/events?ensemble=${encoded(ensemble)}&after=${last}&limit=${kEventsFirst}`),
      ]);
      takeMembers(members);
      if (ensemble === model.ensemble) {
        takeEvents(events.events);
        changed('poll');
      }
    }
  } catch {
    // Said by the watch below when it lasts.
  }
  asking = false;
}

function watch() {
  const now = performance.now();
  if (model.lastWord !== null && isSilent()) setLink('broken');
  if (model.lastWord === null && now > kHalfOpenMs / 3) setLink('broken');
  if (stream !== null && isSilent() && now - streamTriedAt > kHalfOpenMs) open();
  if (stream === null && now - streamTriedAt > kStreamRetryMs) open();
  // A stream that is open and yet silent is held back by something between; one that connects needs no help.
  const helpless = stream === null || (isSilent() && stream.readyState === EventSource.OPEN);
  if (helpless && !asking && now - askedAt > kAskMs && now - streamTriedAt > kAskMs / 2) poll();
  if (!model.eventsKnown && model.ensemble !== null && model.link !== 'connecting') askPast();
  changed('tick');
}

/** Begins, or begins anew with another ensemble. */
export function follow() {
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
