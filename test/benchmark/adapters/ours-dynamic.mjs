import { KeyedCounter } from '../lib/keyed-application.mjs';
import { keyedAdapter } from './ours-keyed.mjs';

const { setup, teardown } = keyedAdapter(KeyedCounter);

export default {
  kind: 'library',
  name: 'nestjs-genserver, dynamic',
  note: 'dynamic servers without a key, started and stopped by pid through the injected DynamicSupervisorClient',
  setup,
  spawn: ({ servers }) => servers.startChild(),
  despawn: ({ servers }, pid) => servers.terminateChild(pid),
  teardown,
  skip: ['seqCall', 'seqCallAsync', 'pipelined', 'cast', 'pingpong', 'restart', 'fairness', 'population', 'depth'],
};
