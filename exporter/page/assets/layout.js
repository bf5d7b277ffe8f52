// Where the members stand in the picture: pure geometry in pixels.

export const kNode = {width: 226, height: 92};
const kStep = 112;
const kRingMax = 4;
const kRowsMinWidth = 620;
const kRowNodeMin = 138;
const kGap = 18;
const kSpread = 0.9;
const kMargin = 6;
const kRail = 44;

/**
 * Places `count` members in `width` pixels: on a ring or in two rows when there is room, else one below the other with a
 * rail on the left. A member's place depends on its number alone, so that nothing moves when another one leads.
 */
export function place(count, width, height) {
  const roomy = width >= kRowsMinWidth && height >= 3 * kNode.height;
  if (roomy && count <= kRingMax) return ring(count, width, height);
  if (roomy && Math.ceil(count / 2) * (kRowNodeMin + kGap) <= width) return rows(count, width, height);
  return column(count, width);
}

function rows(count, width, height) {
  const above = Math.ceil(count / 2);
  const node = Math.min(kNode.width, width / above - kGap);
  const nodes = [];
  for (let i = 0; i < count; ++i) {
    const upper = i < above;
    const [index, of] = upper ? [i, above] : [i - above, count - above];
    nodes.push({x: ((index + 0.5) * width) / of, y: upper ? kMargin + kNode.height / 2 : height - kMargin - kNode.height / 2, width: node, upper});
  }
  return {kind: 'rows', width, height, nodes};
}

function ring(count, width, height) {
  const spots = [];
  // An even number starts with a flat side up, which fills a wide rectangle better than a corner.
  const turn = count % 2 === 0 ? Math.PI / count : 0;
  for (let i = 0; i < count; ++i) {
    const angle = -Math.PI / 2 - turn + (2 * Math.PI * i) / count;
    spots.push({x: Math.cos(angle), y: Math.sin(angle)});
  }
  const extent = (axis) => [Math.min(...spots.map((s) => s[axis])), Math.max(...spots.map((s) => s[axis]))];
  const fit = (value, [low, high], size, node) =>
      high - low < 1e-6 ? size / 2 : kMargin + node / 2 + ((value - low) / (high - low)) * (size - node - 2 * kMargin);
  const [xs, ys] = [extent('x'), extent('y')];
  const spread = Math.min(width, 260 * Math.max(count, 3));
  return {
    kind: 'ring', height,
    nodes: spots.map((s) => ({x: fit(s.x, xs, spread, kNode.width) + (width - spread) / 2, y: fit(s.y, ys, height, kNode.height),
                              width: kNode.width})),
  };
}

function column(count, width) {
  const rail = count > 1 ? kRail : 0;  // for the lines between them
  const node = width - rail - 2 * kMargin;
  const nodes = [];
  for (let i = 0; i < count; ++i) nodes.push({x: rail + kMargin + node / 2, y: kMargin + kNode.height / 2 + i * kStep, width: node});
  return {kind: 'column', height: count * kStep - (kStep - kNode.height) + 2 * kMargin, nodes};
}

/** The line from a follower to its leader, from border to border: {path, label: {x, y}}. */
export function line(layout, from, to) {
  const a = layout.nodes[from], b = layout.nodes[to];
  if (layout.kind === 'rows') {
    // Lines leave a card towards the middle and arrive side by side, in the order of where they come from.
    const inner = (node) => (node.upper ? node.y + kNode.height / 2 : node.y - kNode.height / 2);
    const towards = (node, by) => (node.upper ? by : -by);
    const end = {x: b.x + ((a.x - b.x) / layout.width) * kSpread * b.width, y: inner(b) + towards(b, 7)};
    const start = {x: a.x, y: inner(a) + towards(a, 2)};
    const bend = a.upper === b.upper ? 24 + (36 * Math.abs(a.x - b.x)) / layout.width : 56;
    return {
      path: `M${start.x.toFixed(1)} ${start.y.toFixed(1)}C${start.x.toFixed(1)} ${(start.y + towards(a, bend)).toFixed(1)} ` +
          `${end.x.toFixed(1)} ${(end.y + towards(b, bend)).toFixed(1)} ${end.x.toFixed(1)} ${end.y.toFixed(1)}`,
      label: {x: start.x, y: start.y + towards(a, 16)},
    };
  }
  if (layout.kind === 'column') {
    const left = kRail + kMargin;
    const bend = left - 14 - Math.min(24, 6 * Math.abs(from - to));
    const end = b.y + (from < to ? -10 : 10);
    return {path: `M${left} ${a.y}C${bend} ${a.y} ${bend} ${end} ${left - 3} ${end}`, label: {x: bend, y: (a.y + b.y) / 2}};
  }
  const start = border(a, b), end = border(b, a, 7);
  const middle = {x: (start.x + end.x) / 2, y: (start.y + end.y) / 2};
  return {path: `M${start.x.toFixed(1)} ${start.y.toFixed(1)}L${end.x.toFixed(1)} ${end.y.toFixed(1)}`, label: middle};
}

/** Where the way from the middle of `node` to the middle of `other` leaves the card, `gap` pixels outside. */
function border(node, other, gap = 2) {
  const dx = other.x - node.x, dy = other.y - node.y;
  const scale = Math.min((node.width / 2 + gap) / Math.max(Math.abs(dx), 1e-6), (kNode.height / 2 + gap) / Math.max(Math.abs(dy), 1e-6));
  return {x: node.x + dx * scale, y: node.y + dy * scale};
}
