// Sends arbitrary requests at dispatch and at the first sample: node run.mjs [--requests 1000000] [--seed 1]
// The requests are sent by a process of its own, so that a crash of Node is something to count.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';

const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } });
const requests = Number(values.requests ?? 1_000_000);
const seed = Number(values.seed ?? 1);

if (process.send === undefined) {
  let report;
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2));
  child.on('message', (message) => (report = message));
  child.on('exit', (code, signal) => {
    const isDead = report === undefined;
    if (isDead) console.log(`Node ended with ${signal ?? code} before it was done`);
    const { crashes = 1, prototypeChanges = '?', undecorated = '?', overHttp = '?', surprises = [] } = report ?? {};
    for (const surprise of surprises) console.log(surprise);
    console.log(`${overHttp} of them over HTTP, ${surprises.length} surprises`);
    console.log(
      `${requests} requests, ${crashes} crashes, ${prototypeChanges} prototype changes, ${undecorated} undecorated methods, seed ${seed}`,
    );
    process.exitCode = isDead || crashes + prototypeChanges + undecorated + surprises.length > 0 ? 1 : 0;
  });
} else {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const vite = await createServer({
    root,
    configFile: `${root}vitest.config.ts`,
    logLevel: 'error',
    appType: 'custom',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  const { fuzz } = await vite.ssrLoadModule('/test/fuzz/fuzz.ts');
  const report = await fuzz(requests, seed);
  await vite.close();
  process.send(report, () => process.disconnect());
}
