// Times on the page: relative text that grows older by itself, absolute time with the zone as title and on focus.

import {secondsSince} from './clock.js';
import {setAttribute, setText} from './dom.js';
import {absolute, ago} from './format.js';

function renew(node) {
  setText(node, ago(secondsSince(node.dateTime)));
}

/** Makes a <time> element tell how long ago `iso` was, from now on. */
export function setTime(node, iso) {
  if (node.dateTime !== iso) {
    node.dateTime = iso;
    const full = absolute(Date.parse(iso));
    node.title = full;
    setAttribute(node, 'data-absolute', full);
    setAttribute(node, 'data-ago', true);
  }
  renew(node);
}

export function startAges() {
  setInterval(() => document.querySelectorAll('time[data-ago]').forEach(renew), 1000);
}
