// npm run mutants -- [--only id,id] [--schedules 100000] [--seed 1]
import { parseArgs } from 'node:util';
import { buildSimulator } from '../simulation/build.mjs';
import { runSchedules } from '../simulation/run-schedules.mjs';
import { buildMutant, discard } from './mutate.mjs';
import { mutants } from './mutants.list.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    schedules: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
  },
});
const seed = Number(values.seed);
const schedules = Number(values.schedules);
const chosen = values.only === undefined ? mutants : mutants.filter(({ id }) => values.only.split(',').includes(id));
if (chosen.length === 0) {
  console.error(`There is no mutant ${values.only}. There are: ${mutants.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}
buildSimulator();

const survivors = [];
const pending = [...chosen];
console.log('| Mutant | Breaks | Killed | After schedules |\n| --- | --- | --- | ---: |');
const work = async () => {
  for (let mutant = pending.shift(); mutant !== undefined; mutant = pending.shift()) {
    const { how, after } = await hunt(mutant);
    if (how === 'survived') survivors.push(mutant.id);
    console.log(`| ${mutant.id} | ${mutant.breaks} | ${how} | ${after} |`);
  }
};
await Promise.all(Array.from({ length: Number(values.workers) }, work));
const list = survivors.length === 0 ? 'none' : survivors.sort().join(', ');
console.log(`${chosen.length} mutants, ${chosen.length - survivors.length} killed, survivors: ${list}`);
process.exitCode = survivors.length <= chosen.length * 0.05 ? 0 : 1;

/** Runs schedules until one of them finds the bug. */
async function hunt(mutant) {
  const target = buildMutant(mutant);
  try {
    const result = await runSchedules({ target, seed, schedules, workers: 1, isReplayed: false });
    if (result.hung !== undefined) return { how: 'hangs', after: result.hung + 1 };
    if (result.failed === undefined) return { how: 'survived', after: schedules };
    return { how: result.rule, after: result.failed + 1 };
  } catch (error) {
    return { how: `crashes (${error?.message ?? String(error)})`, after: '' };
  } finally {
    discard(target);
  }
}
