// The door of what tests of applications and of adapters use. It imports no test runner.

// Time and quiet
export { ManualClock, type ManualClockOptions } from './manual-clock.js';
export { settle } from './settle.js';

// Servers of a test
export {
  startSupervised,
  stopSupervised,
  type SupervisedBehaviourOptions,
  type SupervisedOptions,
} from './start-supervised.js';
export { TestWorld, type TestWorldOptions } from './test-world.js';

// Applications under test
export { closeWith, type OverridesProviders, withManualClock } from './nest-application.js';

// The other side
export { TestProbe, type TestProbeOptions, type WaitOptions, type ProbeWorld } from './test-probe.js';
export type { Matcher } from './matching.js';

// Races
export { explore, type ExploreContext, type ExploreOptions, type ExploreReport, type Scenario } from './explore.js';

// What can go wrong in a test
export { ExploreError, type FailedRun, ManualClockError, ProbeError, UnsettledError } from './errors.js';

// Duties, as suites that run on an implementation of yours
export {
  pubSubAdapterContract,
  type PubSubAdapterContractOptions,
  type PubSubAdapterGroup,
} from './contracts/pub-sub-adapter.contract.js';
export { nameServiceContract, type NameServiceContractOptions } from './contracts/name-service.contract.js';
export type { TestFunctions } from './contracts/test-functions.js';
