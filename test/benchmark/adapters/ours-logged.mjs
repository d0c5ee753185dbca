import ours, { boot } from './ours.mjs';

const drop = () => undefined;

export default {
  ...ours,
  name: 'nestjs-genserver, logging',
  note: 'crashes are reported, with the stack of the error, to a logger that drops the lines',
  setup: () => boot({ log: drop, error: drop, warn: drop, debug: drop, verbose: drop, fatal: drop }),
  skip: [
    'seqCall',
    'seqCallAsync',
    'pipelined',
    'cast',
    'spawn',
    'pingpong',
    'fairness',
    'population',
    'starts',
    'depth',
  ],
};
