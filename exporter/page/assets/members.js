// The table of the members.

import {part, setAttribute, setForeign, setState, setText} from './dom.js';
import {ago, duration, kUnknown, withUnit} from './format.js';
import {answerAge, blind, isStale, model, on, short, shown, silence} from './model.js';
import {pathOf} from './router.js';
import {hexadecimal, keepHeight, showMark, Table} from './table.js';
import {roleIcon, roleWord, stateIcon, stateWord} from './words.js';

const yesNo = (value) => (value ? 'yes' : 'no');

/** A number of the member that is shown only while the member answers. */
const live = (key, label, unit, width, read, title) => ({
  key, label, width, numeric: true, title,
  value: (row) => (row.stale ? null : read(row)),
  show: (cell, row) => setText(cell, row.stale ? kUnknown : withUnit(read(row) ?? null, unit)),
});

const columns = [
  {key: 'member', label: 'Member', width: 9.5, value: (row) => row.member, show: (cell, row) => {
    setForeign(cell, short(row.member), 60);
    setAttribute(cell, 'title', row.member);
  }},
  {key: 'id', label: 'Id', width: 4, numeric: true, value: (row) => (row.id === null ? null : Number(row.id)), show: (cell, row) => setText(cell, row.id ?? kUnknown)},
  {key: 'state', label: 'State', width: 9.5, value: (row) => stateWord(row.state), show: (cell, row) => {
    setAttribute(cell, 'data-serving', blind() ? 'unknown' : row.state);
    showMark(cell, blind() ? 'unknown' : stateIcon(row.state), blind() ? 'Not known' : stateWord(row.state));
    setAttribute(cell, 'title', row.state_reason);
  }},
  {key: 'role', label: 'Role', width: 8.5, value: (row) => roleWord(row.role), show: (cell, row) => showMark(cell, roleIcon(row.role), roleWord(row.role))},
  {key: 'voter', label: 'Voter', width: 5, value: (row) => yesNo(row.voter)},
  {key: 'in_sync', label: 'In sync', width: 6, value: (row) => (row.stale ? null : yesNo(row.in_sync))},
  {key: 'safe', label: 'Safe to stop', width: 12, value: (row) => `${yesNo(row.safe_to_stop.safe)}: ${row.safe_to_stop.reason}`, show: (cell, row) => {
    const safe = row.safe_to_stop.safe && !blind();
    setAttribute(cell, 'data-safe', safe ? 'true' : 'false');
    showMark(cell, safe ? 'safe' : 'unsafe', `${safe ? 'Yes' : 'No'}: ${blind() ? 'not known while there is no word' : row.safe_to_stop.reason}`);
  }},
  {key: 'age', label: 'Last answer', width: 8, numeric: true, value: (row) => row.age, show: (cell, row) => setText(cell, row.age === null ? 'never' : row.stale ? ago(row.age) : duration(Math.max(row.age, 0)))},
  live('lag', 'Lag', 'txn', 6, (row) => row.lag_transactions, 'Transactions behind the newest known in the ensemble'),
  live('latency', 'Latency', 'ms', 6.5, (row) => row.latency_average_ms, 'Mean request latency; of the last second where the member tells sums, else since it started'),
  live('requests', 'Requests', '/s', 7, (row) => row.requests_per_second),
  live('outstanding', 'Queued', '', 6, (row) => row.outstanding_requests, 'Requests that wait in the member'),
  live('connections', 'Conns', '', 6, (row) => row.connections, 'Client connections'),
  live('sessions', 'Sessions', '', 6.5, (row) => row.sessions, 'Connections of this member that hold a session'),
  live('znodes', 'Znodes', '', 6, (row) => row.znodes),
  live('watches', 'Watches', '', 6.5, (row) => row.watches),
  live('fsync', 'fsync', 'ms', 5.5, (row) => row.fsync_ms, 'Mean time of a flush of the transaction log in the last second'),
  live('canary', 'Canary', 'ms', 6, (row) => row.canary?.latency_ms, 'Mean latency of the canary’s reads and syncs through this member'),
  {key: 'zxid', label: 'Zxid', width: 9, value: (row) => (row.stale ? null : row.zxid), order: (row) => (row.stale ? null : hexadecimal(row.zxid))},
  {key: 'version', label: 'Version', width: 6, value: (row) => row.version},
];

export function startMembers() {
  const section = part('members');
  const table = new Table(section, {name: 'members', label: 'Members', columns, keyOf: (row) => row.member});
  table.rowShown = (node, row) => {
    setAttribute(node, 'data-member', row.member);
    setAttribute(node, 'data-stale', row.stale ? 'true' : null);
    setAttribute(node, 'data-emphasis', model.emphasis ? (model.emphasis === row.member ? 'on' : 'off') : null);
  };

  const update = () => {
    const ensemble = shown();
    if (!ensemble) {
      const [state, message] = blind() ? ['broken', 'Watchkeeper does not answer; nothing is known of the members.']
          : model.status === null ? ['loading', 'Waiting for the members…'] : ['empty', 'No such ensemble is watched.'];
      setState(section, state, message);
      table.update([]);
      return;
    }
    setState(section, blind() ? 'stale' : 'ready', blind() ? `No word for ${duration(Math.round(silence()))}: the numbers are left out, the rest is of then.` : '');
    table.update(ensemble.members.map((member) => {
      const compact = model.members.get(member.member);
      return {version: null, ...compact, ...member, stale: isStale(compact), age: answerAge(compact)};
    }), `${pathOf(model.ensemble, 'members')}.json`);
  };
  keepHeight(section);
  on('status members link route tick emphasis', update);
}
