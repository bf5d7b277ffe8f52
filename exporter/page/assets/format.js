// Numbers, durations and times as text. Numbers carry their unit; what is not known is a dash.

export const kUnknown = '—';
const kNoBreak = '\u00a0';

const grouped = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
/** From where on which step is shown: from where rounding would reach it. */
const kSteps = [[999.5e9, 1e12, 'T'], [999.5e6, 1e9, 'G'], [999.5e3, 1e6, 'M'], [9999.5, 1e3, 'k']];

/** Three significant digits below 10,000, then k, M, G: 0.42, 3.1, 210, 9,876, 12.3 k. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return kUnknown;
  const size = Math.abs(value);
  for (const [from, divisor, letter] of kSteps)
    if (size >= from) return `${digits(value / divisor)}${kNoBreak}${letter}`;
  if (size >= 100 || Number.isInteger(value)) return grouped.format(value);
  return digits(value);
}

function digits(value) {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  if (size === 0) return '0';
  return size >= 0.01 ? value.toFixed(2) : '<0.01';
}

/** A share of one as a percentage: two significant digits below ten; never 100 % of what is less. */
export function percent(share) {
  if (share === null || share === undefined || !Number.isFinite(share)) return kUnknown;
  const value = share * 100;
  const text = value > 99 && value < 100 ? (Math.floor(value * 10) / 10).toFixed(1) : value === 0 || value >= 9.95 ? value.toFixed(0) : value < 0.1 ? '<0.1' : value.toFixed(1);
  return `${text}${kNoBreak}%`;
}

export const exact = (value) => (value === null || value === undefined ? kUnknown : grouped.format(value));

export function withUnit(value, unit) {
  const text = number(value);
  if (text === kUnknown || unit === '') return text;
  return unit === 'B' || unit.startsWith('B/') ? bytes(value) : `${text}${kNoBreak}${unit}`;
}

export function bytes(value) {
  if (value === null || value === undefined) return kUnknown;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let index = 0;
  while (Math.abs(value) >= 1023.5 && index < units.length - 1) {
    value /= 1024;
    ++index;
  }
  return `${index === 0 ? value : digits(value)}${kNoBreak}${units[index]}`;
}

/** Seconds as people say them, two units at most: "0.4 s", "12 s", "3 min 20 s", "2 d 4 h". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return kUnknown;
  const join = (big, bigUnit, small, smallUnit) =>
      small === 0 ? `${big}${kNoBreak}${bigUnit}` : `${big}${kNoBreak}${bigUnit} ${small}${kNoBreak}${smallUnit}`;
  if (seconds < 0.0009995 && seconds > 0) return `${(seconds * 1e6).toFixed(0)}${kNoBreak}µs`;
  if (seconds < 0.9995) return seconds === 0 ? `0${kNoBreak}s` : `${digits(seconds * 1000)}${kNoBreak}ms`;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, '')}${kNoBreak}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${kNoBreak}s`;
  if (whole < 3600) return join(Math.floor(whole / 60), 'min', whole % 60, 's');
  if (whole < 86400) return join(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min');
  return join(Math.floor(whole / 86400), 'd', Math.floor((whole % 86400) / 3600), 'h');
}

/** How long ago, in whole seconds, then minutes: what changes each second must not change its width much. */
export function ago(seconds) {
  if (seconds === null) return kUnknown;
  if (seconds < 1.5) return 'now';
  if (seconds < 90) return `${Math.floor(seconds)}${kNoBreak}s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}${kNoBreak}min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)}${kNoBreak}h ago`;
  return `${Math.round(seconds / 86400)}${kNoBreak}d ago`;
}

const absoluteFormat = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  timeZoneName: 'short',
});
const clockFormat = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const minuteFormat = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});

/** The viewer's time zone, as its region's name. */
export const zone = absoluteFormat.resolvedOptions().timeZone;
/** "22 Nov 2026, 01:43:35 UTC" in the viewer's zone, with the zone's name. */
export function absolute(time) {
  const text = absoluteFormat.format(new Date(time));
  return zone === 'UTC' ? text : `${text} (${zone})`;
}
export const clockTime = (time) => clockFormat.format(new Date(time));
export const minuteTime = (time) => minuteFormat.format(new Date(time));

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
