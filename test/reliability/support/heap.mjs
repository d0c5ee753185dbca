// How much is in use, and what was left behind.
import { getHeapStatistics, queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { turn } from './program.mjs';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

export const MB = 1024 * 1024;

/** Bytes in use when everything that can be collected has been. */
export async function heapInUse() {
  // Finalizers and what they release take a turn and another collection.
  for (let round = 0; round < 4; round++) {
    await turn();
    gc();
  }
  return getHeapStatistics().used_heap_size;
}

/** How many objects of a class there are on the heap, heirs included, after a collection. */
export const countOf = (type) => queryObjects(type, { format: 'count' });

/** The slope of bytes over milliseconds by least squares, in MB per hour. */
export function slopeMBPerHour(samples) {
  const meanT = mean(samples.map(({ atMs }) => atMs));
  const meanBytes = mean(samples.map(({ bytes }) => bytes));
  let over = 0;
  let under = 0;
  for (const { atMs, bytes } of samples) {
    over += (atMs - meanT) * (bytes - meanBytes);
    under += (atMs - meanT) ** 2;
  }
  return ((over / under) * 3_600_000) / MB;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
