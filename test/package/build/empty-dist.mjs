// Empties dist, so that nothing of an earlier build is tested or packed.
import { rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
