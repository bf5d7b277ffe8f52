// Where the time of writes goes: mean times of the stages, and the bar that shows their shares.
//
// The server tells sums since its start. Two documents give the mean of the writes between them; those of the last minute
// are kept, so that what is shown is of late as long as there are writes, and of the whole time otherwise.

import {el, reconcile, setAttribute, setForeign, svg} from './dom.js';
import {duration, percent} from './format.js';
import {model, toldInside} from './model.js';
import {stageWord} from './words.js';

const kWindowMs = 60_000;
const kScale = 1000;
const kColours = 8;

let sampled = null;
let samples = [];  // {at, writes, seconds: {STAGE: sum}}, oldest first, of one server since it started

function sample() {
  const {ensemble, time, members: [{member, age_seconds: age}]} = model.inside;
  const {writes, write_stages_seconds: seconds} = toldInside().requests;
  const one = {of: [ensemble, member, model.status.exporter.started].join('\n'), at: Date.parse(time) - (age ?? 0) * 1000, writes, seconds};
  const last = samples.at(-1);
  // Another server, another process, statistics that were reset, or a clock that was set back.
  if (last && (last.of !== one.of || writes < last.writes || one.at < last.at)) samples = [];
  samples.push(one);
  while (samples.length > 2 && one.at - samples[1].at >= kWindowMs) samples.shift();
}

/** Stages in the order of the way, each {name, seconds, share}. */
function partsOf(seconds, divisor = 1) {
  const entries = Object.entries(seconds).map(([name, value]) => ({name, seconds: value / divisor}));
  const total = entries.reduce((sum, each) => sum + each.seconds, 0);
  return entries.map((each) => ({...each, share: total > 0 ? each.seconds / total : 0}));
}

/** The stages of one request. */
export const stagesOf = (request) => partsOf(request.stages_seconds);

/** The longest of the stages; null when there is none. */
const longest = (stages) => stages.reduce((most, each) => (most === null || each.seconds > most.seconds ? each : most), null);

/**
 * The mean write: {stages, seconds, over}; `over` is the time it is of in seconds, null for all since the server started.
 * Null when nothing is known or nothing was written.
 */
export function meanWrite() {
  if (toldInside() === null) return null;
  if (sampled !== model.inside) {
    sampled = model.inside;
    sample();
  }
  const first = samples[0], last = samples.at(-1);
  const writes = last.writes - first.writes;
  if (last.writes === 0) return null;
  const since = (name) => last.seconds[name] - (writes > 0 ? first.seconds[name] ?? 0 : 0);
  const stages = partsOf(Object.fromEntries(Object.keys(last.seconds).map((name) => [name, since(name)])), writes || last.writes);
  return {stages, seconds: stages.reduce((sum, each) => sum + each.seconds, 0), over: writes > 0 ? (last.at - first.at) / 1000 : null};
}

/** Where the time of the mean write goes, in a sentence. */
export function meanText(mean) {
  if (mean === null) return 'Nothing has been written since the server started.';
  const when = mean.over === null ? 'over all since the server started' : `over the last ${duration(Math.round(mean.over))}`;
  const most = longest(mean.stages);
  return `A write takes ${duration(mean.seconds)}, the mean ${when}; ${percent(most.share)} of it is “${stageWord(most.name)}”.`;
}

/** A colour of the charts for the stage at this place of the way. */
const stageClass = (index) => `stage-${index % kColours}`;

/** A stacked bar; what it shows is said by `label`, or by what stands beside it when there is none. */
export const makeBar = () => svg('svg', {class: 'stages', viewBox: `0 0 ${kScale} 1`, preserveAspectRatio: 'none', 'aria-hidden': 'true'});

export function updateBar(bar, stages, label = null) {
  let at = 0;
  const segments = stages.map((stage, index) => {
    const width = stage.share * kScale;
    at += width;
    return {name: stage.name, index, x: at - width, width};
  });
  reconcile(bar, segments, (each) => each.name, () => svg('rect', {y: 0, height: 1}), (rect, {index, x, width}) => {
    setAttribute(rect, 'class', stageClass(index));
    setAttribute(rect, 'x', x.toFixed(1));
    setAttribute(rect, 'width', width.toFixed(1));
  });
  setAttribute(bar, 'aria-hidden', label === null ? 'true' : null);
  setAttribute(bar, 'role', label === null ? null : 'img');
  setAttribute(bar, 'aria-label', label);
}

/** All stages in words: "Sync 1.5 s, Reply 2 ms". */
export const stagesText = (stages) => stages.map((each) => `${stageWord(each.name)} ${duration(each.seconds)}`).join(', ');

/** The longest stage in words: "Sync 99 %". */
export function longestText(stages) {
  const most = longest(stages);
  return most === null ? '' : `${stageWord(most.name)} ${percent(most.share)}`;
}

const swatch = () => svg('svg', {class: 'swatch', viewBox: '0 0 1 1', preserveAspectRatio: 'none', 'aria-hidden': 'true'},
                         svg('rect', {width: 1, height: 1}));

/** A cell or a line of a legend: the colour of a stage and its word. */
export function showStage(node, stage, index) {
  if (!node.firstElementChild) node.append(swatch(), el('span'));
  setAttribute(node.firstElementChild.firstElementChild, 'class', stageClass(index));
  setForeign(node.lastElementChild, stageWord(stage.name), 60);
}
