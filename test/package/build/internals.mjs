// What the programs of test/reliability and test/benchmark look at inside of the package as it is shipped. Built next to it, and not
// shipped.
export { blueprintOfBehaviour } from '../../../dist/modules/gen-server/behaviour.js';
export { CallRequest } from '../../../dist/modules/gen-server/process/call-request.js';
export { GenServerOrchestrator } from '../../../dist/modules/nest/tree/gen-server.orchestrator.js';
export { OwnedEntry } from '../../../dist/modules/registry/owned-entries.js';
export { Deadline } from '../../../dist/modules/runtime/time/deadline.js';
export { Monitor } from '../../../dist/modules/runtime/relations/relations.js';
export { Pid } from '../../../dist/modules/runtime/pid.js';
export { Process } from '../../../dist/modules/runtime/process.js';
