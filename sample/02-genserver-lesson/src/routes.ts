const ROUTES = [
  ['GET', '/counter', 'how far it has counted'],
  ['POST', '/counter/increment', '{ "amount": 5 }, or no body for 1; a cast'],
  ['GET', '/setup/by-message', 'answers at once, ready or not'],
  ['GET', '/setup/by-continue', 'answers when it is ready'],
  ['POST', '/slow', 'takes two seconds'],
  ['GET', '/slow', 'meanwhile answers at once'],
  ['GET', '/kv', 'the keys; ?store=other asks the second store'],
  ['GET', '/kv/:key', 'one value; ?store=other'],
  ['PUT', '/kv/:key', '{ "value": … }; ?store=other'],
  ['DELETE', '/kv/:key', 'a cast; ?store=other'],
  ['GET', '/cache/:key', 'one value'],
  ['PUT', '/cache/:key', '{ "value": … }; a cast'],
  ['GET', '/sessions', 'those that were used lately'],
  ['POST', '/sessions/:id', 'uses a session; a cast'],
  ['GET', '/monitor', 'who is watched'],
  ['POST', '/monitor/:worker', 'watches worker:a or worker:b'],
  ['POST', '/monitor/:worker/crash', 'crashes it'],
  ['GET', '/cart', 'the items'],
  ['GET', '/cart/total', 'the sum of their prices'],
  ['POST', '/cart', '{ "item": "tea", "price": 450 }, in cents'],
  ['DELETE', '/cart/:item', 'removes the first of that name'],
  ['DELETE', '/cart', 'empties it; a cast'],
  ['GET', '/naming/class', 'a process found by its class'],
  ['GET', '/naming/global', 'a process found by { global }'],
  ['POST', '/naming/users/:id', 'starts a process found by { via }'],
  ['GET', '/naming/users/:id', 'asks it'],
  ['PUT', '/naming/users/:id/nickname', '{ "value": "ada" }; a plain message'],
  ['DELETE', '/naming/users/:id', 'stops it'],
  ['GET', '/tree', 'the supervision tree as JSON'],
] as const;

/** What there is to try, as a table for the terminal. */
export function routes(url: string): string {
  const lines = ROUTES.map(([method, path, what]) => `  ${method.padEnd(7)}${path.padEnd(28)}${what}`);
  return `Routes of ${url}\n\n${lines.join('\n')}`;
}
