import { describe, expect, it } from 'vitest';
import { AppModule } from '../../sample/01-hashmap/src/app.module.js';
import { boot } from './support/boot.js';
import { processes } from './support/tree.js';

const initial = {
  app_name: 'Scuti',
  version: '1.0.0',
  started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
};
const json = expect.stringContaining('application/json');

describe('reading', () => {
  it('starts with what the application gave it', async () => {
    const { http } = await boot(AppModule);
    const answer = await http('GET', '/hashmap');
    expect(answer).toMatchObject({ status: 200, type: json, json: initial });
    expect(Object.keys(answer.json as object)).toEqual(['app_name', 'version', 'started_at']);
  });

  it('answers one value as JSON, a string as a JSON string', async () => {
    const { http } = await boot(AppModule);
    expect(await http('GET', '/hashmap/app_name')).toMatchObject({ status: 200, type: json, text: '"Scuti"' });
  });

  it('answers null for a key that nobody has put, or the default that is given', async () => {
    const { http } = await boot(AppModule);
    expect(await http('GET', '/hashmap/gender')).toMatchObject({ status: 200, type: json, text: 'null' });
    expect(await http('GET', '/hashmap/gender?default=x')).toMatchObject({ status: 200, type: json, text: '"x"' });
    expect((await http('GET', '/hashmap/gender?default=')).text).toBe('""');
  });

  it('does not use the default for a key that is there, be its value null', async () => {
    const { http } = await boot(AppModule);
    await http('PUT', '/hashmap/nothing', { value: null });
    expect((await http('GET', '/hashmap/app_name?default=x')).json).toBe('Scuti');
    expect((await http('GET', '/hashmap/nothing?default=x')).json).toBeNull();
  });
});

describe('writing', () => {
  it.each(['PUT', 'PATCH'])('%s answers "ok", and the value is there', async (method) => {
    const { http } = await boot(AppModule);
    expect(await http(method, '/hashmap/gender', { value: 'male' })).toMatchObject({
      status: 200,
      type: json,
      text: '"ok"',
    });
    expect((await http('GET', '/hashmap/gender')).json).toBe('male');
    expect((await http(method, '/hashmap/gender', { value: 'female' })).json).toBe('ok');
    expect((await http('GET', '/hashmap')).json).toEqual({ ...initial, gender: 'female' });
  });

  it.each([[null], [0], [false], [''], [[1, { two: 2 }]], [{ deep: { value: null } }]])(
    'takes any JSON value: %j',
    async (value) => {
      const { http } = await boot(AppModule);
      await http('PUT', '/hashmap/any', { value });
      expect((await http('GET', '/hashmap/any')).json).toEqual(value);
    },
  );

  it('deletes by a cast: 202 without a body, and the next request finds it gone', async () => {
    const { http } = await boot(AppModule);
    expect(await http('DELETE', '/hashmap/version')).toMatchObject({ status: 202, text: '' });
    expect((await http('GET', '/hashmap/version')).json).toBeNull();
    expect(await http('DELETE', '/hashmap/version')).toMatchObject({ status: 202, text: '' });
    expect(Object.keys((await http('GET', '/hashmap')).json as object)).toEqual(['app_name', 'started_at']);
  });

  it.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'crash',
    'ключ',
    '🐝',
    'a/b?c=d&e#f',
    ' ',
    '%',
    '..',
  ])('takes %j for a key like any other', async (key) => {
    const { http } = await boot(AppModule);
    const path = `/hashmap/${encodeURIComponent(key)}`;
    expect((await http('GET', path)).json).toBeNull();
    expect((await http('PUT', path, { value: { polluted: true } })).json).toBe('ok');
    expect((await http('GET', path)).json).toEqual({ polluted: true });
    const all = (await http('GET', '/hashmap')).json as object;
    expect(Object.entries(all)).toContainEqual([key, { polluted: true }]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect((await http('DELETE', path)).status).toBe(202);
    expect((await http('GET', path)).json).toBeNull();
  });

  it('keeps every one of a thousand keys that are put at once', async () => {
    const { http } = await boot(AppModule);
    const keys = Array.from({ length: 1_000 }, (_, at) => `key ${at}`);
    await Promise.all(keys.map((key, at) => http('PUT', `/hashmap/${encodeURIComponent(key)}`, { value: at })));
    const all = (await http('GET', '/hashmap')).json as Record<string, number>;
    expect(keys.map((key) => all[key])).toEqual(keys.map((_, at) => at));
  });
});

describe('bad input', () => {
  it.each([['{}'], ['[]'], ['[1]'], ['{"Value":1}'], ['{"__proto__":{"value":1}}']])(
    'a body without a value is refused: %s',
    async (body) => {
      const { http } = await boot(AppModule);
      for (const method of ['PUT', 'PATCH']) {
        const answer = await http.raw(method, '/hashmap/gender', body, { 'content-type': 'application/json' });
        expect(answer).toMatchObject({ status: 400, json: { message: expect.stringContaining('"value"') } });
      }
      expect((await http('GET', '/hashmap')).json).toEqual(initial);
    },
  );

  it.each([['['], ['{"a":']])('so is a value that is nested too deep to be given out again: %s…', async (open) => {
    const { http } = await boot(AppModule);
    const nested = (depth: number) => `{"value":${open.repeat(depth)}1${(open === '[' ? ']' : '}').repeat(depth)}}`;
    const put = (body: string) => http.raw('PUT', '/hashmap/deep', body, { 'content-type': 'application/json' });
    expect(await put(nested(64))).toMatchObject({ status: 200 });
    for (const depth of [65, 1_000, 10_000]) {
      expect(await put(nested(depth))).toMatchObject({ status: 400, json: { message: expect.stringContaining('64') } });
    }
    expect((await http('GET', '/hashmap/deep')).status).toBe(200);
  });

  it('so is no body, one that is not JSON, and one that is not said to be JSON', async () => {
    const { http } = await boot(AppModule);
    const typed = { 'content-type': 'application/json' };
    expect((await http('PUT', '/hashmap/gender')).status).toBe(400);
    expect((await http.raw('PUT', '/hashmap/gender', '{"value":', typed)).status).toBe(400);
    expect((await http.raw('PUT', '/hashmap/gender', '"male"', typed)).status).toBe(400);
    expect((await http.raw('PUT', '/hashmap/gender', '{"value":1}', { 'content-type': 'text/plain' })).status).toBe(
      400,
    );
  });

  it('a key that is no valid encoding is refused, and nothing crashes', async () => {
    const { http } = await boot(AppModule);
    expect((await http('GET', '/hashmap/%E0%A4%A')).status).toBe(400);
    expect((await processes(http))['Hashmap']).toMatchObject({ incarnation: 0 });
  });

  it('a route that does not exist is a 404', async () => {
    const { http } = await boot(AppModule);
    expect((await http('POST', '/hashmap')).status).toBe(404);
  });
});

describe('a crash', () => {
  it('tells the client 500 and nothing else', async () => {
    const { http } = await boot(AppModule);
    expect(await http('POST', '/hashmap/crash')).toMatchObject({
      status: 500,
      json: { statusCode: 500, message: 'Internal server error' },
    });
  });

  it('brings the first state back, with the same started_at, under a new pid', async () => {
    const { http } = await boot(AppModule);
    const first = (await http('GET', '/hashmap')).json;
    const before = await processes(http);
    await http('PUT', '/hashmap/gender', { value: 'male' });
    await http('PATCH', '/hashmap/started_at', { value: 'never' });
    await http('DELETE', '/hashmap/app_name');

    await http('POST', '/hashmap/crash');

    expect((await http('GET', '/hashmap')).json).toEqual(first);
    const after = await processes(http);
    expect(after['Hashmap']!.pid).not.toBe(before['Hashmap']!.pid);
    expect(after['Hashmap']).toMatchObject({ incarnation: 1, status: 'running' });
  });

  it('leaves the neighbour and the supervisors alone', async () => {
    const { http } = await boot(AppModule);
    const before = await processes(http);
    await http('POST', '/hashmap/crash');
    const after = await processes(http);
    for (const label of ['application', 'AppModule', 'Telemetry']) expect(after[label]!.pid).toBe(before[label]!.pid);
    expect((await http('GET', '/telemetry')).json).toMatchObject({ 'HashmapController.crash': 1 });
  });

  it('answers every request that was under way, one way or the other', async () => {
    const { http } = await boot(AppModule);
    const gets = Array.from({ length: 200 }, () => http('GET', '/hashmap/version'));
    const [crash, ...answers] = await Promise.all([http('POST', '/hashmap/crash'), ...gets]);
    expect(crash.status).toBe(500);
    for (const { status } of answers) expect([200, 500]).toContain(status);
    expect((await http('GET', '/hashmap/version')).json).toBe('1.0.0');
  });

  it('may happen again and again, within the budget', async () => {
    const { http } = await boot(AppModule);
    for (let time = 0; time < 3; time++) await http('POST', '/hashmap/crash');
    expect((await processes(http))['Hashmap']).toMatchObject({ incarnation: 3, status: 'running' });
    expect((await http('GET', '/hashmap/app_name')).json).toBe('Scuti');
  });
});

describe('the tree', () => {
  it('has the children in the order of the providers, under a supervisor named like the module', async () => {
    const { http } = await boot(AppModule);
    const worker = { type: 'worker', status: 'running', incarnation: 0, queueLength: 0, children: [] };
    expect(await http('GET', '/tree')).toMatchObject({
      status: 200,
      type: json,
      json: {
        label: 'application',
        type: 'supervisor',
        status: 'running',
        children: [
          {
            label: 'AppModule',
            type: 'supervisor',
            status: 'running',
            children: [
              {
                ...worker,
                label: 'Telemetry',
                pid: expect.stringMatching(/^<0\.\d+\.0>$/),
                queueLength: expect.any(Number), // it may still have to count this request
              },
              { ...worker, label: 'Hashmap', pid: expect.stringMatching(/^<0\.\d+\.0>$/) },
            ],
          },
        ],
      },
    });
  });
});

it('telemetry counts the requests by handler', async () => {
  const { http } = await boot(AppModule);
  await http('GET', '/hashmap');
  await http('GET', '/hashmap/version');
  await http('GET', '/hashmap/app_name');
  expect((await http('GET', '/telemetry')).json).toEqual({
    'HashmapController.getAll': 1,
    'HashmapController.get': 2,
    'TelemetryController.counts': 1,
  });
});
