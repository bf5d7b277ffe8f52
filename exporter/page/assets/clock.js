// The watching host's clock, as its documents tell it. The browser's own clock may be an hour wrong; it is never asked what
// time it is, only how long the computer slept.
//
// Each document brings a time that was true when it was written; the largest difference to the browser's steady counter
// belongs to the document that travelled fastest, and that one is believed.

const kStepBackMs = 2000;

let offset = null;

/** A document said that it is `iso` now. */
export function observe(iso) {
  const told = Date.parse(iso);
  if (Number.isNaN(told)) return;
  const found = told - performance.now();
  if (offset === null || found > offset || offset - found > kStepBackMs) offset = found;
}

/** The steady counter stood still for so many milliseconds. */
export function standStill(ms) {
  if (offset !== null) offset += ms;
}

/** Milliseconds since 1970 by the watching host's clock; null before its first document. */
export const now = () => (offset === null ? null : offset + performance.now());

/** Seconds since a time of a document; null when either is unknown. */
export function secondsSince(iso) {
  const at = typeof iso === 'number' ? iso : Date.parse(iso);
  return offset === null || Number.isNaN(at) ? null : Math.max(0, (now() - at) / 1000);
}
