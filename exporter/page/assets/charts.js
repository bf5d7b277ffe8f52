// The charts of the shown ensemble. Only those that can be seen are drawn, one a frame: a canvas costs most after the script.

import {now} from './clock.js';
import {bucketSlots, Chart, colour} from './chart.js';
import {el, part, role, setAttribute, setState, setText} from './dom.js';
import {duration} from './format.js';
import {past, rangeWords, setRange, span, startHistory} from './history.js';
import {startLanes} from './lanes.js';
import {blind, changed, model, on, shown} from './model.js';

const kLibrary = '/assets/vendor/uplot/uPlot.iife.min.js';
const kLibraryStyle = '/assets/vendor/uplot/uPlot.min.css';
const kRetryMs = 5000;

const specs = [
  {key: 'latency', title: 'Latency', unit: 'ms', series: 'latency_average_ms', floor: 2, worst: true, empty: 'No member tells its latency.'},
  {key: 'throughput', title: 'Throughput', unit: 'requests/s', series: 'requests_per_second', floor: 10, empty: 'No member tells its packets.'},
  {key: 'outstanding', title: 'Outstanding requests', unit: '', series: 'outstanding_requests', floor: 5, worst: true, empty: 'No member tells its queue.'},
  {key: 'fsync', title: 'fsync', unit: 'ms', series: 'fsync_ms', floor: 5, worst: true, empty: 'Not known: needs mntr or a metrics endpoint of ZooKeeper 3.6 or later, and writes.'},
  {key: 'canary', title: 'Client operations', unit: 'ms', series: 'canary_latency_ms', floor: 2, worst: true, empty: 'Not known: the canary is switched off.'},
  {key: 'connections', title: 'Connections', unit: '', series: 'connections', floor: 5, empty: 'No member tells its connections.'},
  {key: 'sessions', title: 'Sessions', unit: '', series: 'sessions', floor: 5, empty: 'Not known: needs the word cons or the AdminServer.'},
  {key: 'znodes', title: 'Znodes', unit: '', series: 'znodes', floor: 10, empty: 'No member tells its znodes.'},
  {key: 'watches', title: 'Watches', unit: '', series: 'watches', floor: 5, empty: 'No member tells its watches.'},
];

/** Events that explain what lines do, and whether they are good news. */
const kMarked = new Map([['leader_lost', false], ['leader_elected', true], ['quorum_lost', false], ['quorum_regained', true],
                         ['member_lost', false], ['member_regained', true], ['split_brain', false], ['exporter_started', true]]);
const kMarksMax = 60;

const library = {uPlot: null};

/** Said when this chart alone has to be drawn. */
const topicOf = (chart) => `chart-${chart.spec.key}`;

/** Puts an element that loads a file into the head; one that was not answered is asked for again. */
function loadFile(tag, attributes, arrived) {
  const node = el(tag, {...attributes, on: {load: arrived, error: () => {
    node.remove();
    setTimeout(loadFile, kRetryMs, tag, attributes, arrived);
  }}});
  document.head.append(node);
}

/** Gets the chart library after the first paint, which does not need it. */
function loadLibrary(loaded) {
  let left = 2;
  const arrived = () => {
    if (--left > 0) return;
    library.uPlot = globalThis.uPlot;
    loaded();
  };
  loadFile('link', {rel: 'stylesheet', href: kLibraryStyle}, arrived);
  loadFile('script', {src: kLibrary}, arrived);
}

function makeMarks() {
  let list = [];
  const update = () => {
    const colours = {bad: colour('critical'), good: colour('ok')};
    list = model.events.filter((event) => kMarked.has(event.type)).slice(-kMarksMax).map((event) => {
      const good = kMarked.get(event.type);
      return {at: Date.parse(event.time) / 1000, good, colour: good ? colours.good : colours.bad};
    });
  };
  return {now: () => now() ?? 0, list: () => list, update};
}

export function startCharts() {
  const section = part('charts');
  const grid = role(section, 'grid');
  const marks = makeMarks();
  const inSight = new Set();
  const charts = specs.map((spec) => new Chart(spec, library, marks, (chart) => inSight.has(chart)));
  grid.append(...charts.map((chart) => chart.node));

  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = charts.find((each) => each.node === entry.target);
      if (entry.isIntersecting) {
        inSight.add(chart);
        changed(topicOf(chart));
      } else {
        inSight.delete(chart);
      }
    }
  }, {rootMargin: '100px'});
  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) charts.find((each) => each.space === entry.target)?.repaint(false);
  });
  for (const chart of charts) {
    observer.observe(chart.node);
    sizes.observe(chart.space);
    // Each chart is an update of its own, so that a frame may draw some and leave the rest to the next.
    on('row status members tick', () => chart.update(inSight.has(chart)));
    on(`history-${chart.spec.series} ${topicOf(chart)} events`, () => chart.update(inSight.has(chart), true));
    on('themechange', () => chart.repaint(true));
    on('emphasis', () => chart.update(inSight.has(chart), true));
  }

  on('events', marks.update);
  on('row history status link route', () => {
    const ensemble = shown();
    const seconds = bucketSlots(past.end === null ? past.range : span(past.end * past.step)) * past.step;
    const words = seconds === 1 ? 'a point a second' : `a point for ${duration(seconds)}: times and queues their worst, the others their mean`;
    if (!ensemble) setState(section, blind() ? 'broken' : model.status === null ? 'loading' : 'empty', blind() ? 'Watchkeeper does not answer.' : 'Collecting the past…');
    else if (blind()) setState(section, 'stale', 'No word: the lines end where it ended.');
    else if (past.loaded.size === 0) setState(section, 'loading', 'Collecting the past…');
    else setState(section, 'ready', words);
    setText(role(section, 'heading'), `Charts, ${rangeWords[past.range]}`);
    for (const button of section.querySelectorAll('[data-range]'))
      setAttribute(button, 'aria-pressed', Number(button.dataset.range) === past.range ? 'true' : 'false');
  });
  section.addEventListener('click', (event) => {
    const button = event.target.closest('[data-range]');
    if (button) setRange(Number(button.dataset.range));
  });
  document.addEventListener('themechange', () => {
    marks.update();
    changed('themechange');
  });
  startHistory();
  startLanes();
  loadLibrary(() => inSight.forEach((chart) => changed(topicOf(chart))));
}
