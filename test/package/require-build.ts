import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Says what to do when a file of dist is not there: these specs run what was built, and build nothing. */
export function requireBuild(file: string): void {
  const path = fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`No dist/${file} to test. Run \`npm run build\` first.`);
}
