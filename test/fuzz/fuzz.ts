import { seededRandom } from '../support/seeded-random.js';
import { Arbitrary } from './arbitrary.js';
import { DispatchTarget } from './dispatch.js';
import { HashmapTarget } from './hashmap.js';
import { PrototypeWatch } from './prototypes.js';

export interface FuzzReport {
  readonly requests: number;
  /** How many of them went over HTTP. */
  readonly overHttp: number;
  readonly crashes: number;
  readonly prototypeChanges: number;
  readonly undecorated: number;
  /** What should not have happened, in words. */
  readonly surprises: readonly string[];
}

/** One of so many requests goes over HTTP, which is slow. */
const HTTP_EVERY = 20;
/** How many are on their way at a time. */
const BATCH = 50;
const LOOK_EVERY = 10_000;

/** Sends so many arbitrary requests, the same for the same seed, and tells what came of them. */
export async function fuzz(requests: number, seed: number): Promise<FuzzReport> {
  const of = new Arbitrary(seededRandom(seed));
  const dispatch = await DispatchTarget.start();
  const hashmap = await HashmapTarget.start();
  const prototypes = new PrototypeWatch(DispatchTarget.classes);
  let prototypeChanges = 0;
  let overHttp = 0;
  for (let sent = 0; sent < requests;) {
    const batch: Promise<void>[] = [];
    for (; batch.length < BATCH && sent < requests; sent++) {
      const isHttp = sent % HTTP_EVERY === 0;
      if (isHttp) overHttp++;
      batch.push(isHttp ? hashmap.request(of) : dispatch.request(of));
    }
    await Promise.all(batch);
    if (sent % LOOK_EVERY === 0) prototypeChanges += prototypes.changes();
  }
  const findings = [await dispatch.end(), await hashmap.end()];
  prototypeChanges += prototypes.changes();
  return {
    requests,
    overHttp,
    crashes: findings.reduce((sum, { crashes }) => sum + crashes, 0),
    prototypeChanges,
    undecorated: findings.reduce((sum, { undecorated }) => sum + undecorated, 0),
    surprises: findings.flatMap(({ surprises }) => surprises),
  };
}
