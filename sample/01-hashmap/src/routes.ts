const ROUTES = [
  ['GET', '/hashmap', 'everything'],
  ['GET', '/hashmap/:key', 'one value, or null'],
  ['GET', '/hashmap/:key?default=x', 'one value, or "x"'],
  ['PUT', '/hashmap/:key', '{ "value": … } puts a value: "ok"'],
  ['PATCH', '/hashmap/:key', '{ "value": … } updates a value: "ok"'],
  ['DELETE', '/hashmap/:key', 'deletes; a cast, so 202 and no body'],
  ['POST', '/hashmap/crash', 'a handler throws; look at the tree afterwards'],
  ['GET', '/telemetry', 'how often each route was used'],
  ['GET', '/tree', 'the supervision tree as JSON'],
] as const;

/** What there is to try, as a table for the terminal. */
export function routes(url: string): string {
  const lines = ROUTES.map(([method, path, what]) => `  ${method.padEnd(7)}${path.padEnd(25)}${what}`);
  return `Routes of ${url}\n\n${lines.join('\n')}`;
}
