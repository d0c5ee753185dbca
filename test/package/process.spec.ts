import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { requireBuild } from './require-build.js';

const fixture = fileURLToPath(new URL('./fixtures/application.mjs', import.meta.url));

interface Ending {
  readonly lines: readonly string[];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

/** Runs the fixture to its end. `signals` are sent when it says that it is ready. */
function run(scenario: string, signals: readonly NodeJS.Signals[] = []): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', fixture, scenario], { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const wasReady = output.includes('ready\n');
      output += chunk;
      if (!wasReady && output.includes('ready\n')) for (const signal of signals) child.kill(signal);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    child.on('close', (code, signal) => resolve({ lines: output.trimEnd().split('\n'), code, signal, errors }));
  });
}

beforeAll(() => requireBuild('esm/index.js'));

describe('a Node process with servers', () => {
  const shutdown = (signal: string) => [
    'terminate',
    'terminated',
    'onModuleDestroy',
    `onApplicationShutdown ${signal}`,
  ];

  it('stops them on SIGTERM before anything is destroyed, with enableShutdownHooks()', async () => {
    expect(await run('wait for a signal', ['SIGTERM'])).toEqual({
      lines: ['init', 'ready', ...shutdown('SIGTERM')],
      code: null,
      signal: 'SIGTERM',
      errors: '',
    });
  });

  it('stops them once when two signals come', async () => {
    const { lines } = await run('wait for a signal', ['SIGTERM', 'SIGINT', 'SIGTERM']);
    expect(lines.filter((line) => line === 'terminate')).toHaveLength(1);
    expect(lines.filter((line) => line === 'onModuleDestroy')).toHaveLength(1);
  });

  it('ends by itself after close(), since no handle is open', async () => {
    expect(await run('close')).toEqual({
      lines: ['init', ...shutdown('undefined'), 'closed'],
      code: 0,
      signal: null,
      errors: '',
    });
  });

  it('is not kept alive by servers that wait for messages', async () => {
    expect(await run('do nothing')).toEqual({ lines: ['init'], code: 0, signal: null, errors: '' });
  });

  it('survives crashes of handlers, with no unhandled rejection', async () => {
    const { lines, code, errors } = await run('crash');
    // Whether a watcher hears of the end before or after the next incarnation is up is a matter of the time slice.
    const ofTheServers = lines.filter((line) => line !== 'boom');
    expect({ ofTheServers, code, errors }).toEqual({
      ofTheServers: ['init', 'terminate', 'terminated', 'init', ...shutdown('undefined')],
      code: 0,
      errors: '',
    });
    expect(lines.slice(3, 5)).toContain('boom');
  });
});

describe('an exception that no server owns', () => {
  it('is left to Node, which says what it was and ends with exit code 1, also with attributeExceptions', async () => {
    const { code, signal, errors } = await run('throw where no server is');
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(errors).toContain('Error: nobody caught this');
  });
});

describe('a supervision tree that gives up', () => {
  it('runs the hooks of Nest and ends the process with exit code 1, also where nobody listens to signals', async () => {
    const { lines, code, signal } = await run('give up');
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(lines).toContain('onModuleDestroy');
  });

  it('lets the shutdown hooks run first, where the application has enabled them', async () => {
    const { lines, code, signal } = await run('give up with hooks');
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(lines.filter((line) => line.startsWith('on'))).toEqual(['onModuleDestroy', 'onApplicationShutdown SIGTERM']);
  });
});
