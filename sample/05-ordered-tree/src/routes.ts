const ROUTES = [
  ['GET', '/ready', '200 when the tree is up, else 503'],
  ['GET', '/orders', 'what was sold, and what is left'],
  ['POST', '/orders', '{ "item": "tea" }; takes a second'],
  ['POST', '/crash/link', 'ends the first; /crash/stock the second, /crash/orders the third'],
  ['GET', '/tree', 'the supervision tree as JSON'],
] as const;

/** What there is to try, as a table for the terminal. */
export function routes(url: string): string {
  const lines = ROUTES.map(([method, path, what]) => `  ${method.padEnd(7)}${path.padEnd(13)}${what}`);
  return `Routes of ${url}\n\n${lines.join('\n')}`;
}
