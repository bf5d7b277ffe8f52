// What the page knows: the newest documents, the ensemble that is shown, and who wants to hear of changes.
//
// Parts subscribe to topics; a change marks them, and one animation frame brings the marked ones up to date, as many as
// fit into its budget, the rest in the next. A burst of messages therefore costs each part one update. A page in the background
// has no frames: what must be right there, too, is brought up to date by the change itself.

import {now, observe, secondsSince} from './clock.js';
import {shortNames} from './names.js';

const kFrameBudgetMs = 4;
const kDeferredMax = 6;
const kEventsMax = 1000;
const kSilenceSeconds = 4;
const kDetails = ['connections', 'configuration', 'inside'];  // documents that detail.js asks for

export const model = {
  status: null,       // document of /api/v1/status
  ensemble: null,     // name of the ensemble that is shown; null on the list
  table: '',          // the one table that is shown; '' on the overview
  members: new Map(), // name → compact member of the shown ensemble
  events: [],         // of the shown ensemble, oldest first, ids rising
  eventsKnown: false, // whether the first page of events has arrived
  eventsOlder: 0,     // how many older ones the program has and the page does not
  row: null,          // newest row of the history
  connections: null,  // the tables of the same name of the shown ensemble, as documents
  configuration: null,
  inside: null,
  withInside: new Set(), // names of ensembles of which a member tells of its inside; one that starts anew does so again
  kept: new Set(),    // those of them that a program told that has been restarted since
  emphasis: null,     // member that picture, charts and tables bring forward
  link: 'connecting', // connecting, live, polling, broken
  lastWord: null,     // performance.now() of the newest status; -Infinity when it is of before a sleep
  refusal: null,      // HTTP status or 'no document' of what answered the newest question in Watchkeeper's place
};

const listeners = new Map();
const prompt = new Map();
const marked = new Set();
const heavy = new Set();
let deferred = 0;
let frame = 0;

function subscribe(register, topics, update) {
  for (const topic of topics.split(' ')) {
    if (!register.has(topic)) register.set(topic, []);
    register.get(topic).push(update);
  }
}

/** Calls `update` in an animation frame after any of the topics changed. */
export const on = (topics, update) => subscribe(listeners, topics, update);

/** Calls `update` as soon as any of the topics changed; it must be cheap. */
export const onAtOnce = (topics, update) => subscribe(prompt, topics, update);

export function changed(topic) {
  for (const update of prompt.get(topic) ?? []) attempt(update);
  for (const update of listeners.get(topic) ?? []) marked.add(update);
  if (marked.size > 0 && frame === 0) frame = requestAnimationFrame(flush);
}

/** Calls `work` in an animation frame that does little else: what it costs comes after the script, where nothing counts it. */
export function alone(work) {
  heavy.add(work);
  if (frame === 0) frame = requestAnimationFrame(flush);
}

function attempt(update) {
  try {
    update();
  } catch (fault) {
    reportError(fault);  // One part that fails must not take the others with it.
  }
}

function flush() {
  frame = 0;
  const begin = performance.now();
  for (const update of marked) {
    marked.delete(update);
    attempt(update);
    if (performance.now() - begin > kFrameBudgetMs) break;
  }
  const idle = marked.size === 0 && performance.now() - begin < kFrameBudgetMs / 2;
  if (heavy.size > 0 && (idle || ++deferred > kDeferredMax)) {
    deferred = 0;
    const [work] = heavy;
    heavy.delete(work);
    attempt(work);
  }
  if (frame === 0 && marked.size + heavy.size > 0) frame = requestAnimationFrame(flush);
}

/** The shown ensemble's part of the status document, or null. */
export const shown = () => model.status?.ensembles.find((each) => each.name === model.ensemble) ?? null;

/** Whether a member of the shown ensemble tells of its inside, or did: a Watchkeeper server, on its own page. */
export const hasInside = () => shown() !== null && model.withInside.has(model.ensemble);

/** What that member tells of its inside; null before it did. It is one: the server that serves the page. */
export const toldInside = () => model.inside?.members[0]?.inside ?? null;

/** Whether the documents are too old to be believed: nothing came, or the watcher itself hangs. */
export function blind() {
  if (model.status?.snapshot.stale) return true;
  return model.link === 'broken';
}

/** Seconds since the newest status was written; null before the first. */
export function silence() {
  return model.status === null ? null : secondsSince(model.status.snapshot.time);
}
export const isSilent = () =>
    model.lastWord === null || (performance.now() - model.lastWord) / 1000 > kSilenceSeconds;

let names = new Map();
let namesOf = '';
/** The short name of a member of the shown ensemble. */
export function short(name) {
  const ensemble = shown();
  if (ensemble) {
    const all = ensemble.members.map((each) => each.member);
    const key = all.join('\n');
    if (key !== namesOf) {
      names = shortNames(all);
      namesOf = key;
    }
  }
  return names.get(name) ?? name;
}

export function takeStatus(document) {
  observe(document.time);
  const restarted = model.status !== null && model.status.exporter.started !== document.exporter.started;
  model.status = document;
  for (const {name, members} of document.ensembles) if (members.some((member) => member.inside)) model.withInside.add(name);
  model.lastWord = performance.now();
  if (restarted) changed('restarted');
  changed('status');
  return restarted;
}

/** Takes the members table of the stream or of its URL. */
export function takeMembers({ensemble, time, members}) {
  if (ensemble !== model.ensemble) return;
  observe(time);
  const told = Date.parse(time);
  model.members = new Map(members.map((member) => [
    member.member, {...member, answeredAt: member.age_seconds === null ? null : told - member.age_seconds * 1000}]));
  changed('members');
}

/** Seconds since the member last told its status; null when it never did. */
export function answerAge(member) {
  return member?.answeredAt === null || member?.answeredAt === undefined ? null : (now() - member.answeredAt) / 1000;
}

/** Whether the member's numbers may not be shown as what is true now. */
export function isStale(member) {
  return blind() || !member?.fresh;
}

export function takeEvents({events}) {
  // The stream may bring new events before the first page of old ones has arrived.
  const known = new Set(model.events.map((event) => event.id));
  const added = events.filter((event) => !known.has(event.id) && event.ensemble === model.ensemble);
  if (added.length === 0 && model.eventsKnown) return;
  model.eventsKnown = true;
  const all = [...model.events, ...added].sort((a, b) => a.id - b.id);
  model.events = all.slice(-kEventsMax);
  model.eventsOlder += all.length - model.events.length;
  changed('events');
}

/** Takes the events after one (0: all); when there are too many, those known before go, so that the list has no hole. */
export function takeMissedEvents(document, after) {
  const {skipped} = document;
  const joined = skipped > 0 ? model.events.filter((event) => event.id >= document.events[0].id) : model.events;
  model.eventsOlder = skipped + (after === 0 ? 0 : model.eventsOlder + model.events.length - joined.length);
  model.events = joined;
  takeEvents(document);
}

/** Forgets everything that belonged to the ensemble shown before. */
export function show(ensemble, table) {
  const other = model.ensemble !== ensemble;
  model.ensemble = ensemble;
  model.table = table;
  if (other) {
    forgetDetails();
    model.emphasis = null;
    changed('emphasis');
  }
  changed('route');
  return other;
}

export function forgetDetails() {
  model.members = new Map();
  model.events = [];
  model.eventsKnown = false;
  model.eventsOlder = 0;
  model.row = null;
  for (const detail of kDetails) model[detail] = null;
  model.kept.clear();
  for (const topic of ['members', 'events', ...kDetails]) changed(topic);
}

/** A restarted program has new events with small ids. Its tables come later; those of before are kept until then. */
export function forgetBeforeRestart() {
  const before = Object.fromEntries(kDetails.map((detail) => [detail, model[detail]]));
  forgetDetails();
  Object.assign(model, before);
  for (const detail of kDetails) if (model[detail] !== null) model.kept.add(detail);
}

export function setLink(link) {
  if (model.link === link) return;
  model.link = link;
  for (const topic of ['link', 'status', 'members', 'events']) changed(topic);
}
