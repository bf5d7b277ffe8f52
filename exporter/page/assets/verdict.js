// The verdict: what is the matter in a sentence, why, and what to do. All open problems stand beside it; the worst is
// explained unless another one is chosen.

import {el, icon, part, reconcile, role, setAttribute, setForeign, setHidden, setIcon, setText, visible} from './dom.js';
import {clockTime, duration, plural} from './format.js';
import {severityShown} from './link.js';
import {blind, model, on, shown, silence} from './model.js';
import {severityIcon, severityRank, severityWord} from './words.js';

const kSentenceLimit = 600;
const kExplanationLimit = 1200;
// From so many characters on the sentence is set smaller, so that all of it can be seen at once.
const kLong = 110;
const kVeryLong = 230;

let chosen = null;
let announced = '';

/** Problems of which one member has several: their summary is part of what they are. That of others tells how long. */
const isOneOfSeveral = (id) => ['configuration_drift', 'unlisted_member'].includes(id) || id.startsWith('source_');
const keyOf = ({id, members, runbook, summary}) => `${id}\n${members.join('\n')}\n${runbook}\n${isOneOfSeveral(id) ? summary : ''}`;

/** The problem that is explained: the one that was chosen, else the worst. */
const explained = (problems) => problems.find((each) => keyOf(each) === chosen) ?? problems[0];

const runbookPath = (name) => `/runbooks/${encodeURIComponent(name)}`;

/** Who answers in Watchkeeper's place, and what helps; null when nobody does. */
function inItsPlace() {
  const {refusal} = model;
  if (refusal === null) return null;
  if (refusal === 'no document') return {who: 'Something answers with a page of its own in its place, perhaps to sign in.', remedy: 'Load this page again, and sign in when asked to.'};
  if (refusal === 401 || refusal === 403) return {who: `Something answers ${refusal} in its place: sign in again.`, remedy: 'Load this page again, and sign in when asked to.'};
  if (refusal >= 500) return {who: `A proxy answers ${refusal} in its place.`, remedy: 'Check that the watching process runs and that the proxy reaches it. The page tries again by itself.'};
  return {who: `Something answers ${refusal} in its place.`, remedy: 'Look at what stands between this browser and the watching process. The page tries again by itself.'};
}

/** What is said while there is no word: the age of the last one, and what can be done from here. */
function silent() {
  const instead = inItsPlace();
  if (model.status === null)
    return {
      sentence: 'Watchkeeper does not answer this page.',
      cause: instead?.who ?? 'No answer has come since the page was opened.',
      remedy: instead?.remedy ?? 'Check that the watching process runs and that its port can be reached from here. The page tries again by itself.',
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
    cause: `The last word is of ${clockTime(Date.parse(model.status.snapshot.time))}. ` +
        `${instead?.who ?? 'The watching process has stopped, or the network between it and this browser is broken.'} The ensemble itself may be well.`,
    remedy: instead?.remedy ?? 'Check that the watching process runs and that its port can be reached from here. The page reconnects by itself.',
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

/** Before all members were visited, an ensemble may be down without a problem that says why. */
const isCalm = (status) => status === 'ok' || status === 'info';
const kUnvisited = {cause: 'Not every member has been visited yet.', remedy: 'Wait a moment.', runbook: null};

/** What stands in the verdict of one ensemble. */
function ofEnsemble(ensemble) {
  const problem = explained(ensemble.problems);
  if (problem) return {sentence: ensemble.verdict, cause: problem.cause, remedy: problem.remedy, runbook: problem.runbook};
  if (!isCalm(ensemble.status)) return {sentence: ensemble.verdict, ...kUnvisited};
  return {sentence: ensemble.verdict, cause: calmCause(ensemble), remedy: calmRemedy(ensemble), runbook: null};
}

/** The first problem of each ensemble that has some, the worst ensemble first. */
function firstProblems({ensembles}) {
  return ensembles.filter((each) => each.problems.length > 0)
      .sort((a, b) => severityRank[a.status] - severityRank[b.status])
      .map(({name, verdict, problems: [first]}) => ({
        ...first, summary: `${name}: ${verdict}`, members: [name], cause: `${name}: ${first.summary} (${first.cause})`}));
}

/** What stands in the verdict of all ensembles. */
function ofAll(status) {
  const problem = explained(firstProblems(status));
  if (problem) return {sentence: status.verdict, cause: problem.cause, remedy: problem.remedy, runbook: problem.runbook};
  if (!isCalm(status.status)) return {sentence: status.verdict, ...kUnvisited};
  return {sentence: status.verdict, cause: 'Every ensemble has a quorum with a leader.', remedy: 'Nothing.', runbook: null};
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
  const list = role(section, 'problems');
  const all = blind() || model.status === null ? [] : model.ensemble === null ? firstProblems(model.status) : shown()?.problems ?? [];
  const selected = explained(all);
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
