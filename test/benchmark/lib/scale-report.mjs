import { barChart, lineChart } from './chart.mjs';
import { IDLE_VARIANTS } from './idle-variants.mjs';
import { describeMachine } from './machine.mjs';
import { human, table } from './statistics.mjs';
import { DEPTHS, POPULATIONS, STARTED } from './suites.mjs';

const CHUNKS = Array.from({ length: 10 }, (_, i) => ((i + 1) * STARTED) / 10);
const SUBJECT = { floor: 'floor', ours: 'ours', 'ours-keyed': 'ours', 'ours-keyed-di': 'ours, 3 dependencies' };
const perMessage = (ids, kinds) =>
  ids.flatMap((id) =>
    kinds.map(([metric, name], colour) => ({
      id,
      metric,
      name: `${SUBJECT[id]}: ${name}`,
      colour,
      dashed: id === 'floor',
    })),
  );

const CURVES = [
  {
    file: 'scale-processes.svg',
    title: 'What a message costs, by the number of live processes',
    xTitle: 'live keyed processes',
    yTitle: 'ns of CPU time per message',
    remark:
      '"One of them" is what the library adds; "each in turn" is also what memory adds: the processes do not fit into the caches of the CPU.',
    sizes: POPULATIONS,
    series: perMessage(
      ['ours-keyed', 'floor'],
      [
        ['callOneOf', 'call one of them'],
        ['callEachOf', 'call each in turn'],
        ['castOneOf', 'cast to one of them'],
        ['castEachOf', 'cast to each in turn'],
      ],
    ),
  },
  {
    file: 'scale-queue.svg',
    title: 'What a message costs, by the number of messages in front of it',
    xTitle: 'messages that wait at the server, all the time',
    yTitle: 'ns of CPU time per message',
    remark:
      'The queue is as long at the end as at the start. Behind none, every call wakes the server. A million waiting calls are a million promises for the garbage collector, also where nothing but a plain async method is called.',
    sizes: DEPTHS,
    series: [
      ...perMessage(
        ['ours', 'floor'],
        [
          ['callBehind', 'call'],
          ['castBehind', 'cast'],
        ],
      ),
      {
        id: 'plain',
        metric: 'callBehind',
        name: 'plain async method, with so many calls in flight',
        colour: 2,
        dashed: true,
      },
      { id: 'promise-chain', metric: 'callBehind', name: 'promise chain', colour: 3, dashed: true },
    ],
  },
  {
    file: 'scale-starts.svg',
    title: 'What a start costs, by the number of live processes',
    xTitle: 'live keyed processes',
    yTitle: 'µs of CPU time per start, by ten thousands',
    remark:
      'Each start is awaited. With three dependencies, Nest injects singletons into the constructor of each process.',
    sizes: CHUNKS,
    series: ['ours-keyed', 'ours-keyed-di', 'floor'].map((id, colour) => ({
      id,
      metric: 'startUsAt',
      name: SUBJECT[id],
      colour,
      dashed: id === 'floor',
    })),
  },
];

const measuredSeries = (results, { sizes, series }) =>
  series
    .map(({ id, metric, ...rest }) => ({
      ...rest,
      values: new Map(
        sizes.map((size) => [size, results.get(id, `${metric}.${size}`)]).filter(([, value]) => Number.isFinite(value)),
      ),
    }))
    .filter(({ values }) => values.size > 0);

const idleBytes = (results) =>
  Object.entries(IDLE_VARIANTS)
    .map(([id, title]) => ({ name: title, value: results.get('memory', `bytes.${id}`) }))
    .filter(({ value }) => Number.isFinite(value));

/** The charts that this run has figures for, by the name of the file. */
export function charts(results) {
  const files = {};
  for (const { file, title, xTitle, yTitle, sizes, series } of CURVES) {
    const measured = measuredSeries(results, { sizes, series });
    if (measured.length > 0) files[file] = lineChart({ title, xTitle, yTitle, sizes, series: measured });
  }
  const bars = idleBytes(results);
  if (bars.length > 0) {
    files['scale-memory.svg'] = barChart({
      title: 'What an idle process weighs',
      yTitle: 'bytes of heap, 50 000 of them alive',
      bars,
    });
  }
  return files;
}

/** The figures behind the charts, in Markdown. */
export function scaleReport(results) {
  const lines = ['# Scale', '', describeMachine(results.data)];
  for (const curve of CURVES) {
    const measured = measuredSeries(results, curve);
    if (measured.length === 0) continue;
    lines.push(
      '',
      `### ${curve.title}`,
      '',
      `![${curve.title}](${curve.file})`,
      '',
      `${curve.yTitle}. ${curve.remark}`,
      '',
    );
    lines.push(
      ...table(
        [curve.xTitle, ...measured.map(({ name }) => name)],
        curve.sizes.map((size) => [
          size.toLocaleString('en-US').replaceAll(',', ' '),
          ...measured.map(({ values }) => human(values.get(size) ?? NaN)),
        ]),
      ),
    );
  }
  const started = ['ours-keyed', 'ours-keyed-di', 'floor']
    .map((id) => [SUBJECT[id], results.get(id, 'startAllMs')])
    .filter(([, ms]) => Number.isFinite(ms));
  if (started.length > 0) {
    const each = started.map(([name, ms]) => `${name} ${human(ms / 1000)} s`).join(', ');
    lines.push('', `Wall time for all of them: ${each}.`);
  }
  const bars = idleBytes(results);
  if (bars.length > 0) {
    lines.push('', '### What an idle process weighs', '', '![What an idle process weighs](scale-memory.svg)', '');
    lines.push(
      ...table(
        ['', 'bytes of heap'],
        bars.map(({ name, value }) => [name, String(Math.round(value))]),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}
