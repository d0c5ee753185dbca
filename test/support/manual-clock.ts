export { ManualClock } from '../../lib/testing/manual-clock.js';
export { settle } from '../../lib/testing/settle.js';
