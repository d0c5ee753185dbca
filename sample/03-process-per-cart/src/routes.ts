const ROUTES = [
  ['GET', '/carts', 'how many processes there are, and the tree'],
  ['GET', '/carts/:owner', 'the items'],
  ['GET', '/carts/:owner/total', 'what they cost; takes a moment'],
  ['POST', '/carts/:owner', '{ "item": "tea", "quantity": 2 }'],
  ['POST', '/carts/:owner/checkout', 'buys everything; takes a moment'],
  ['DELETE', '/carts/:owner', 'empties it; a cast'],
] as const;

/** What there is to try, as a table for the terminal. */
export function routes(url: string): string {
  const lines = ROUTES.map(([method, path, what]) => `  ${method.padEnd(7)}${path.padEnd(24)}${what}`);
  return `Routes of ${url}\n\n${lines.join('\n')}`;
}
