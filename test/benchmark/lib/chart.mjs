// Charts as SVG, by hand: lines over sizes, and bars. Plain text, the same for the same figures, so that a diff of two shows what moved.
const WIDTH = 760;
const LEFT = 60;
const RIGHT = 210;
const COLOURS = ['#1f5fbf', '#d1495b', '#2e8b57', '#8a5fbf', '#b8860b', '#444444'];

const escape = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
const text = (x, y, content, attributes = '') => `<text x="${x}" y="${y}" ${attributes}>${escape(content)}</text>`;
const round = (x) => Math.round(x * 10) / 10;

const page = (height, title, body) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="sans-serif" font-size="12" fill="#222222">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(16, 24, title, 'font-size="15" font-weight="bold"'),
    ...body,
    '</svg>',
    '',
  ].join('\n');

/** The lines of a logarithmic scale that takes in `values`: 1, 2 and 5 of each decade, from the one below to the one above. */
function ticksAround(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const ticks = [];
  for (let decade = 10 ** Math.floor(Math.log10(least)); decade <= most * 10; decade *= 10) {
    ticks.push(...[1, 2, 5].map((factor) => Number((factor * decade).toPrecision(1))));
  }
  const first = ticks.findLastIndex((tick) => tick <= least);
  const last = ticks.findIndex((tick) => tick >= most);
  return ticks.slice(first, Math.max(last, first + 1) + 1);
}

const labelOf = (size) => size.toLocaleString('en-US').replaceAll(',', ' ');

/**
 * Lines over sizes, which stand at equal distances: they are decades or a selection. The cost is on a logarithmic scale: what does
 * not grow is level, whatever it costs. `series`: `{ name, colour, dashed?, values: Map<size, number> }`.
 */
export function lineChart({ title, xTitle, yTitle, sizes, series }) {
  const [top, bottom, height] = [64, 330, 380];
  const right = WIDTH - RIGHT;
  const ticks = ticksAround(series.flatMap(({ values }) => [...values.values()]));
  const [low, high] = [Math.log(ticks[0]), Math.log(ticks.at(-1))];
  const x = (at) =>
    round(sizes.length === 1 ? (LEFT + right) / 2 : LEFT + 20 + ((right - LEFT - 40) * at) / (sizes.length - 1));
  const y = (value) => round(bottom - ((bottom - top) * (Math.log(value) - low)) / (high - low));

  const body = [text(16, 46, yTitle, 'fill="#555555"')];
  for (const tick of ticks) {
    body.push(`<path d="M${LEFT} ${y(tick)}H${right}" stroke="#dddddd"/>`);
    body.push(text(LEFT - 8, y(tick) + 4, labelOf(tick), 'text-anchor="end"'));
  }
  sizes.forEach((size, at) => body.push(text(x(at), bottom + 20, labelOf(size), 'text-anchor="middle"')));
  body.push(text((LEFT + right) / 2, bottom + 40, xTitle, 'text-anchor="middle" fill="#555555"'));
  series.forEach(({ name, colour: at, dashed, values }, i) => {
    const colour = COLOURS[at];
    const points = sizes.flatMap((size, at) => (values.has(size) ? [[x(at), y(values.get(size))]] : []));
    const dash = dashed ? ' stroke-dasharray="5 4"' : '';
    body.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`);
    for (const [px, py] of points) body.push(`<circle cx="${px}" cy="${py}" r="3" fill="${colour}"/>`);
    const legend = top + 10 + i * 20;
    body.push(`<path d="M${right + 16} ${legend - 4}h22" stroke="${colour}" stroke-width="2"${dash}/>`);
    body.push(text(right + 44, legend, name));
  });
  return page(height, title, body);
}

/** Horizontal bars: `bars` are `{ name, value }`. */
export function barChart({ title, yTitle, bars }) {
  const [left, top, row] = [310, 64, 28];
  const most = Math.max(...bars.map(({ value }) => value), 1e-9);
  const body = [text(16, 46, yTitle, 'fill="#555555"')];
  bars.forEach(({ name, value }, i) => {
    const y = top + i * row;
    const width = Math.max(0, round(((WIDTH - left - 80) * value) / most));
    body.push(text(left - 10, y + 15, name, 'text-anchor="end"'));
    body.push(`<rect x="${left}" y="${y}" width="${width}" height="20" fill="${COLOURS[0]}"/>`);
    body.push(text(left + width + 8, y + 15, String(Math.round(value))));
  });
  return page(top + bars.length * row + 16, title, body);
}
