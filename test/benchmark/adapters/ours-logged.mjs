import { droppedLines } from '../../support/dropped-lines.mjs';
import { MESSAGE_SCENARIOS } from '../lib/suites.mjs';
import ours, { boot } from './ours.mjs';

export default {
  ...ours,
  name: 'nestjs-genserver, logging',
  note: 'crashes are reported, with the stack of the error, to a logger that drops the lines',
  setup: () => boot(droppedLines),
  skip: MESSAGE_SCENARIOS.filter((scenario) => scenario !== 'restart'),
};
