// A table that can be sorted and filtered and that keeps its rows: an update changes texts in place.
//
// The order is decided when a heading is pressed, the filter changes, or rows come and go; never because a number moved,
// so that no row runs away from under the eye. Widths are fixed by the columns.

import {el, icon, reconcile, setAttribute, setForeign, setHidden, setIcon, setText} from './dom.js';
import {alone, model, on} from './model.js';
import {isInView} from './router.js';

const kRowsAFrame = 20;  // What a browser does for a row after the script: a tenth to half a millisecond.

const collator = new Intl.Collator('en', {numeric: true, sensitivity: 'base'});

const known = (value) => value !== null && value !== undefined && value !== '';

/** What is not known comes last, whichever way is sorted. */
function compare(a, b, direction) {
  if (!known(a) || !known(b)) return Number(!known(a)) - Number(!known(b));
  const order = typeof a === typeof b && typeof a !== 'string' ? Number(a > b) - Number(a < b) : collator.compare(String(a), String(b));
  return direction * order;
}

/** A number written as "0x1a", for sorting: it may have more digits than a double; null when it is none. */
export function hexadecimal(text) {
  return /^0x[0-9a-f]+$/i.test(text) ? BigInt(text) : null;
}

/**
 * columns: {key, label, width (em), numeric, value(row) for filtering and sorting, order(row) where sorting differs,
 * show(cell, row)}; the first is the row's heading. Without show, the value is shown as text of a member.
 */
export class Table {
  constructor(section, {name, label, columns, jsonOf, keyOf, tools = []}) {
    this.columns = columns;
    this.keyOf = keyOf;
    this.rows = [];
    this.order = [];
    this.sort = null;
    this.needle = '';
    this.grow = () => this.render();
    this.wake = () => this.wakeSome();
    this.spell = () => this.spellSome();
    this.asleep = false;
    this.header = section.querySelector('header');
    this.filter = el('input', {type: 'search', 'data-filter': name, placeholder: 'Filter', 'aria-label': `Filter ${label}`,
                               on: {input: () => this.setFilter(this.filter.value)}});
    this.full = el('input', {type: 'checkbox', on: {change: this.spell}});
    this.json = el('a', {class: 'json', 'data-role': 'json', href: '#', text: 'JSON'});
    this.jsonOf = jsonOf;
    this.count = el('span', {class: 'count'});
    this.header.append(this.count, ...tools, el('label', {class: 'check'}, this.full, 'Full text'), this.filter, this.json);
    this.body = el('tbody');
    this.head = el('tr');
    this.group = el('colgroup');
    this.table = el('table', {'data-table': name, 'aria-label': label}, this.group, el('thead', {}, this.head), this.body);
    this.none = el('p', {class: 'message', hidden: true});
    this.box = el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${label}, table`}, this.table, this.none);
    section.append(this.box);
    keepHeight(this.box);
    // A row heading that stays while the rest moves sideways costs a layer a row: only where something can move.
    const widths = new ResizeObserver(() => setAttribute(this.table, 'data-wide', this.table.offsetWidth > this.box.clientWidth));
    widths.observe(this.box);
    widths.observe(this.table);
    this.setColumns(columns);
    this.part = section.closest('[data-part]').dataset.part;
    on('route', () => this.sleepOrWake());
    this.sleepOrWake();
  }

  /** A table that is not in the view hides its rows, and shows them some a frame when it is: all at once are a long task. */
  sleepOrWake() {
    const asleep = !isInView(this.part);
    if (asleep === this.asleep) return;
    this.asleep = asleep;
    if (asleep) for (const row of this.body.children) setHidden(row, true);
    else alone(this.wake);
  }

  wakeSome() {
    if (this.asleep) return;
    const rows = [...this.body.children].filter((row) => row.hidden);
    for (const row of rows.slice(0, kRowsAFrame)) setHidden(row, false);
    if (rows.length > kRowsAFrame) alone(this.wake);
  }

  /** Gives rows the height that their full text takes, or the one line again. */
  spellSome() {
    const rows = [...this.body.children].filter((row) => row.hasAttribute('data-full') !== this.full.checked);
    for (const row of rows.slice(0, kRowsAFrame)) setAttribute(row, 'data-full', this.full.checked);
    if (rows.length > kRowsAFrame) alone(this.spell);
  }

  /** Replaces the columns; cells are made anew only when they differ. */
  setColumns(columns) {
    const key = columns.map((column) => `${column.key}\n${column.label}`).join('\n');
    if (key === this.columnsKey) return;
    this.columnsKey = key;
    this.columns = columns;
    reconcile(this.body, [], (each) => each, () => null, () => {});
    this.group.replaceChildren(...columns.map((column) => {
      const col = el('col');
      col.style.width = `${column.width}em`;
      return col;
    }));
    this.table.style.minWidth = `${columns.reduce((sum, column) => sum + column.width, 0)}em`;
    this.head.replaceChildren(...columns.map((column) => el(
        'th', {scope: 'col', 'data-column': column.key, 'data-numeric': column.numeric, 'aria-sort': 'none'},
        el('button', {type: 'button', title: column.title, on: {click: () => this.press(column.key)}},
           el('span', {text: column.label}), el('span', {class: 'arrow', 'aria-hidden': 'true'})))));
    this.showSort();
  }

  press(key) {
    const column = this.columns.find((each) => each.key === key);
    const first = column.numeric ? -1 : 1;
    if (this.sort?.key !== key) this.sort = {key, direction: first};
    else if (this.sort.direction === first) this.sort.direction = -first;
    else this.sort = null;
    this.showSort();
    this.arrange();
    this.render();
  }

  showSort() {
    for (const th of this.head.children) {
      const direction = this.sort?.key === th.dataset.column ? this.sort.direction : 0;
      setAttribute(th, 'aria-sort', direction === 0 ? 'none' : direction > 0 ? 'ascending' : 'descending');
      setText(th.querySelector('.arrow'), direction === 0 ? '' : direction > 0 ? '▲' : '▼');
    }
  }

  setFilter(text) {
    this.needle = text.trim().toLowerCase();
    // Heard while somebody filters, not whenever rows come and go.
    setAttribute(this.count, 'aria-live', this.needle === '' ? null : 'polite');
    this.arrange();
    this.render();
  }

  /** Shows these rows; `jsonPath` is where they are as JSON. */
  update(rows, jsonPath = null) {
    const keys = rows.map(this.keyOf).join('\n');
    this.rows = rows;
    if (keys !== this.keys || this.needle !== '') {
      this.keys = keys;
      this.arrange();
    }
    if (jsonPath !== null) setAttribute(this.json, 'href', jsonPath);
    this.render();
  }

  arrange() {
    let rows = this.rows;
    if (this.needle !== '')
      rows = rows.filter((row) => this.columns.some((column) => String(column.value(row) ?? '').toLowerCase().includes(this.needle)));
    if (this.sort) {
      const column = this.columns.find((each) => each.key === this.sort.key);
      const read = column?.order ?? column?.value;
      if (read) rows = [...rows].sort((a, b) => compare(read(a), read(b), this.sort.direction));
    }
    this.order = rows.map(this.keyOf);
  }

  render() {
    const byKey = new Map(this.rows.map((row) => [this.keyOf(row), row]));
    const rows = this.order.map((key) => byKey.get(key)).filter(Boolean);
    const all = reconcile(this.body, rows, this.keyOf, () => this.makeRow(), (node, row) => this.updateRow(node, row), kRowsAFrame);
    if (!all) alone(this.grow);
    setText(this.count, this.needle !== '' ? `${rows.length} of ${this.rows.length}` : String(this.rows.length || ''));
    const nothing = rows.length === 0 && this.rows.length > 0;
    setHidden(this.none, !nothing);
    if (nothing) setText(this.none, 'No row matches the filter.');
    setHidden(this.box, this.rows.length === 0 && this.box.style.minHeight === '');
  }

  makeRow() {
    return el('tr', {hidden: this.asleep, 'data-full': this.full.checked}, ...this.columns.map((column, index) =>
        el(index === 0 ? 'th' : 'td', {scope: index === 0 ? 'row' : null, 'data-column': column.key, 'data-numeric': column.numeric})));
  }

  updateRow(node, row) {
    this.columns.forEach((column, index) => {
      const cell = node.children[index];
      if (column.show) column.show(cell, row);
      else setForeign(cell, column.value(row) ?? '—', 200);
    });
    this.rowShown?.(node, row);
  }
}

/** The rows in the order in which the table has them, as long as they are the same ones: no row runs away from under the eye. */
export function steady(table, rows) {
  const place = new Map(table.rows.map((row, index) => [table.keyOf(row), index]));
  if (rows.length !== place.size || !rows.every((row) => place.has(table.keyOf(row)))) return rows;
  return [...rows].sort((a, b) => place.get(table.keyOf(a)) - place.get(table.keyOf(b)));
}

const keepers = [];
let view = '';

/**
 * Lets an element grow and not shrink while the same view is open, so that nothing below it jumps when rows go. Another
 * width begins anew.
 */
export function keepHeight(node) {
  let width = 0, height = 0;
  const observer = new ResizeObserver(([{borderBoxSize: [size]}]) => {
    if (size.blockSize === 0) return;
    if (size.inlineSize !== width) {
      width = size.inlineSize;
      height = 0;
      if (node.style.minHeight !== '') {
        begin();
        return;
      }
    }
    if (size.blockSize <= height) return;
    height = size.blockSize;
    node.style.minHeight = `${height}px`;
  });
  function begin() {
    height = 0;
    node.style.minHeight = '';
    observer.unobserve(node);
    observer.observe(node);
  }
  begin();
  keepers.push(begin);
}

on('route', () => {
  const now = `${model.ensemble}\n${model.table}`;
  if (now === view) return;
  view = now;
  for (const begin of keepers) begin();
});

/** Shows a symbol and a word in a cell. */
export function showMark(cell, symbol, text) {
  if (!cell.firstElementChild) cell.append(icon(symbol), el('span'));
  setIcon(cell, symbol);
  setForeign(cell.lastElementChild, text, 200);
}
