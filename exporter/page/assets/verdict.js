// The verdict: what is the matter in a sentence, why, and what to do. All open problems stand beside it; the worst is
// explained unless another one is chosen.

import {el, icon, part, reconcile, role, setAttribute, setForeign, setHidden, setIcon, setText, visible} from './dom.js';
import {clockTime, duration, plural} from './format.js';
import {severityShown} from './link.js';
import {blind, model, on, shown, silence} from './model.js';
import {severityIcon, severityWord} from './words.js';

const kSentenceLimit = 600;
const kExplanationLimit = 1200;
// From so many characters on the sentence is set smaller, so that all of it can be seen at once.
const kLong = 110;
const kVeryLong = 230;

let chosen = null;
let announced = '';

const keyOf = (problem) => `${problem.id}\n${problem.members.join('\n')}\n${problem.runbook}\n${problem.id === 'configuration_drift' || problem.id === 'unlisted_member' ? problem.summary : ''}`;

const runbookPath = (name) => `/runbooks/${encodeURIComponent(name)}`;

/** What is said while there is no word: the age of the last one, and what can be done from here. */
function silent() {
  if (model.status === null)
    return {
      sentence: 'Watchkeeper does not answer this page.',
      cause: 'No answer has come since the page was opened.',
      remedy: 'Check that the watching process runs and that its port can be reached from here. The page tries again by itself.',
      runbook: 'ZooKeeperExporterDown',
    };
  if (model.status.snapshot.stale && model.link !== 'broken')
    return {
      sentence: model.status.verdict,
      cause: 'Watchkeeper answers, but what it says has stopped changing: its watcher hangs.',
      remedy: 'Look at the members themselves until then; restart the watching process and keep its log.',
      runbook: 'ZooKeeperExporterStale',
    };
  return {
    sentence: `No word from Watchkeeper for ${duration(Math.round(silence()))}: what holds now is not known.`,
    cause: `The last word is of ${clockTime(Date.parse(model.status.snapshot.time))}. The watching process has stopped, or ` +
        'the network between it and this browser is broken. The ensemble itself may be well.',
    remedy: 'Check that the watching process runs and that its port can be reached from here. The page reconnects by itself.',
    runbook: 'ZooKeeperExporterDown',
  };
}

function calmCause(ensemble) {
  if (ensemble.standalone) return 'The only server answers. It stands alone: there is no quorum that could outlive it.';
  const rounds = ensemble.canary.mode === 'off' ? '' : ensemble.canary.rounds_ok > 0
      ? ' Client operations succeed.' : ' No client operation has been tried yet.';
  return `${ensemble.quorum.in_sync} of ${ensemble.quorum.voters} voters are in sync in epoch ${ensemble.leader.epoch ?? '?'}.${rounds}`;
}

function calmRemedy(ensemble) {
  const safe = ensemble.members.filter((member) => member.safe_to_stop.safe).length;
  if (safe === 0) return 'Nothing. No member may be stopped now without stopping service.';
  return `Nothing. For maintenance, ${safe === ensemble.members.length ? 'any member' : `any of ${plural(safe, 'member')}`} ` +
      'may be stopped now, one at a time, the leader last.';
}

/** What stands in the verdict of one ensemble. */
function ofEnsemble(ensemble) {
  const problem = ensemble.problems.find((each) => keyOf(each) === chosen) ?? ensemble.problems[0];
  return {
    sentence: ensemble.verdict,
    cause: problem ? problem.cause : calmCause(ensemble),
    remedy: problem ? problem.remedy : calmRemedy(ensemble),
    runbook: problem?.runbook ?? null,
  };
}

/** What stands in the verdict of all ensembles: the worst problem of the worst ensemble explains it. */
function ofAll(status) {
  const rank = {critical: 3, warning: 2, info: 1, ok: 0};
  const worst = [...status.ensembles].sort((a, b) => rank[b.status] - rank[a.status])[0];
  const problem = worst?.problems[0];
  if (!problem)
    return {sentence: status.verdict, cause: 'Every ensemble has a quorum with a leader.', remedy: 'Nothing.', runbook: null};
  return {
    sentence: status.verdict,
    cause: `${worst.name}: ${problem.summary} (${problem.cause})`,
    remedy: problem.remedy,
    runbook: problem.runbook,
  };
}

function said() {
  if (blind()) return silent();
  if (model.status === null)
    return {sentence: 'Asking what is known…', cause: 'The first answer is on its way.', remedy: 'Wait a moment.', runbook: null};
  if (model.ensemble === null) return ofAll(model.status);
  const ensemble = shown();
  if (ensemble) return ofEnsemble(ensemble);
  return {
    sentence: `No ensemble called “${visible(model.ensemble).slice(0, 64)}” is watched.`,
    cause: 'The name is not in the configuration, or it was removed from it.',
    remedy: 'Choose one from the list of all ensembles.',
    runbook: null,
  };
}

function makeProblem(problem) {
  const key = keyOf(problem);
  return el('li', {},
            el('button', {type: 'button', on: {click: () => {
              chosen = key;
              update();
            }}}, icon(severityIcon(problem.severity)), el('span', {class: 'visually-hidden'}), el('span', {class: 'foreign'})),
            el('a', {class: 'runbook', href: runbookPath(problem.runbook), title: `Runbook ${problem.runbook}`,
                     'aria-label': `Runbook ${problem.runbook}`}, icon('book')));
}

function updateProblem(node, problem, selected) {
  const [button] = node.children;
  const [, word, text] = button.children;
  setAttribute(node, 'data-severity', problem.severity);
  setAttribute(node, 'data-problem', problem.id);
  setIcon(button, severityIcon(problem.severity));
  setText(word, `${severityWord(problem.severity)}: `);
  setForeign(text, problem.summary, 300);
  setAttribute(button, 'aria-pressed', selected ? 'true' : 'false');
}

function updateProblems(section) {
  const ensembles = blind() || model.status === null ? [] : model.ensemble === null ? model.status.ensembles : [shown()].filter(Boolean);
  const list = role(section, 'problems');
  const all = model.ensemble === null
      ? ensembles.filter((each) => each.problems.length > 0).map((each) => ({...each.problems[0], summary: `${each.name}: ${each.verdict}`, members: [each.name]}))
      : ensembles.flatMap((each) => each.problems);
  const selected = all.find((each) => keyOf(each) === chosen) ?? all[0];
  reconcile(list, all, keyOf, makeProblem, (node, problem) => updateProblem(node, problem, problem === selected));
  setText(role(section, 'problems-title'), all.length === 0 ? 'Open problems' : `Open problems (${all.length})`);
  const calm = role(section, 'calm');
  setHidden(list, all.length === 0);
  setHidden(calm, all.length > 0);
  setText(calm, blind() ? 'Not known while there is no word.' : model.status === null ? 'Nothing is known yet.' : 'None.');
}

function update() {
  const section = part('verdict');
  const severity = severityShown();
  const text = said();
  setAttribute(section, 'data-state', model.status === null && !blind() ? 'loading' : blind() ? (model.status === null ? 'broken' : 'stale') : 'ready');
  setAttribute(section, 'data-severity', severity);
  const badge = role(section, 'severity');
  setIcon(badge, severityIcon(severity));
  setText(badge.lastElementChild, severityWord(severity));
  setForeign(role(section, 'title'), model.ensemble ?? (model.status === null ? 'Watchkeeper' : 'All ensembles'), 64);
  const sentence = role(section, 'sentence');
  setForeign(sentence, text.sentence, kSentenceLimit);
  setAttribute(sentence, 'data-length', text.sentence.length > kVeryLong ? 'very-long' : text.sentence.length > kLong ? 'long' : null);
  // What may need scrolling must be reachable by keyboard.
  setAttribute(sentence, 'tabindex', text.sentence.length > kLong ? '0' : null);
  setForeign(role(section, 'cause'), text.cause, kExplanationLimit);
  setForeign(role(section, 'remedy'), text.remedy, kExplanationLimit);
  const link = role(section, 'runbook');
  setHidden(link, text.runbook === null);
  if (text.runbook !== null) {
    setAttribute(link, 'href', runbookPath(text.runbook));
    setText(link.lastElementChild, `Runbook ${text.runbook}`);
  }
  updateProblems(section);
  // A screen reader hears a change of what is the matter, not every second of how long.
  const ensemble = shown();
  const matter = `${severity} ${(ensemble?.problems ?? []).map((each) => keyOf(each)).join()} ${blind()}`;
  if (matter !== announced && model.status !== null) {
    announced = matter;
    setText(role(section, 'announcement'), `${severityWord(severity)}: ${visible(text.sentence).slice(0, kSentenceLimit)}`);
  }
}

export function startVerdict() {
  on('status link route tick', update);
}
