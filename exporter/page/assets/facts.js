// Key figures of the shown ensemble in a row: what one asks second.

import {el, reconcile, role, setAttribute, setForeign} from './dom.js';
import {duration, kUnknown, number, plural, withUnit} from './format.js';
import {blind, isStale, model, on, short, shown} from './model.js';

const sum = (values) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0));

/** A number of every member that answers. */
const fresh = (read) => [...model.members.values()].filter((member) => !isStale(member)).map(read)
    .filter((value) => value !== null && value !== undefined);

function canary(ensemble) {
  const {mode, rounds_ok: ok, rounds_failed: failed} = ensemble.canary;
  if (mode === 'off') return ['Off', 'no client operations are tried'];
  const recent = [...model.members.values()].filter((each) => each.canary);
  const good = recent.filter((each) => each.canary.connected && (each.canary.last_ok_age_seconds ?? Infinity) < 5).length;
  const latency = fresh((member) => member.canary.latency_ms);
  const mean = latency.length === 0 ? null : sum(latency) / latency.length;
  return [recent.length === 0 ? kUnknown : `${good} of ${plural(recent.length, 'member')}`,
          `${mode} canary${mean === null ? '' : `, ${withUnit(mean, 'ms')}`}; ${number(failed)} of ${number(ok + failed)} rounds failed`];
}

function figures(ensemble) {
  const leader = ensemble.leader;
  const unserved = ensemble.unserved;
  const writes = model.row?.ensemble === model.ensemble ? model.row.series.writes_per_second : null;
  const requests = sum(fresh((member) => member.requests_per_second));
  const latencies = fresh((member) => member.latency_average_ms);
  const [canaryValue, canaryNote] = canary(ensemble);
  return [
    {key: 'leader', label: 'Leader', value: leader.member ? short(leader.member) : leader.id ? `server ${leader.id}` : 'None',
     note: leader.epoch === null ? 'no epoch known' : `epoch ${leader.epoch}${leader.inferred ? ', by others’ evidence' : ''}; ${plural(ensemble.leader_changes, 'change')} seen`},
    {key: 'limited', label: 'Performance limited by', value: ensemble.limited_by.what, note: ensemble.limited_by.reason, wide: true},
    {key: 'requests', label: 'Requests', value: withUnit(requests, '/s'), note: writes === null || writes === undefined ? 'writes not known' : `${withUnit(writes, 'writes/s')}`},
    {key: 'latency', label: 'Latency, slowest member', value: latencies.length === 0 ? kUnknown : withUnit(Math.max(...latencies), 'ms'), note: 'of the last second; since its start where only that is told'},
    {key: 'canary', label: 'Client operations succeed', value: canaryValue, note: canaryNote},
    {key: 'unserved', label: 'Without service', value: duration(Math.round(unserved.seconds_total)),
     note: unserved.seconds_running === null ? `in ${duration(watched())} of watching` : `for ${duration(Math.round(unserved.seconds_running))} until now`,
     alarm: unserved.seconds_running !== null},
  ];
}

function watched() {
  const status = model.status;
  return Math.round((Date.parse(status.time) - Date.parse(status.exporter.started)) / 1000);
}

const kEmpty = ['Leader', 'Performance limited by', 'Requests', 'Latency, slowest member', 'Client operations succeed', 'Without service'];
const kKeys = ['leader', 'limited', 'requests', 'latency', 'canary', 'unserved'];

function make(figure) {
  return el('div', {'data-fact': figure.key}, el('dt', {text: figure.label}), el('dd', {class: 'value'}), el('dd', {class: 'note'}));
}

function update() {
  const ensemble = shown();
  const list = ensemble && !blind() ? figures(ensemble)
      : kKeys.map((key, index) => ({key, label: kEmpty[index], value: kUnknown, note: blind() ? 'no word' : 'not known yet'}));
  reconcile(role(document, 'facts'), list, (figure) => figure.key, make, (node, figure) => {
    setForeign(node.children[1], figure.value, 60);
    setForeign(node.children[2], figure.note, 120);
    setAttribute(node.children[2], 'title', figure.note);  // The line may be too short for it.
    setAttribute(node, 'data-alarm', figure.alarm ? true : null);
  });
}

export function startFacts() {
  update();
  on('status members row link route', update);
}
