import { keyedApplication, KeyedCounter } from '../lib/keyed-application.mjs';

/** What servers on demand have in common; which class they are of differs. */
export const keyedAdapter = (type) => ({
  kind: 'library',
  async setup() {
    return { ...(await keyedApplication(type)), started: 0 };
  },
  /** The client that a controller has after `getOrStart`. */
  async start(ctx, { async } = {}) {
    const client = await ctx.servers.getOrStart(ctx.started++);
    return { client, async };
  },
  call: (ctx, { client, async }) => (async ? client.incA() : client.inc()),
  cast: (ctx, { client }) => client.add(),
  flush: (ctx, { client }) => client.with({ timeoutMs: Infinity }).inc(),
  /** Process, key and supervision entry; nobody holds a client. */
  spawn: ({ servers }, key) => servers.startChild({ key }),
  despawn: ({ servers }, pid, key) => servers.terminateChild({ key }),
  teardown: ({ app }) => app.close(),
});

export default {
  ...keyedAdapter(KeyedCounter),
  name: 'nestjs-genserver, keyed',
  note: 'one process per key: the client that the injected DynamicSupervisorClient gave; started and stopped by key',
  skip: ['pingpong', 'restart', 'fairness', 'depth'],
};
