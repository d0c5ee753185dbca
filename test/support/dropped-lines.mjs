const drop = () => undefined;

/** A logger that drops what it gets. Unlike `logger: false` it lets reports be put into words, which is a part of what is tested. */
export const droppedLines = { log: drop, error: drop, warn: drop, debug: drop, verbose: drop, fatal: drop };
