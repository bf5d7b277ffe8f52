// Building and changing the document. Text goes in through text nodes only; nothing here parses markup.
//
// Every setter compares before it writes, so that an update of a second in which nothing changed costs no layout
// and disturbs neither selection nor a screen reader.

const kSvg = 'http://www.w3.org/2000/svg';

// Controls and marks that reverse the direction of text: shown as what they are, so that they cannot rearrange a line.
const kInvisible = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const kTitleLimit = 2000;

/** Text as it may be shown: invisible characters become their code. Every setter below does it. */
export const visible = (text) =>
    String(text).replace(kInvisible, (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);

/** Attributes that people read or hear. */
const kSpoken = new Set(['title', 'aria-label']);
const attributeText = (name, value) => (value === true ? '' : kSpoken.has(name) ? visible(value) : String(value));

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') node.textContent = visible(value);
    else if (name === 'on') for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    else node.setAttribute(name, attributeText(name, value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element; `text` sets its text, `on` its listeners, everything else is an attribute. */
export const el = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => build(document.createElementNS(kSvg, tag), attributes, children);

/** A symbol of index.html; decoration only, the word stands beside it. */
export const icon = (name) =>
    svg('svg', {class: 'icon', 'aria-hidden': 'true', focusable: 'false'}, svg('use', {href: `#i-${name}`}));

export function setIcon(holder, name) {
  const use = holder.querySelector('use');
  if (use.getAttribute('href') !== `#i-${name}`) use.setAttribute('href', `#i-${name}`);
}

export const part = (name) => document.querySelector(`[data-part=${name}]`);
export const role = (within, name) => within.querySelector(`[data-role="${name}"]`);

export function setText(node, shown) {
  const text = visible(shown);
  const only = node.firstChild;
  if (only !== null && only === node.lastChild && only.nodeType === Node.TEXT_NODE) {
    if (only.data !== text) only.data = text;
  } else if (only !== null || text !== '') {
    node.textContent = text;
  }
}

export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const text = attributeText(name, value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** Sets text that a member supplied: isolated from the line around it, cut at `limit`, in full as the title. */
export function setForeign(node, text, limit = 120) {
  const full = visible(text);
  const cut = full.length > limit;
  setText(node, cut ? `${full.slice(0, limit - 1)}…` : full);
  setAttribute(node, 'title', cut ? full.slice(0, kTitleLimit) : null);
  setAttribute(node, 'dir', 'auto');
  if (!node.classList.contains('foreign')) node.classList.add('foreign');
}

const kept = new WeakMap();

/**
 * Makes the children of `parent` show `items` in order: an element is made once a key, updated in place, moved only
 * when its place changed, and removed with its item. What the browser does after the script costs by the elements that
 * are new to their place: no more than `most` are, the first of them. Returns whether all are where they belong; when not,
 * the others are not made yet or stay where they were, and a next call goes on.
 */
export function reconcile(parent, items, keyOf, make, update, most = Infinity) {
  let nodes = kept.get(parent);
  if (!nodes) kept.set(parent, nodes = new Map());
  const wanted = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!wanted.has(key)) wanted.set(key, item);
  }
  for (const [key, node] of nodes)
    if (!wanted.has(key)) {
      node.remove();
      nodes.delete(key);
    }
  let left = most;
  let place = parent.firstElementChild;
  for (const [key, item] of wanted) {
    let node = nodes.get(key);
    if (node !== undefined && node === place) {
      place = place.nextElementSibling;
    } else if (--left >= 0) {
      if (!node) nodes.set(key, node = make(item));
      parent.insertBefore(node, place);
    }
    if (node) update(node, item);
  }
  return left >= 0;
}

/** The state of a part with the words that explain it; the words are seen only while it is not "ready". */
export function setState(section, state, message = '') {
  setAttribute(section, 'data-state', state);
  const line = role(section, 'message');
  if (line) {
    setText(line, message);
    setHidden(line, message === '');
  }
}
