// The inside of the server in brief, beside its picture: what one wants to know before anything else.

import {el, icon, part, reconcile, role, setAttribute, setForeign, setHidden, setIcon, setState, setText} from './dom.js';
import {setTime} from './ages.js';
import {follow, notRenewed} from './detail.js';
import {duration, kUnknown, percent, withUnit} from './format.js';
import {amount, leftText, limitsOf} from './limits.js';
import {blind, hasInside, model, on, toldInside} from './model.js';
import {pathOf} from './router.js';
import {longestText, makeBar, meanWrite, showStage, stagesOf, updateBar} from './stages.js';
import {limitWord, severityIcon, severityWord} from './words.js';

const kLimits = 3;
const kTextLimit = 300;

function updateWrites(box) {
  const mean = meanWrite();
  const [text, when] = role(box, 'writes').children;
  setText(text, mean === null ? 'Nothing has been written yet' : `A write takes ${duration(mean.seconds)}, ${longestText(mean.stages)}`);
  setText(when, mean === null ? '' : mean.over === null ? 'since the start' : `last ${duration(Math.round(mean.over))}`);
  updateBar(box.querySelector('svg.stages'), mean?.stages ?? []);
  reconcile(role(box, 'stages'), (mean?.stages ?? []).map((stage, index) => ({stage, index})), ({stage}) => stage.name,
            () => el('li', {}, el('span', {class: 'name'}), el('span', {class: 'value'})), (node, {stage, index}) => {
    showStage(node.firstElementChild, stage, index);
    setText(node.lastElementChild, duration(stage.seconds));
  });
}

function updateLimits(box, inside) {
  const limits = limitsOf(inside).slice(0, kLimits);
  reconcile(role(box, 'limits'), limits, (limit) => limit.limit,
            () => el('li', {}, icon('unknown'), el('span', {class: 'visually-hidden'}), el('span', {class: 'name'}), el('span', {class: 'value'})),
            (node, limit) => {
    const [, word, name, value] = node.children;
    setAttribute(node, 'data-severity', limit.level);
    setAttribute(node, 'data-limit', limit.limit);
    setIcon(node, severityIcon(limit.level));
    setText(word, `${severityWord(limit.level)}: `);
    setForeign(name, limitWord(limit.limit), 60);
    const left = leftText(limit);
    setText(value, `${percent(limit.share)}${left === '' ? ` of ${amount(limit.bound, limit.unit)}` : `, reached ${left}`}`);
  });
  setHidden(role(box, 'no-limits'), limits.length > 0);
}

/** {what, note, at}: a text, what is said of it, and when it was. */
function hottest({requests}) {
  const [read] = requests.hottest_reads, [write] = requests.hottest_writes;
  if (!read && !write) return {what: null, note: 'No znode is asked for.'};
  const {path, a_second: rate, share} = !write || (read && read.a_second >= write.a_second) ? read : write;
  return {what: path, note: `${withUnit(rate, '/s')}, ${percent(share)} of all ${path === read?.path && rate === read.a_second ? 'reads' : 'changes'}`};
}

function slowest({requests}) {
  const [request] = requests.slowest;
  if (!request) return {what: null, note: 'None in the last ten minutes.'};
  const most = longestText(stagesOf(request));
  return {what: `${request.operation} ${request.path ?? ''}`, note: `${duration(request.latency_seconds)}${most === '' ? '' : `, ${most}`}`, at: request.answered};
}

function expired({sessions}) {
  const [session] = sessions.expired;
  if (!session) return {what: null, note: 'None is known.'};
  return {what: session.conclusion, note: `${session.session ?? 'a session'} of ${session.address ?? 'an address that is not known'}`, at: session.expired};
}

const kFacts = [['slowest', 'Slowest request', slowest], ['expired', 'Newest expired session', expired], ['hottest', 'Hottest znode', hottest]];

function updateFact(node, {what, note, at = null}) {
  const [, text, more, when] = node.children;
  setForeign(text, what ?? kUnknown, kTextLimit);
  setAttribute(text, 'title', what);
  setForeign(more, note, kTextLimit);
  const known = at !== null && !Number.isNaN(Date.parse(at));
  setHidden(when, !known);
  if (known) setTime(when.firstElementChild, at);
}

function build(section) {
  const write = el('div', {class: 'writes'}, el('p', {'data-role': 'writes', title: 'The mean write, and the longest part of it'}, el('span', {class: 'what'}), el('span', {class: 'when'})), makeBar(), el('ul', {class: 'legend', 'data-role': 'stages', 'aria-label': 'Stages of a write'}));
  const facts = kFacts.map(([key, label]) => el('div', {'data-fact': key}, el('dt', {text: label}), el('dd', {class: 'what'}), el('dd', {class: 'note'}),
                                                el('dd', {class: 'when', hidden: true}, el('time'))));
  section.append(
      el('header', {}, el('h2', {text: 'Inside this server'}), el('a', {'data-nav': true, 'data-role': 'more', href: '#', text: 'All of it'})),
      el('p', {class: 'message', 'data-role': 'message', text: 'Waiting for what the server tells of its inside…'}),
      el('div', {class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'The inside in brief', hidden: true, 'data-role': 'told'}, write,
         el('div', {class: 'near'}, el('p', {class: 'note', 'data-role': 'no-limits', text: 'The server tells none of its limits.'}), el('ul', {'data-role': 'limits', 'aria-label': 'Nearest limits'})),
         el('dl', {}, ...facts)));
}

/** Puts the part together and keeps it fresh; its style must be there. */
export function startBrief() {
  const section = part('brief');
  build(section);
  const box = role(section, 'told');
  const update = () => {
    setHidden(section, !hasInside());
    setAttribute(document.documentElement, 'data-inside', hasInside());
    if (model.ensemble !== null) setAttribute(role(section, 'more'), 'href', pathOf(model.ensemble, 'inside'));
    const inside = toldInside();
    setHidden(box, inside === null);
    if (inside === null) {
      if (blind()) setState(section, 'broken', 'The server does not answer; its inside is not known.');
      else setState(section, 'loading', 'Waiting for what the server tells of its inside…');
      return;
    }
    if (blind()) setState(section, 'stale', 'No word: this is the inside of then.');
    else if (model.kept.has('inside')) setState(section, 'stale', 'The server was started anew: this is the inside of before.');
    else setState(section, notRenewed('inside') === '' ? 'ready' : 'stale', notRenewed('inside'));
    updateWrites(box);
    updateLimits(box, inside);
    kFacts.forEach(([key, , read]) => updateFact(box.querySelector(`[data-fact=${key}]`), read(inside)));
  };
  on('inside status link route', update);
  update();
  follow('inside', section);
}
