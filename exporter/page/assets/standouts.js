// What the inside view lists: for each list its columns, where its rows stand in the document, and the words beside it;
// and the figures by a word.

import {setTime} from './ages.js';
import {el, setAttribute, setForeign, setText} from './dom.js';
import {ago, bytes, clockTime, duration, exact, kUnknown, number, percent, withUnit} from './format.js';
import {amount, leftText, limitsOf} from './limits.js';
import {longestText, makeBar, meanText, meanWrite, showStage, stagesOf, stagesText, updateBar} from './stages.js';
import {hexadecimal, showMark} from './table.js';
import {
  connectionWord, expiryCauseWord, limitHitWord, limitWord, memoryWord, severityIcon, timeoutUsedWord, watchEventWord,
  watchKindWord,
} from './words.js';

const kTextLimit = 600;  // A path has 512 bytes at most.
// Larger replies than this share of what a client takes are told before they are too large.
const kLargeReply = 0.8;

const kStageMeaning = {
  prepare: 'From the frame received to its batch handed to the log: a busy core thread',
  log_queue: 'Until the log thread takes it: the sync before lasts',
  append: 'Written to the file of the log: a slow or full disk',
  fsync: 'On stable storage: a slow disk, or one that is shared',
  quorum: 'Until the core learns that it is safe: other members, or a busy core thread',
  apply: 'Applied with all that was safe together, and the replies encoded',
  reply: 'Handed to the kernel: large answers, many watchers to be told',
};

// Columns

const text = (key, label, width, read = (row) => row[key], title = undefined) => ({
  key, label, width, title, value: read, show: (cell, row) => setForeign(cell, read(row) ?? kUnknown, kTextLimit),
});
const figure = (key, label, width, say, {read = (row) => row[key], title} = {}) => ({
  key, label, width, numeric: true, title, value: read, show: (cell, row) => setText(cell, say(read(row) ?? null)),
});
const seconds = (key, label, width, title) => figure(`${key}_seconds`, label, width, duration, {title});
const rate = (key, label, width, title) => figure(key, label, width, (value) => withUnit(value, '/s'), {title});
const share = (key, label, width, title) => figure(key, label, width, percent, {title});
const size = (key, label, width, title) => figure(key, label, width, bytes, {title});
const path = (label = 'Znode', width = 16) => text('path', label, width);
const session = (key = 'session', label = 'Session') => text(key, label, 11);

const amountOf = (key, label) => ({
  key, label, width: 6.5, numeric: true, value: (row) => row[key], show: (cell, row) => setText(cell, amount(row[key], row.unit)),
});

/** When something was: the time of day and how long ago. */
const moment = (key, label) => ({
  key, label, width: 12, value: (row) => row[key], show: (cell, row) => {
    const at = Date.parse(row[key]);
    if (Number.isNaN(at)) {
      setForeign(cell, row[key] ?? kUnknown, kTextLimit);
      return;
    }
    if (cell.lastElementChild?.tagName !== 'TIME') cell.replaceChildren(el('span', {class: 'at'}), ' ', el('time'));
    setText(cell.firstElementChild, clockTime(at));
    setTime(cell.lastElementChild, row[key]);
  },
});

/** How much of what a client takes in one reply. */
const ofReply = (read) => ({
  key: 'of_reply', label: 'Of a reply', width: 7, numeric: true, title: 'Share of the largest reply that clients take (jute.maxbuffer)',
  value: (row) => read(row) / row.most, show: (cell, row) => {
    const part = row.most > 0 ? read(row) / row.most : null;
    const level = part === null ? 'unknown' : part >= 1 ? 'critical' : part >= kLargeReply ? 'warning' : 'ok';
    setAttribute(cell, 'data-severity', level);
    showMark(cell, severityIcon(level), percent(part));
  },
});

// Rows

/** One row for each path of the two lists. */
function hottest({requests}) {
  const found = new Map();
  const add = (list, kind) => list.forEach((hot) => {
    const row = found.get(hot.path) ?? {path: hot.path, reads: null, of_reads: null, changes: null, of_changes: null};
    found.set(hot.path, {...row, [kind]: hot.a_second, [`of_${kind}`]: hot.share});
  });
  add(requests.hottest_reads, 'reads');
  add(requests.hottest_writes, 'changes');
  const most = (row) => Math.max(row.of_reads ?? 0, row.of_changes ?? 0);
  return [...found.values()].sort((a, b) => most(b) - most(a));
}

const keyOfTalker = (row) => `${row.address}:${row.port} ${row.session}`;

/** One row for each connection of the two lists. */
function talkers({clients}) {
  const found = new Map([...clients.busiest_by_requests, ...clients.busiest_by_bytes].map((row) => [keyOfTalker(row), row]));
  return [...found.values()];
}

const besideReply = (rows, {znodes}) => rows.map((row) => ({...row, most: znodes.packet_max_bytes}));

// Words

const walked = ({age_seconds: age, took_seconds: took}) =>
    (age === null ? 'The first walk has not ended yet.' : `Found ${ago(age)}${took > 0 ? ` by a walk of ${duration(took)}` : ''}.`);
/** Before the first walk nothing is known; after it the list is empty because there is nothing. */
const noneOf = (survey, nothing) => (survey.age_seconds === null ? walked(survey) : `${nothing} ${walked(survey)}`);

function meanwhile(row) {
  const jobs = [row.during_snapshot ? 'snapshot' : null, row.during_purge ? 'purge' : null].filter(Boolean);
  return jobs.length === 0 ? null : jobs.join(', ');
}

function serverMeanwhile({server_stood_still_seconds: still, longest_slow_sync_seconds: sync}) {
  const said = [still > 0 ? `stood still ${duration(still)}` : null, sync > 0 ? `synced ${duration(sync)}` : null].filter(Boolean);
  return said.length === 0 ? 'nothing notable' : said.join(', ');
}

function showWhere(cell, row) {
  const stages = stagesOf(row);
  if (stages.length === 0) {
    setText(cell, kUnknown);
    return;
  }
  if (!cell.firstElementChild) cell.replaceChildren(makeBar(), el('span'));
  updateBar(cell.firstElementChild, stages, stagesText(stages));
  setAttribute(cell, 'title', stagesText(stages));
  setText(cell.lastElementChild, longestText(stages));
}

/**
 * {name, title, size, columns, keyOf, rows(inside), said(inside), none(inside)}: `said` stands above the rows, `none` in
 * their place. `bar` puts the stages of the mean write above them.
 */
export const lists = [
  {
    name: 'limits', title: 'Limits', size: 'half', keyOf: (row) => row.limit, rows: limitsOf,
    said: () => 'When each is reached, if it goes on growing as of late.', none: () => 'The server tells none of its limits.',
    rowShown: (node, row) => setAttribute(node, 'data-limit', row.limit),
    columns: [
      {key: 'limit', label: 'Limit', width: 17, value: (row) => limitWord(row.limit), show: (cell, row) => {
        setAttribute(cell, 'data-severity', row.level);
        showMark(cell, severityIcon(row.level), limitWord(row.limit));
      }},
      share('share', 'Share', 5),
      {key: 'left', label: 'Reached', width: 8, numeric: true, title: 'At the growth of late; a dash: not growing, or not known',
       value: (row) => row.seconds_left, show: (cell, row) => setText(cell, leftText(row) || kUnknown)},
      amountOf('used', 'Now'), amountOf('bound', 'Bound'),
      text('about', 'Which', 10),
    ],
  },
  {
    name: 'quiet', title: 'Sessions about to expire', size: 'half', keyOf: (row) => row.session, rows: ({sessions}) => sessions.quiet,
    said: ({sessions}) => walked(sessions.survey), none: ({sessions}) => noneOf(sessions.survey, 'No session has used two thirds of its timeout.'),
    columns: [
      session(), text('address', 'Client', 10), seconds('silence', 'Silence', 6), seconds('timeout', 'Timeout', 6),
      figure('used', 'Used', 5, percent, {read: (row) => row.silence_seconds / row.timeout_seconds, title: 'Share of the timeout'}),
    ],
  },
  {
    name: 'stages', title: 'Where the time of a write goes', size: 'whole', bar: true, keyOf: (row) => row.name,
    rows: () => (meanWrite()?.stages ?? []).map((stage, index) => ({...stage, index})),
    said: () => meanText(meanWrite()), none: () => meanText(null),
    columns: [
      {key: 'stage', label: 'Stage', width: 10, value: (row) => row.name, order: (row) => row.index, show: (cell, row) => showStage(cell, row, row.index)},
      figure('seconds', 'Mean', 6, duration),
      share('share', 'Share', 5),
      text('meaning', 'What it is, and what makes it long', 40, (row) => kStageMeaning[row.name] ?? null),
    ],
  },
  {
    name: 'slowest', title: 'Slowest requests', size: 'whole', keyOf: (row) => `${row.session} ${row.zxid} ${row.operation} ${row.answered}`,
    rows: ({requests}) => requests.slowest,
    said: ({requests}) => `Of the last ten minutes; from ${duration(requests.slow_from_seconds)} on a request counts as slow now.`,
    none: () => 'No request of the last ten minutes is known to have been slow.',
    columns: [
      text('operation', 'Operation', 8), path(), seconds('latency', 'Latency', 6),
      {key: 'where', label: 'Where it went', width: 14, value: (row) => longestText(stagesOf(row)) || null, show: showWhere},
      figure('transactions_before', 'Before it', 6, number, {title: 'Transactions in flight when it arrived'}),
      text('meanwhile', 'Meanwhile', 7, meanwhile), moment('answered', 'Answered'), session(),
      {...text('zxid', 'Zxid', 8), order: (row) => hexadecimal(row.zxid)},
    ],
  },
  {
    name: 'hottest', title: 'Hottest znodes', size: 'half', keyOf: (row) => row.path, rows: hottest,
    said: ({requests}) => `Over about half a minute; ${withUnit(requests.reads_a_second, '/s')} reads and ${withUnit(requests.changes_a_second, '/s')} changes of all znodes.`,
    none: () => 'No znode was asked for within the last half minute.',
    columns: [
      path(), rate('reads', 'Reads', 6), share('of_reads', 'Of all', 5, 'Share of all reads'),
      rate('changes', 'Changes', 6), share('of_changes', 'Of all', 5, 'Share of all changes'),
    ],
  },
  {
    name: 'herds', title: 'Changes that woke many', size: 'half', keyOf: (row) => `${row.path}\n${row.event}`, rows: ({watches}) => watches.largest_fan_outs,
    said: () => 'The largest of the last hour.', none: () => 'No change of the last hour woke several watchers.',
    columns: [
      path(), text('event', 'Change', 9, (row) => watchEventWord(row.event)), figure('watchers', 'Woken', 6, exact, {title: 'Watchers told at once, at most'}),
      figure('times', 'Times', 5, exact, {title: 'Changes with several watchers'}), moment('at', 'Largest'),
    ],
  },
  {
    name: 'locks', title: 'Locks and their queues', size: 'half', keyOf: (row) => row.path, rows: ({znodes}) => znodes.locks,
    said: ({znodes}) => walked(znodes.survey), none: ({znodes}) => noneOf(znodes.survey, 'No znode is used as a lock.'),
    columns: [
      path('Lock'), figure('contenders', 'In the queue', 8, exact, {title: 'The first of them holds it, the others wait'}),
      session('holder', 'Held by'), moment('held_since', 'Since'),
    ],
  },
  {
    name: 'watched', title: 'Most watched znodes', size: 'half', keyOf: (row) => `${row.path}\n${row.kind}`, rows: ({watches}) => watches.most_watched,
    said: ({watches}) => walked(watches.survey), none: ({watches}) => noneOf(watches.survey, 'Nobody watches a znode.'),
    columns: [path(), text('kind', 'Watched', 8, (row) => watchKindWord(row.kind)), figure('watchers', 'Watchers', 7, exact)],
  },
  {
    name: 'large', title: 'Largest znodes', size: 'half', keyOf: (row) => row.path, rows: (inside) => besideReply(inside.znodes.largest, inside),
    said: ({znodes}) => walked(znodes.survey), none: ({znodes}) => noneOf(znodes.survey, 'No znode has data.'),
    columns: [path(), size('bytes', 'Data', 7), ofReply((row) => row.bytes)],
  },
  {
    name: 'wide', title: 'Largest lists of children', size: 'half', keyOf: (row) => row.path, rows: (inside) => besideReply(inside.znodes.largest_child_lists, inside),
    said: ({znodes}) => walked(znodes.survey), none: ({znodes}) => noneOf(znodes.survey, 'No znode has children.'),
    columns: [path(), figure('children', 'Children', 6, exact), size('reply_bytes', 'Reply', 7, 'Of getChildren'), ofReply((row) => row.reply_bytes)],
  },
  {
    name: 'subtrees', title: 'Largest subtrees', size: 'half', keyOf: (row) => row.path, rows: ({znodes}) => znodes.largest_subtrees,
    said: ({znodes}) => walked(znodes.survey), none: ({znodes}) => noneOf(znodes.survey, 'There are no subtrees.'),
    columns: [path(), figure('znodes', 'Znodes below', 8, exact)],
  },
  {
    name: 'talkers', title: 'Busiest clients', size: 'half', keyOf: keyOfTalker, rows: talkers,
    said: ({clients}) => walked(clients.survey), none: ({clients}) => noneOf(clients.survey, 'No client asks for anything.'),
    columns: [
      {key: 'client', label: 'Client', width: 13, value: (row) => `${row.address}:${row.port}`}, session(),
      rate('requests_a_second', 'Requests', 7), figure('bytes_a_second', 'Bytes', 8, (value) => (value === null ? kUnknown : `${bytes(Math.round(value))}/s`), {title: 'In both directions'}),
    ],
  },
  {
    name: 'expired', title: 'Why sessions expired', size: 'whole', keyOf: (row) => `${row.session} ${row.expired}`, rows: ({sessions}) => sessions.expired,
    said: ({sessions}) => `The newest ${exact(sessions.expired.length)}.`, none: () => 'No session is known to have expired.',
    columns: [
      moment('expired', 'Expired'), text('cause', 'Cause', 11, (row) => expiryCauseWord(row.cause)), text('conclusion', 'Conclusion', 28),
      text('address', 'Client', 9), session(), seconds('timeout', 'Timeout', 6), seconds('silence', 'Silence', 6, 'Since its last packet'),
      seconds('longest_gap_before', 'Gap before', 7, 'The longest between two packets before that'),
      seconds('without_connection', 'Without', 6, 'Time without a connection; a dash: it had one'),
      {...text('server', 'The server meanwhile', 15, serverMeanwhile, 'How long of the silence it stood still, and its longest slow sync'),
       order: (row) => Math.max(row.server_stood_still_seconds, row.longest_slow_sync_seconds)},
      figure('ephemerals_removed', 'Ephemerals', 7, exact),
    ],
  },
];

const byWord = (counts, word, say = exact) => Object.entries(counts).map(([name, value]) => ({word: word(name), value: say(value)}));

/** Groups of {word, value}. */
export const figures = ({requests, sessions, clients, limits_hit: hit, memory_bytes: memory, longest_wake_up_seconds: wakeUp}) => [
  {title: 'Sessions by share of timeout used', entries: byWord(sessions.by_timeout_used, timeoutUsedWord)},
  {title: 'Sessions', entries: [
    {word: 'Alive', value: exact(sessions.alive)},
    {word: 'Heard of again after two thirds of the timeout', value: exact(sessions.near_misses)},
    {word: 'Would expire together, at most', value: exact(sessions.expiry_bucket_most)},
    {word: 'Times at which sessions may expire', value: exact(sessions.expiry_buckets)},
  ]},
  {title: 'Expired, by cause', entries: byWord(sessions.expiries, expiryCauseWord)},
  {title: 'Connections by state', entries: byWord(clients.by_state, connectionWord)},
  {title: 'Limits hit', entries: byWord(hit, limitHitWord)},
  {title: 'Memory by part', entries: byWord(memory, memoryWord, bytes)},
  {title: 'Core thread', entries: [
    {word: 'Longest wake-up of the last minutes', value: duration(wakeUp)},
    {word: 'Writes', value: exact(requests.writes)},
  ]},
];
