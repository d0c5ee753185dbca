// The door of what tests of applications and of adapters use. It imports no test runner.

export {
  pubSubAdapterContract,
  type PubSubAdapterContractOptions,
  type PubSubAdapterGroup,
  type TestFunctions,
} from './contracts/pub-sub-adapter.contract.js';
