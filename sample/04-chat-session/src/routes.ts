const ROUTES = [
  ['GET', '/chats', 'how many processes there are, and the tree'],
  ['GET', '/chats/:chat', 'the turns of a conversation'],
  ['POST', '/chats/:chat/turns', '{ "question": "What is a process?" }'],
  ['GET', '/chats/:chat/turns/:turn/tokens', 'the answer, as it comes (SSE)'],
  ['DELETE', '/chats/:chat/turns/:turn', 'aborts a turn, also one that waits'],
  ['POST', '/chats/:chat/crash', 'crashes the process of the conversation; a cast'],
] as const;

/** What there is to try, as a table for the terminal. */
export function routes(url: string): string {
  const lines = ROUTES.map(([method, path, what]) => `  ${method.padEnd(7)}${path.padEnd(33)}${what}`);
  return `Routes of ${url}\n\n${lines.join('\n')}`;
}
