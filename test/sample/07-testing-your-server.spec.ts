import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { blocks } from './support/transcript.js';

// The sample's own tests, in its folder, are run with these.

it('finds the race in the plain service and none in the server, as its README shows', async () => {
  const readme = readFileSync(new URL('../../sample/07-testing-your-server/README.md', import.meta.url), 'utf8');
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text));
  try {
    await import('../../sample/07-testing-your-server/src/main.js');
  } finally {
    log.mockRestore();
  }
  expect(printed.join('\n')).toBe(blocks(readme, 'text')[0]);
});
