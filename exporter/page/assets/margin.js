// The quorum margin: how many more voters may fail. The number that decides whether one may sleep on.

import {el, part, reconcile, role, setAttribute, setText} from './dom.js';
import {duration, plural} from './format.js';
import {blind, model, on, shown, silence} from './model.js';

const kPipsMax = 15;

function meaning(ensemble) {
  const margin = ensemble.quorum.margin;
  if (ensemble.quorum.voters === 0) return 'nothing is known of the voters yet';
  if (!ensemble.serving && margin >= 0) return 'to spare, yet no client is served';
  if (ensemble.standalone) return 'a single server: its failure stops service';
  if (margin < 0) return `no quorum: ${plural(-margin, 'more voter')} must be in sync`;
  if (margin === 0) return 'the next failure stops service';
  return margin === 1 ? 'more voter may fail' : 'more voters may fail';
}

function update() {
  const section = part('margin');
  const ensemble = shown();
  const value = role(section, 'value');
  if (!ensemble || blind()) {
    const known = ensemble && model.status !== null;
    setAttribute(section, 'data-state', known ? 'stale' : blind() ? 'broken' : model.status === null ? 'loading' : 'empty');
    setAttribute(section, 'data-level', 'unknown');
    setText(value, '?');
    setText(role(section, 'meaning'), known ? `was ${ensemble.quorum.margin}, ${duration(Math.round(silence()))} ago` : 'not known yet');
    setText(role(section, 'count'), 'Voters in sync: not known');
    reconcile(role(section, 'pips'), [], (each) => each, () => null, () => {});
    return;
  }
  const {voters, majority, in_sync: inSync, margin} = ensemble.quorum;
  setAttribute(section, 'data-state', 'ready');
  setAttribute(section, 'data-level', !ensemble.serving || margin < 0 ? 'critical' : margin === 0 && !ensemble.standalone ? 'warning' : 'ok');
  setText(value, String(margin));
  setText(role(section, 'meaning'), meaning(ensemble));
  setText(role(section, 'count'), `${inSync} of ${plural(voters, 'voter')} in sync, ${majority} needed`);
  const pips = [...Array(Math.min(voters, kPipsMax)).keys()];
  reconcile(role(section, 'pips'), pips, (index) => index, () => el('span', {class: 'pip'}), (pip, index) => {
    setAttribute(pip, 'data-on', index < inSync ? 'true' : 'false');
    setAttribute(pip, 'data-needed', index < majority ? 'true' : 'false');
  });
}

export function startMargin() {
  on('status link route tick', update);
}
