// The limits of the server: how much of each is used, and how long until it is reached.

import {bytes, duration, exact, number} from './format.js';

// From here on somebody should look: the same bounds as those of the alerts ZooKeeperLimitNear, ZooKeeperLimitForecast and
// ZooKeeperChildListNearLimit, so that the page and the pager agree.
const kNearShare = 0.8;
const kNearShareOfDisk = 0.9;
const kNearSeconds = 4 * 3600;
const kForecastShare = 0.5;  // Below it a countdown says little: a small number may double for harmless reasons.
// From there on somebody should act.
const kCriticalShare = 0.95;
const kCriticalSeconds = 1800;
const kExactBelow = 1e6;

const rank = {critical: 0, warning: 1, ok: 2, unknown: 3};

function levelOf({limit, share, seconds_left: left}) {
  if (!Number.isFinite(share)) return 'unknown';
  const soon = share > kForecastShare ? left ?? Infinity : Infinity;
  const near = share > (['log_disk', 'snapshot_disk'].includes(limit) ? kNearShareOfDisk : kNearShare) || soon < kNearSeconds;
  if (!near) return 'ok';
  // Clients that ask for a list that is too long ask again for ever: it is urgent before the limit is reached.
  return limit === 'child_list_reply' || share >= kCriticalShare || soon <= kCriticalSeconds ? 'critical' : 'warning';
}

/** The limits that the server tells, each with its `level`; the one to care for first comes first. */
export function limitsOf(inside) {
  return inside.limits.map((limit) => ({...limit, level: levelOf(limit)}))
      .sort((a, b) => rank[a.level] - rank[b.level] || (b.share ?? 0) - (a.share ?? 0));
}

export const amount = (value, unit) => (unit === 'bytes' ? bytes(Math.round(value)) : value < kExactBelow ? exact(value) : number(value));

/** "in 3 h 20 min"; nothing when it does not grow, or that is not known. */
export const leftText = ({seconds_left: left}) => (left === null || left === undefined ? '' : left <= 0 ? 'now' : `in ${duration(Math.round(left))}`);
