// The ensemble as a picture: a card a member, a line from each follower to the leader it follows.

import {el, icon, part, reconcile, role, setAttribute, setForeign, setIcon, setState, setText, svg} from './dom.js';
import {ago, duration, exact, kUnknown, withUnit} from './format.js';
import {kNode, line, place} from './layout.js';
import {answerAge, blind, changed, isStale, model, on, short, shown, silence} from './model.js';
import {roleIcon, roleWord, stateIcon, stateWord} from './words.js';

const kBehind = 100;  // transactions from which a follower is drawn as behind

let stage, lines, list;
let width = 0;

function makeNode(member) {
  const words = (...classes) => classes.flatMap((name) => [' ', el('span', {class: name})]);  // blanks for who listens
  return el('li', {class: 'node', 'data-member': member.member},
            el('button', {type: 'button', on: {click: () => toggle(member.member)}},
               el('span', {class: 'who'}, icon('unknown'), ...words('name', 'role', 'id')), ' ',
               el('span', {class: 'what'}, icon('unknown'), el('span')), ' ',
               el('span', {class: 'light'}, icon('unsafe'), el('span')), ' ',
               el('span', {class: 'how'})));
}

/** Emphasises one member in picture, charts and tables; again: all alike. */
function toggle(name) {
  model.emphasis = model.emphasis === name ? null : name;
  changed('emphasis');
  update();
}

function how(member, compact) {
  if (isStale(compact)) {
    const age = blind() ? silence() : answerAge(compact);
    if (age === null) return 'never told its numbers';
    // A member without a quorum still answers, but not with numbers.
    return member.state === 'unreachable' || blind() ? `last answer ${ago(age)}` : `no numbers for ${duration(Math.floor(age))}`;
  }
  return `${withUnit(compact.requests_per_second, 'req/s')} · ${withUnit(compact.latency_average_ms, 'ms')}`;
}

function updateNode(node, member) {
  const compact = model.members.get(member.member);
  const known = model.members.size > 0;
  const stale = blind() || (known ? isStale(compact) : member.state === 'unreachable');
  const [button] = node.children;
  const [who, what, light, numbers] = button.children;
  setAttribute(node, 'data-serving', member.state);
  setAttribute(node, 'data-role-in-ensemble', member.role);
  setAttribute(node, 'data-safe', member.safe_to_stop.safe ? 'true' : 'false');
  setAttribute(node, 'data-stale', stale ? 'true' : null);
  setAttribute(node, 'data-emphasis', model.emphasis ? (model.emphasis === member.member ? 'on' : 'off') : null);
  setAttribute(button, 'aria-pressed', model.emphasis === member.member ? 'true' : 'false');
  setIcon(who, roleIcon(member.role));
  setForeign(who.children[1], short(member.member), 60);
  setAttribute(who.children[1], 'title', member.member);
  setText(who.children[2], member.role === 'unknown' ? (member.voter ? 'Voter' : 'Observer') : roleWord(member.role));
  setText(who.children[3], member.id === null ? '' : `id ${member.id}`);
  setIcon(what, blind() ? 'unknown' : stateIcon(member.state));
  const lag = member.lag_transactions;
  const behind = lag !== null && lag >= kBehind ? `, ${exact(lag)} behind` : '';
  setForeign(what.children[1], blind() ? 'Not known' : member.state === 'serving' ? (member.in_sync ? `In sync${behind}` : `Serving, not in sync${behind}`)
      : stateWord(member.state), 40);
  setAttribute(what.children[1], 'title', member.state_reason);
  setText(numbers, known || stale ? how(member, compact) : kUnknown);
  const safe = member.safe_to_stop.safe && !blind();
  setIcon(light, safe ? 'safe' : 'unsafe');
  setAttribute(light, 'data-safe', safe ? 'true' : 'false');
  setText(light.lastElementChild, safe ? 'safe to stop' : 'do not stop');
  setAttribute(light, 'title', blind() ? 'not known while there is no word' : member.safe_to_stop.reason);
}

/** Followers and the leader that each follows, by index. */
function edges(ensemble) {
  const leader = ensemble.members.findIndex((each) => each.member === ensemble.leader.member);
  if (leader < 0) return [];
  return ensemble.members.flatMap((member, index) => {
    if (index === leader || !['follower', 'observer'].includes(member.role)) return [];
    if (!['serving', 'syncing'].includes(member.state)) return [];
    const lag = member.lag_transactions;
    return [{key: `${member.member}>${ensemble.leader.member}`, from: index, to: leader, lag,
             look: member.state === 'syncing' || !member.in_sync ? 'joining' : lag !== null && lag >= kBehind ? 'behind' : 'live',
             observer: member.role === 'observer', member: member.member}];
  });
}

function makeEdge() {
  return svg('g', {}, svg('path', {class: 'wire', 'marker-end': 'url(#arrow)'}),
             svg('g', {class: 'lag'}, svg('rect', {rx: 8, height: 18}), svg('text', {'text-anchor': 'middle', dy: 4})));
}

function updateEdge(node, edge, layout) {
  const {path, label} = line(layout, edge.from, edge.to);
  setAttribute(node, 'data-edge', edge.key);
  setAttribute(node, 'data-look', edge.look);
  setAttribute(node, 'data-observer', edge.observer ? 'true' : null);
  const [wire, lag] = node.children;
  setAttribute(wire, 'd', path);
  // On the rail there is no room for words; the card tells a lag that matters.
  setAttribute(lag, 'visibility', layout.kind === 'column' ? 'hidden' : null);
  const text = edge.look === 'joining' ? 'syncing' : `lag ${exact(edge.lag)}`;
  const size = 14 + 6.4 * text.length;
  setText(lag.children[1], text);
  setAttribute(lag, 'transform', `translate(${label.x.toFixed(1)} ${label.y.toFixed(1)})`);
  setAttribute(lag.children[0], 'width', size.toFixed(0));
  setAttribute(lag.children[0], 'x', (-size / 2).toFixed(1));
  setAttribute(lag.children[0], 'y', -9);
}

function put(node, spot) {
  const transform = `translate(${(spot.x - spot.width / 2).toFixed(1)}px, ${(spot.y - kNode.height / 2).toFixed(1)}px)`;
  if (node.style.transform !== transform) node.style.transform = transform;
  const size = `${spot.width.toFixed(0)}px`;
  if (node.style.width !== size) node.style.width = size;
}

function update() {
  const section = part('picture');
  const ensemble = shown();
  if (!ensemble) {
    const [state, message] = blind() ? ['broken', 'Watchkeeper does not answer; there is nothing to draw.']
        : model.status === null ? ['loading', 'Waiting for the first look at the members…'] : ['empty', 'No such ensemble is watched.'];
    setState(section, state, message);
    reconcile(list, [], (each) => each, () => null, () => {});
    reconcile(lines, [], (each) => each, () => null, () => {});
    return;
  }
  setState(section, blind() ? 'stale' : 'ready');
  if (width === 0) return;
  const layout = place(ensemble.members.length, width, stage.clientHeight);
  setAttribute(section, 'data-layout', layout.kind);
  const height = layout.kind === 'column' ? `${layout.height}px` : '';
  if (list.style.height !== height) list.style.height = height;
  if (lines.parentNode.style.height !== height) lines.parentNode.style.height = height;
  const indexed = ensemble.members.map((member, index) => ({member, spot: layout.nodes[index]}));
  reconcile(list, indexed, (each) => each.member.member, (each) => makeNode(each.member), (node, each) => {
    updateNode(node, each.member);
    put(node, each.spot);
  });
  reconcile(lines, blind() ? [] : edges(ensemble), (edge) => edge.key, makeEdge, (node, edge) => updateEdge(node, edge, layout));
}

export function startPicture() {
  stage = role(part('picture'), 'stage');
  list = el('ul', {class: 'nodes', 'aria-label': 'Members'});
  lines = svg('g');
  stage.append(svg('svg', {class: 'lines', 'aria-hidden': 'true'},
                   svg('defs', {}, svg('marker', {id: 'arrow', viewBox: '0 0 10 10', refX: 8, refY: 5, markerWidth: 7, markerHeight: 7,
                                                  orient: 'auto-start-reverse'}, svg('path', {d: 'M1 1 9 5 1 9z', class: 'arrow'}))),
                   lines), list);
  new ResizeObserver(([entry]) => {
    if (entry.contentRect.width === width) return;
    width = entry.contentRect.width;
    update();
  }).observe(stage);
  on('status members row link route tick', update);
}
