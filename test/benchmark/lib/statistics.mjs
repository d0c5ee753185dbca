export const median = (values) => {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** A few significant digits, with k and M. */
export const human = (x) =>
  !Number.isFinite(x)
    ? '–'
    : Math.abs(x) >= 1e6
      ? `${(x / 1e6).toFixed(2)} M`
      : Math.abs(x) >= 1e4
        ? `${(x / 1e3).toFixed(0)} k`
        : Math.abs(x) >= 1e3
          ? `${(x / 1e3).toFixed(1)} k`
          : Math.abs(x) >= 10
            ? x.toFixed(0)
            : x.toFixed(2);

/** A ratio, with two digits that mean something. */
export const times = (x) => (Number.isFinite(x) ? `${x.toFixed(x >= 10 ? 0 : x >= 0.1 ? 2 : 3)}×` : '–');

/** The lines of a table in Markdown; every column but the first is a figure. */
export const table = (head, rows) => [
  `| ${head.join(' | ')} |`,
  `| --- |${' ---: |'.repeat(head.length - 1)}`,
  ...rows.map((cells) => `| ${cells.join(' | ')} |`),
];
