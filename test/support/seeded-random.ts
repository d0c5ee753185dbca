export { seededRandom } from '../../lib/testing/seeded-random.js';
