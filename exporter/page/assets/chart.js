// One chart: a line a member, its legend with the value at the cursor or the newest one, its values as a table.

import {el, reconcile, role, setAttribute, setForeign, setHidden, setText, svg} from './dom.js';
import {clockTime, minuteTime, number, withUnit} from './format.js';
import {past, span, timeOf, values} from './history.js';
import {alone, blind, isStale, model, short, shown} from './model.js';

const kHeight = 136;
const kBridge = 3;      // slots without a value that a line may pass over: a visit that came a little late
const kTableRows = 12;
const kPointsMax = 360;
const kDashes = [[], [7, 3], [2, 3]];
const kColours = 8;

const sync = 'watchkeeper';

/** Colour and dash of the member at `index`; eight colours, then the same dashed. */
export const lookOf = (index) => ({colour: index % kColours, dash: kDashes[Math.floor(index / kColours) % kDashes.length]});

/** What a colour of the design system is now; a probe resolves what the theme makes of it. */
export function colour(name) {
  const probe = document.getElementById('main');
  const before = probe.style.outlineColor;
  probe.style.outlineColor = `var(--${name})`;
  const found = getComputedStyle(probe).outlineColor;
  probe.style.outlineColor = before;
  return found;
}

/**
 * Slots put together, `size` at a time, into points for the library: the worst or the mean of each bucket. null is a gap,
 * undefined is passed over. Buckets begin at multiples of their length, so that a point keeps its value as time moves on.
 */
function points(column, first, count, size, worst) {
  const out = new Array(count).fill(null);
  if (column === null) return out;
  let last = -Infinity;
  for (let i = 0; i < count; ++i) {
    let sum = 0, known = 0, most = -Infinity;
    const begin = first + i * size;
    for (let j = Math.max(0, begin); j < Math.min(begin + size, column.length); ++j) {
      const value = column[j];
      if (Number.isNaN(value)) continue;
      sum += value;
      ++known;
      if (value > most) most = value;
    }
    if (known === 0) continue;
    out[i] = worst ? most : sum / known;
    if (size === 1 && i - last > 1 && i - last - 1 <= kBridge) out.fill(undefined, last + 1, i);
    last = i;
  }
  return out;
}

/** Slots that make one point of a chart that spans so many seconds. */
export const bucketSlots = (seconds) => Math.max(1, Math.ceil(seconds / past.step / kPointsMax));

export class Chart {
  constructor(spec, library, marks, inSight) {
    this.spec = spec;
    this.library = library;
    this.marks = marks;
    this.paintInSight = () => {
      if (inSight(this)) this.paint();
    };
    this.wish = () => alone(this.paintInSight);
    this.outdated = true;  // The plot has to be made anew: other members or colours.
    this.members = [];
    this.cursor = null;
    this.drawnAt = null;
    this.span = past.range;
    this.data = [[]];
    const id = `chart-${spec.key}`;
    this.plot = null;
    this.space = el('div', {class: 'plot', role: 'img', 'aria-labelledby': `${id}-title ${id}-said`});
    this.legend = el('ul', {class: 'legend', 'data-role': 'legend'});
    this.table = el('table');
    this.values = el('details', {on: {toggle: () => this.updateTable()}}, el('summary', {text: 'Values', 'aria-label': `Values of ${spec.title} as a table`}),
                     el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${spec.title}, values`}, this.table));
    this.node = el('article', {class: 'card chart', 'data-chart': spec.key, 'data-state': 'loading'},
                   el('header', {}, el('h3', {id: `${id}-title`}, spec.title, ' ', el('span', {class: 'unit', text: spec.unit || 'count'})),
                      el('span', {class: 'at', 'data-role': 'at'}), this.values),
                   this.space, el('p', {class: 'message', 'data-role': 'message', text: 'Collecting the past…'}),
                   el('p', {class: 'visually-hidden', id: `${id}-said`}), this.legend);
    this.said = this.node.querySelector(`#${id}-said`);
  }

  /** Makes the plot anew: other members, other colours. */
  make() {
    this.plot?.destroy();
    this.focused = undefined;
    this.outdated = false;
    const line = colour('chart-grid'), text = colour('text-3');
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = {stroke: text, font, ticks: {show: false}, grid: {stroke: line, width: 1}};
    this.plot = new this.library.uPlot({
      width: Math.max(120, this.space.clientWidth), height: kHeight, padding: [8, 8, 0, 0], legend: {show: false},
      cursor: {sync: {key: sync}, y: false, drag: {x: false, y: false, setScale: false}, points: {size: 6}},
      focus: {alpha: 0.18},
      scales: {
        x: {time: true, range: () => this.window()},
        y: {range: (_, low, high) => [0, high === null || high <= this.spec.floor ? this.spec.floor : high * 1.1]},
      },
      axes: [{...axis, size: 26, space: 64, values: (_, splits, __, ___, step) => splits.map((at) => (step < 60 ? clockTime(at * 1000) : minuteTime(at * 1000)))},
             {...axis, size: 46, space: 30, values: (_, splits) => splits.map((value) => number(value))}],
      series: [{}, ...this.members.map((_, index) => {
        const look = lookOf(index);
        return {stroke: colour(`line-${look.colour}`), dash: look.dash, width: 1.5, points: {show: false}};
      })],
      hooks: {setCursor: [(plot) => this.point(plot.cursor.idx)], drawAxes: [(plot) => this.drawMarks(plot)]},
    }, [[], ...this.members.map(() => [])], this.space);
  }

  window() {
    const end = this.end();
    return [end - this.span, end];
  }

  /** The right edge: the newest slot; when none comes any more, the time moves on without values. */
  end() {
    const newest = past.end === null ? 0 : past.end * past.step;
    const time = this.marks.now() / 1000;
    return time - newest > 3 * past.step + 3 ? Math.floor(time) : newest;
  }

  drawMarks(plot) {
    const {ctx} = plot;
    const {left, top, width, height} = plot.bbox;
    ctx.save();
    for (const mark of this.marks.list()) {
      const x = Math.round(plot.valToPos(mark.at, 'x', true)) + 0.5;
      if (x < left || x > left + width) continue;
      ctx.strokeStyle = ctx.fillStyle = mark.colour;
      ctx.globalAlpha = 0.55;
      ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      ctx.globalAlpha = 1;
      const size = 3.5 * devicePixelRatio;
      ctx.beginPath();
      if (mark.good) ctx.arc(x, top, size * 0.8, 0, 2 * Math.PI);
      else {
        ctx.moveTo(x - size, top - size);
        ctx.lineTo(x + size, top - size);
        ctx.lineTo(x, top + size);
      }
      ctx.fill();
    }
    ctx.restore();
  }

  point(index) {
    this.cursor = index ?? null;
    this.updateLegend();
  }

  columns() {
    return this.members.map((member) => values(this.spec.series, member));
  }

  /** Brings everything up to date; the lines in a later frame, only in sight, and when they moved by a visible amount or `anew`. */
  update(inSight, anew = false) {
    const ensemble = shown();
    if (!ensemble) return;
    const members = ensemble.members.map((each) => each.member);
    const others = members.join('\n') !== this.members.join('\n');
    this.members = members;
    this.outdated ||= others;
    if (others || anew) this.drawnAt = null;  // Stale when it comes into sight.
    if (past.end !== null && inSight) {
      const perPixel = this.span / Math.max(100, this.plot?.width ?? 0);
      if (this.drawnAt === null || Math.abs(this.end() - this.drawnAt) >= Math.max(1, perPixel / 4)) this.wish();
    }
    this.updateState();
    this.updateLegend();
  }

  updateState() {
    const known = this.members.some((member) => values(this.spec.series, member)?.some((value) => !Number.isNaN(value)));
    const drawable = known && this.library.uPlot !== null;
    const loading = known || !past.loaded.has(this.spec.series);
    setAttribute(this.node, 'data-state', blind() ? 'stale' : drawable ? 'ready' : loading ? 'loading' : 'empty');
    const message = role(this.node, 'message');
    setHidden(message, drawable);
    setText(message, known ? 'Waiting for what draws the lines…' : loading ? 'Collecting the past…' : this.spec.empty);
  }

  /** Draws the lines as they are now; what a canvas costs comes after the script, where nothing counts it. */
  paint() {
    if (!this.library.uPlot || past.end === null) return;
    if (this.outdated) this.make();
    const width = this.space.clientWidth;
    if (width > 0 && width !== this.plot.width) this.plot.setSize({width, height: kHeight});
    this.drawnAt = this.end();
    this.span = span(this.drawnAt);
    this.draw();
  }

  draw() {
    const wanted = Math.ceil(this.span / past.step) + 1;
    const size = bucketSlots(this.span);
    const oldest = past.slots - Math.min(wanted, past.slots);
    const first = oldest - ((((past.end - past.slots + 1 + oldest) % size) + size) % size);
    const count = Math.ceil((past.slots - first) / size);
    const times = new Float64Array(count);
    for (let i = 0; i < count; ++i) times[i] = Math.min(timeOf(first + i * size), past.end * past.step);
    const columns = this.columns();
    this.data = [times, ...columns.map((column) => points(column, first, count, size, this.spec.worst === true))];
    this.plot.setData(this.data);
    const index = model.emphasis ? this.members.indexOf(model.emphasis) : -1;
    if (this.focused !== index) {
      this.focused = index;
      this.plot.setSeries(index < 0 ? null : index + 1, {focus: index >= 0});
    }
    this.updateTable();
  }

  /** The newest value of a column, not older than the bridge; null for a member that does not answer. */
  newest(member, column) {
    if (isStale(model.members.get(member))) return null;
    for (let i = past.slots - 1; i >= Math.max(0, past.slots - 1 - kBridge - 1); --i)
      if (!Number.isNaN(column[i])) return column[i];
    return null;
  }

  updateLegend() {
    const at = this.cursor !== null && this.cursor < this.data[0].length ? this.cursor : null;
    const entries = this.members.map((member, index) => {
      const column = values(this.spec.series, member);
      const value = column === null ? null : at === null ? this.newest(member, column) : this.data[index + 1]?.[at] ?? null;
      return {member, index, value};
    });
    reconcile(this.legend, entries, (entry) => entry.member, makeEntry, (node, entry) => {
      setForeign(node.children[1], short(entry.member), 40);
      setAttribute(node.children[1], 'title', entry.member);
      setText(node.children[2], withUnit(entry.value, ''));
      setAttribute(node, 'data-emphasis', model.emphasis ? (model.emphasis === entry.member ? 'on' : 'off') : null);
    });
    setText(role(this.node, 'at'), at === null ? '' : clockTime(this.data[0][at] * 1000));
    const told = entries.map((entry) => `${short(entry.member)} ${entry.value === null ? 'not known' : withUnit(entry.value, this.spec.unit)}`).join(', ');
    if (at === null) setText(this.said, `Newest values: ${told}`);
  }

  /** A dozen moments of the range, newest first. */
  updateTable() {
    if (!this.values.open || past.end === null) return;
    const [times, ...columns] = this.data;
    const rows = [];
    for (let i = 0; i < Math.min(kTableRows, times.length); ++i) {
      const index = times.length - 1 - Math.round((i * (times.length - 1)) / Math.max(1, kTableRows - 1));
      rows.push({place: i, cells: [clockTime(times[index] * 1000), ...columns.map((column) => withUnit(column[index] ?? null, this.spec.unit))]});
    }
    if (!this.table.firstElementChild)
      this.table.append(el('caption', {text: `${this.spec.title}${this.spec.unit ? `, ${this.spec.unit}` : ''}`}),
                        el('thead', {}, el('tr')), el('tbody'));
    const [, head, body] = this.table.children;
    const cells = (list) => list.map((text, place) => ({text, place}));
    reconcile(head.firstElementChild, cells(['Time', ...this.members.map(short)]), ({place}) => place, () => el('th', {scope: 'col'}),
              (th, {text}) => setForeign(th, text, 40));
    reconcile(body, rows, (row) => row.place, () => el('tr'), (tr, row) => reconcile(
        tr, cells(row.cells), ({place}) => place, ({place}) => (place === 0 ? el('th', {scope: 'row'}) : el('td')), (cell, {text}) => setText(cell, text)));
  }

  /** The width or the theme changed. */
  repaint(colours) {
    this.outdated ||= colours;
    this.drawnAt = null;
    if (this.plot) this.wish();
  }
}

function makeEntry(entry) {
  const look = lookOf(entry.index);
  return el('li', {}, svg('svg', {class: 'swatch', viewBox: '0 0 18 6', 'aria-hidden': 'true'},
                          svg('line', {x1: 0, y1: 3, x2: 18, y2: 3, class: `line-${look.colour}`, 'stroke-dasharray': look.dash.join(' ') || null})),
            el('span', {class: 'name'}), el('span', {class: 'value'}));
}
