// The door of what tests of applications and of adapters use. It imports no test runner.

// Time and quiet
export { ManualClock, type ManualClockOptions } from './manual-clock.js';
export { settle } from './settle.js';

// What can go wrong in a test
export { ManualClockError, ProbeError, UnsettledError } from './errors.js';

// Duties, as suites that run on an implementation of yours
export {
  pubSubAdapterContract,
  type PubSubAdapterContractOptions,
  type PubSubAdapterGroup,
  type TestFunctions,
} from './contracts/pub-sub-adapter.contract.js';
