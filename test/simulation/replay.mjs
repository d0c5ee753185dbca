import { pathToFileURL } from 'node:url';

/**
 * Runs one schedule and prints what happens in it. When it is none that was shrunk before, a violation is shrunk first. The last
 * line is the command that repeats what is printed.
 */
export async function replay({ target, seed, schedule, given }) {
  const load = (file) => import(pathToFileURL(`${target}/simulation/${file}.js`).href);
  const [{ simulate }, { SeededChoices, GivenChoices }, { decode, encode, shrink }] = await Promise.all(
    ['simulation', 'choices', 'shrink'].map(load),
  );
  const choices = given === undefined ? new SeededChoices(seed, schedule) : new GivenChoices(decode(given));
  let run = await simulate(choices, { keepsLines: true });
  const stepsBefore = run.steps;
  if (run.violation !== undefined && given === undefined) {
    const { choices: shrunk } = await shrink(run);
    run = await simulate(new GivenChoices(shrunk), { keepsLines: true });
  }
  console.log(run.lines.join('\n'));
  if (run.violation === undefined) {
    console.log(`schedule ${schedule} of seed ${seed}: ${run.steps} steps, 0 violations, trace ${run.hash}`);
    return undefined;
  }
  const { rule, message } = run.violation;
  console.log(`${rule} is broken after ${run.steps} steps (${stepsBefore} before shrinking): ${message}`);
  console.log(`npm run simulate -- --seed ${seed} --schedule ${schedule} --choices ${encode(run.choices)}`);
  return run.violation;
}
