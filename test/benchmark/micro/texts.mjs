// What it takes to show a value in an error, in µs of CPU time per text and in characters: node test/benchmark/micro/texts.mjs [dist]
// Each row is the error of one caller whose call of `place(value)` times out, or whose server ends.
import { Buffer } from 'node:buffer';
import { fileURLToPath, pathToFileURL } from 'node:url';

const dist = process.argv[2] ?? fileURLToPath(new URL('../../../dist/esm', import.meta.url));
const load = (path) => import(pathToFileURL(`${dist}/${path}`).href);
const { Redaction } = await load('runtime/secrets/redaction.js');
const { CallTimeoutError, ServerExitedError } = await load('gen-server/errors.js');

const dictionary = (size) => Object.fromEntries(Array.from({ length: size }, (_, at) => [`key${at}`, at]));
const nested = (depth) => (depth === 0 ? 'leaf' : { a: nested(depth - 1), b: nested(depth - 1) });
const VALUES = {
  'a number': 7,
  'a small order': { id: 7, items: [{ sku: 'a', quantity: 2 }], note: 'leave it at the door' },
  'a string of 1 000 000': 'x'.repeat(1_000_000),
  'an array of 9 000': Array.from({ length: 9_000 }, (_, at) => at),
  'an array of 1 000 000 objects': Array.from({ length: 1_000_000 }, (_, at) => ({ at })),
  'a map of 100 000': new Map(Array.from({ length: 100_000 }, (_, at) => [at, { at }])),
  'a tree of 16 000 objects': nested(13),
  'an object of 1 000 keys': dictionary(1_000),
  'an object of 1 000 000 keys': dictionary(1_000_000),
  'an error with a long message': new Error('x'.repeat(1_000_000)),
  'a buffer of 10 000 000': Buffer.alloc(10_000_000),
};

function measure(work, atMostMs = 300) {
  const start = process.cpuUsage();
  const spent = () => {
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  let count = 0;
  do {
    work();
    count++;
  } while (spent() < atMostMs * 1000 && count < 20_000);
  return spent() / count;
}

console.log('value                           | first µs | µs each | characters | production µs');
for (const [name, value] of Object.entries(VALUES)) {
  const textBy = (redaction) => {
    const request = { handler: 'place', args: redaction.arguments([value], undefined) };
    return new CallTimeoutError('Shop', request, 5_000, 'waiting', 3).message;
  };
  const open = new Redaction();
  const closed = new Redaction([], false);
  Error.stackTraceLimit = 0;
  const first = measure(() => textBy(open), 0);
  const each = measure(() => textBy(open));
  const production = measure(() => textBy(closed));
  const row = [name.padEnd(31), first.toFixed(0).padStart(8), each.toFixed(1).padStart(7)];
  console.log([...row, String(textBy(open).length).padStart(10), production.toFixed(1).padStart(8)].join(' | '));
}
const reason = Object.assign(new Error('boom'), { order: VALUES['an array of 9 000'] });
const request = { handler: 'place', args: new Redaction().arguments([VALUES['an array of 9 000']], undefined) };
const exited = measure(() => new ServerExitedError('Shop', request, reason, reason));
console.log(`the error of one caller of a crash, its request described: ${exited.toFixed(1)} µs`);
