// Who talks to the members: the busiest connections, and the client addresses with the most connections.

import {ageOf, follow, notRenewed} from './detail.js';
import {el, part, setAttribute, setForeign, setState, setText} from './dom.js';
import {duration, exact, kUnknown, number, plural} from './format.js';
import {blind, model, on, short} from './model.js';
import {pathOf} from './router.js';
import {keepHeight, steady, Table} from './table.js';

const memberColumn = {key: 'member', label: 'Member', width: 11, value: (row) => row.member, show: (cell, row) => {
  setForeign(cell, short(row.member), 60);
  setAttribute(cell, 'title', row.member);
}};
const count = (key, label, width, title) => ({key, label, width, numeric: true, title, value: (row) => row[key],
                                              show: (cell, row) => setText(cell, number(row[key]))});
const milliseconds = (key, label, width) => ({key, label, width, numeric: true, value: (row) => row[key],
                                              show: (cell, row) => setText(cell, row[key] === null ? kUnknown : duration(row[key] / 1000))});

const talkers = [
  {key: 'client', label: 'Client', width: 15, value: (row) => `${row.address}:${row.port}`},
  memberColumn,
  {key: 'session', label: 'Session', width: 12, value: (row) => row.session ?? 'no session'},
  count('received', 'Received', 7, 'Packets that the member received over this connection'),
  count('sent', 'Sent', 7, 'Packets that the member sent over it'),
  count('queued', 'Queued', 6, 'Requests that wait in the member'),
  milliseconds('latency_average_ms', 'Latency', 7),
  milliseconds('latency_maximum_ms', 'Worst', 7),
  milliseconds('session_timeout_ms', 'Timeout', 7),
  {key: 'last_operation', label: 'Last', width: 6, value: (row) => row.last_operation || null},
];
const addresses = [
  {key: 'address', label: 'Client address', width: 14, value: (row) => row.address},
  count('connections', 'Connections', 8),
  {key: 'members', label: 'To members', width: 18, value: (row) => row.members},
];

function perAddress(rows) {
  const found = new Map();
  for (const {member, address, connections} of rows) {
    const entry = found.get(address) ?? {address, connections: 0, parts: []};
    entry.connections += connections;
    entry.parts.push(`${short(member)} ${exact(connections)}`);
    found.set(address, entry);
  }
  return [...found.values()].map((entry) => ({...entry, members: entry.parts.join(', ')}))
      .sort((a, b) => b.connections - a.connections);
}

export function startConnections() {
  const section = part('connections');
  const both = el('div', {class: 'pair'}, el('div', {class: 'sub'}, el('header')), el('div', {class: 'sub'}, el('header')));
  section.append(both);
  const [left, right] = both.children;
  left.firstElementChild.append(el('h3', {text: 'Busiest connections'}));
  right.firstElementChild.append(el('h3', {text: 'By client address'}));
  const table = new Table(left, {name: 'connections', label: 'Busiest connections', columns: talkers,
                                 keyOf: (row) => `${row.member} ${row.address}:${row.port} ${row.session}`});
  const sums = new Table(right, {name: 'addresses', label: 'Connections by client address', columns: addresses, keyOf: (row) => row.address});

  const newest = () => model.connections ?? {members: [], addresses: [], connections: []};
  const sayState = () => {
    const {members, connections} = newest();
    const told = members.filter((member) => member.connections !== null);
    const oldest = Math.max(0, ...told.map((member) => member.age_seconds)) + ageOf('connections');
    const silentOnes = members.filter((member) => member.connections === null).map((member) => short(member.member));
    if (model.connections === null) {
      if (blind()) setState(section, 'broken', 'Watchkeeper does not answer; the connections are not known.');
      else setState(section, 'loading', 'Waiting for the members’ connections…');
    } else if (blind()) {
      setState(section, 'stale', 'No word: these are the connections of then.');
    } else if (model.kept.has('connections')) {
      setState(section, 'stale', 'Watchkeeper was started anew: these are the connections of before.');
    } else if (notRenewed('connections') !== '') {
      setState(section, 'stale', notRenewed('connections'));
    } else if (told.length === 0) {
      setState(section, 'empty', 'No member tells its connections: allow the word cons (4lw.commands.whitelist), or name the AdminServer’s port.');
    } else if (connections.length === 0) {
      setState(section, 'empty', 'No client is connected.');
    } else if (silentOnes.length > 0) {
      setState(section, 'ready', `${silentOnes.join(', ')}: not told. The others’ are ${duration(Math.round(oldest))} old at most.`);
    } else {
      setState(section, 'ready', `The busiest of each of ${plural(told.length, 'member')}, as of ${duration(Math.round(oldest))} ago at most; packets are counted since each connection began.`);
    }
  };
  const update = () => {
    const {addresses: byAddress, connections} = newest();
    const json = model.ensemble === null ? null : `${pathOf(model.ensemble, 'connections')}.json`;
    table.update(steady(table, [...connections].sort((a, b) => (b.received ?? 0) - (a.received ?? 0))), json);
    sums.update(steady(sums, perAddress(byAddress)), json);
    sayState();
  };
  on('connections link route', update);
  on('tick', sayState);
  keepHeight(section);
  follow('connections', section);
}
