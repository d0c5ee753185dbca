import { CounterWithDependencies } from '../lib/keyed-application.mjs';
import { keyedAdapter } from './ours-keyed.mjs';

export default {
  ...keyedAdapter(CounterWithDependencies),
  name: 'nestjs-genserver, keyed, with 3 dependencies',
  note: 'the same with three singleton services in the constructor, injected into each process',
  skip: ['seqCall', 'seqCallAsync', 'pipelined', 'cast', 'pingpong', 'restart', 'fairness', 'population', 'depth'],
};
