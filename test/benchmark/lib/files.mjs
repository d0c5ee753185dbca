import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report } from './report.mjs';
import { charts, scaleReport } from './scale-report.mjs';

/** The name of the file that everything else is made from. */
export const DATA = 'results.json';

/** Writes what a run found: the data, the tables, the charts. */
export function writeResults(folder, results) {
  mkdirSync(folder, { recursive: true });
  const files = {
    [DATA]: `${JSON.stringify(results.data, null, 1)}\n`,
    'results.md': report(results),
    'scale.md': scaleReport(results),
    ...charts(results),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}
