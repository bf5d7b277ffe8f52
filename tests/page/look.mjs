// What runs inside the page: reading it as a viewer does, through the names that the page keeps for tests (data-part,
// data-role, data-member …), and watching what no look shows: layout shifts and long tasks.

/** Before anything of the page: the wrong clock, and the observers. Runs in the page; everything is within. */
export function install(clockWrongByMs) {
  if (clockWrongByMs !== 0) {
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) {
        if (given.length === 0) super(Real.now() + clockWrongByMs);
        else super(...given);
      }
      static now() {
        return Real.now() + clockWrongByMs;
      }
    };
    const origin = performance.timeOrigin + clockWrongByMs;
    Object.defineProperty(performance, 'timeOrigin', {get: () => origin});
  }
  const seen = {shifts: [], tasks: [], ids: new WeakMap()};
  Object.defineProperty(globalThis, '__seen', {value: seen});
  const nameOf = (node) => {
    const element = node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement;
    if (!element) return '?';
    const part = element.closest('[data-part]')?.dataset.part ?? 'page';
    return `${part}: ${element.tagName.toLowerCase()}${[...element.classList].map((each) => `.${each}`).join('')}`;
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      seen.shifts.push({at: entry.startTime, value: entry.value, input: entry.hadRecentInput,
                        sources: entry.sources.map(({node, previousRect: from, currentRect: to}) =>
                            `${nameOf(node)} ${[from, to].map((r) => `${r.x},${r.y} ${r.width}x${r.height}`).join(' to ')}`)});
  }).observe({type: 'layout-shift', buffered: true});
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.tasks.push({at: entry.startTime, ms: entry.duration});
  }).observe({type: 'longtask', buffered: true});
}

/** Everything that the page shows, as one document. Runs in the page. */
export function look() {
  const text = (node) => (node ? node.textContent.replace(/\u00a0/g, ' ').trim() : null);
  const within = (node, name) => node?.querySelector(`[data-role="${name}"]`) ?? null;
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const shown = (node) => node !== null && node !== undefined && node.checkVisibility({visibilityProperty: true});
  const all = (node, selector) => [...(node?.querySelectorAll(selector) ?? [])];

  const verdict = part('verdict');
  const runbook = within(verdict, 'runbook');
  const margin = part('margin');
  const picture = part('picture');
  const events = part('events');

  const tables = {};
  for (const table of document.querySelectorAll('table[data-table]')) {
    const heads = all(table, 'thead th');
    tables[table.dataset.table] = {
      shown: shown(table),
      columns: heads.map((th) => th.dataset.column),
      sort: Object.fromEntries(heads.map((th) => [th.dataset.column, th.getAttribute('aria-sort')])),
      json: within(table.closest('.sub, [data-part]'), 'json')?.getAttribute('href') ?? null,
      rows: all(table, 'tbody tr').filter((row) => !shown(table) || shown(row)).map((row) => ({
        member: row.dataset.member ?? null, stale: row.dataset.stale === 'true', kind: row.dataset.kind ?? null,
        cells: Object.fromEntries(all(row, 'th, td').map((cell) => [cell.dataset.column, text(cell)])),
      })),
    };
  }

  // How much of a canvas has about this colour: whether a line is drawn at all. A copy is read, so that the page's own
  // canvas stays what it is.
  const painted = (canvas, colours) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
    return colours.map((colour) => {
      const [red, green, blue] = colour.match(/\d+(\.\d+)?/g).map(Number);
      let count = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 60 && Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue) < 60) ++count;
      return count;
    });
  };
  const chartOf = (chart) => {
    const entries = all(chart, '[data-role=legend] li');
    const names = entries.map((entry) => entry.querySelector('.name').title || text(entry.querySelector('.name')));
    const canvas = chart.querySelector('canvas');
    const counts = canvas === null ? null : painted(canvas, entries.map((entry) => getComputedStyle(entry.querySelector('svg line')).stroke));
    const byName = (values) => Object.fromEntries(names.map((name, index) => [name, values[index]]));
    return {
      state: chart.dataset.state, unit: text(chart.querySelector('.unit')), said: text(chart.querySelector('p.visually-hidden')),
      legend: byName(entries.map((entry) => text(entry.querySelector('.value')))), painted: counts === null ? null : byName(counts),
    };
  };

  const brief = part('brief');
  const insideBrief = () => ({
    writes: text(within(brief, 'writes')), message: text(within(brief, 'message')),
    stages: Object.fromEntries(all(within(brief, 'stages'), 'li').map((item) => [text(item.firstElementChild), text(item.lastElementChild)])),
    limits: all(within(brief, 'limits'), 'li').map((item) => ({
      limit: item.dataset.limit, severity: item.dataset.severity, name: text(item.querySelector('.name')), value: text(item.querySelector('.value'))})),
    facts: Object.fromEntries(all(brief, '[data-fact]').map((fact) => [fact.dataset.fact, {
      what: text(fact.querySelector('.what')), note: text(fact.querySelector('.note')), ago: shown(fact.querySelector('.when')) ? text(fact.querySelector('time')) : null}])),
  });

  return {
    brief: shown(brief) && brief.childElementCount > 0 ? insideBrief() : null,
    lists: Object.fromEntries(all(document, '[data-list]').map((list) => [list.dataset.list, {state: list.dataset.state ?? null, said: text(within(list, 'message'))}])),
    figures: Object.fromEntries(all(document, '[data-list=figures] > div').map((group) => [
      text(group.firstElementChild), Object.fromEntries(all(group, 'dl > div').map((line) => [text(line.firstElementChild), text(line.lastElementChild)]))])),
    link: document.documentElement.dataset.link,
    link_word: text(within(document, 'link-word')),
    clock: text(within(document, 'clock')),
    theme: document.documentElement.dataset.theme,
    title: document.title,
    zone: text(within(document, 'zone')),
    width: {page: document.documentElement.scrollWidth, window: innerWidth},
    parts: Object.fromEntries(all(document, '[data-part]').filter(shown).map((each) => [each.dataset.part, each.dataset.state])),
    verdict: {
      severity: verdict?.dataset.severity, sentence: text(within(verdict, 'sentence')), cause: text(within(verdict, 'cause')),
      remedy: text(within(verdict, 'remedy')), runbook: shown(runbook) ? runbook.getAttribute('href') : null,
      announced: text(within(verdict, 'announcement')),
      problems: all(verdict, '[data-problem]').map((each) => ({id: each.dataset.problem, severity: each.dataset.severity, text: text(each.querySelector('.foreign'))})),
    },
    margin: {value: text(within(margin, 'value')), meaning: text(within(margin, 'meaning')), count: text(within(margin, 'count'))},
    picture: {
      members: Object.fromEntries(all(picture, '[data-member]').map((node) => [node.dataset.member, {
        serving: node.dataset.serving, role: node.dataset.roleInEnsemble, safe: node.dataset.safe, stale: node.dataset.stale === 'true',
        text: text(node)}])),
      edges: all(picture, '[data-edge]').map((edge) => edge.dataset.edge).sort(),
    },
    charts: Object.fromEntries(all(document, '[data-chart]').map((chart) => [chart.dataset.chart, chartOf(chart)])),
    events: all(events, '[data-event-type]').map((item) => ({
      type: item.dataset.eventType, severity: item.dataset.severity, who: item.querySelector('.who').title || '',
      text: text(item.querySelector('.text')), ago: text(item.querySelector('time')), time: item.querySelector('time').dateTime,
      absolute: item.querySelector('time').title})),
    tables,
    shifts: globalThis.__seen.shifts.filter((each) => !each.input),
    long_tasks: globalThis.__seen.tasks,
    first_paint_ms: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
  };
}

/** Names of everything that a hand can use, for the walk with the Tab key. Runs in the page. */
export function reachable() {
  const usable = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  const nodes = [...document.querySelectorAll(usable)].filter((node) =>
      node.tabIndex >= 0 && !node.disabled && !node.closest('[inert]') && node.checkVisibility({visibilityProperty: true}));
  const look = (node) => {
    const style = getComputedStyle(node);
    return `${style.outlineStyle} ${style.outlineWidth} ${style.boxShadow}`;
  };
  document.activeElement?.blur();
  getSelection().removeAllRanges();
  const nameOf = (node) => {
    const part = node.closest('[data-part]')?.dataset.part ?? node.closest('header, footer')?.className ?? 'page';
    const label = node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.textContent;
    return `${part} › ${node.tagName.toLowerCase()} ${(label.trim().slice(0, 40) || node.id || node.className).replace(/\s+/g, ' ')}`;
  };
  globalThis.__walk = {nodes, nameOf, unfocused: nodes.map(look), look};
  return nodes.map(nameOf);
}

/** Where focus is and how it shows; null when it left the page. Runs in the page. */
export function focused() {
  const node = document.activeElement;
  if (node === null || node === document.body) return null;
  const {nodes, nameOf, unfocused, look} = globalThis.__walk;
  const index = nodes.indexOf(node);
  const style = getComputedStyle(node);
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 && style.outlineColor !== 'rgba(0, 0, 0, 0)';
  const box = node.getBoundingClientRect();
  const seen = [0.1, 0.5, 0.9].some((across) => [0.1, 0.5, 0.9].some((down) => {
    const hit = document.elementFromPoint(box.left + box.width * across, box.top + box.height * down);
    return hit !== null && (node.contains(hit) || hit.contains(node) || [...node.labels ?? []].some((label) => label.contains(hit)));
  }));
  return {name: nameOf(node), index: index < 0 ? null : index, marked: outlined || (style.boxShadow !== 'none' && unfocused[index] !== look(node)), seen};
}
