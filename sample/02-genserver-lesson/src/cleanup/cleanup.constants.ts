export const CLEANUP_EVERY_MS = Symbol('CLEANUP_EVERY_MS');
