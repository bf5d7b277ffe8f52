// Documents that are too large for the stream and change slowly: asked again and again while their part is near what can
// be seen.

import {secondsSince} from './clock.js';
import {ask, encoded} from './feed.js';
import {duration} from './format.js';
import {changed, model, on} from './model.js';

const kEveryMs = 5000;
const kRetryMs = 1000;
const kDeadlineMs = 10_000;
const kKeptMs = 15_000;
const kOldSeconds = 15;

const failing = new Set();  // tables whose newest question was not answered

const tells = (document) => document.members.some((member) => member.age_seconds !== null);

/** Seconds since model[table] was told: to be added to each age that it tells. */
export const ageOf = (table) => (model[table] === null ? 0 : secondsSince(model[table].time) ?? 0);

/** What to say of model[table] when it cannot be renewed, though everything else may be fresh; '' while it can. */
export const notRenewed = (table) => (failing.has(table) && ageOf(table) > kOldSeconds
    ? `Not renewed for ${duration(Math.round(ageOf(table)))}: questions for it are not answered.` : '');

/** Keeps model[table] as /ensemble/NAME/TABLE.json has it, for the section that shows it. */
export function follow(table, section) {
  let near = false;
  let askedAt = -Infinity;
  let askedFor = null;
  let asking = false;
  let keptSince = null;

  async function look() {
    const {ensemble} = model;
    const since = performance.now() - askedAt;
    if (!near || asking || ensemble === null || model.status === null || model.link === 'broken') return;
    if (askedFor === ensemble && since < (model[table] === null || model.kept.has(table) ? kRetryMs : kEveryMs)) return;
    asking = true;
    askedAt = performance.now();
    askedFor = ensemble;
    try {
      const document = await ask(`/ensemble/${encoded(ensemble)}/${table}.json`, kDeadlineMs);
      failing.delete(table);
      if (ensemble === model.ensemble) {
        // A restarted program has not asked the members yet; what was told before it stays for so long.
        if (!model.kept.has(table)) keptSince = null;
        else keptSince ??= performance.now();
        if (keptSince === null || tells(document) || performance.now() - keptSince > kKeptMs) {
          keptSince = null;
          model[table] = document;
          model.kept.delete(table);
          changed(table);
        }
      }
    } catch {
      failing.add(table);  // Asked again with a next tick; the part says how old its facts are.
      changed(table);
    }
    asking = false;
  }

  new IntersectionObserver((entries) => {
    near = entries.at(-1).isIntersecting;  // On a busy machine one call brings several, the newest last.
    look();
  }, {rootMargin: '400px'}).observe(section);
  on('tick route', look);
}
