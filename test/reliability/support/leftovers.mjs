// What an application leaves behind: in its tables, on the heap, and with the platform.
import './application.mjs';
import { countOf } from './heap.mjs';

const { CallRequest, Deadline, Monitor, OwnedEntry, Pid, Process } = await import('../../../dist/internals.cjs');

/** How much is in the tables of a running world. */
export function tablesOf({ runtime }) {
  const count = (of) => [...runtime.processes()].reduce((sum, process) => sum + of(process), 0);
  return {
    processes: runtime.processCount,
    names: [...runtime.localNames.names()].length + [...runtime.globalNames.names()].length,
    links: count(({ links, isLinkedToParent }) => (links?.size ?? 0) + (isLinkedToParent ? 1 : 0)),
    watchers: count(({ watchers }) => watchers?.size ?? 0),
    watching: count(({ watching }) => watching?.size ?? 0),
    timers: count(({ timers }) => timers?.size ?? 0),
    deadlines: runtime.deadlines.isEmpty ? 0 : 1,
    queued: count(({ queueLength }) => queueLength),
  };
}

/** The tables that hold anything, for an application that has been closed: none should. */
export const leftIn = (world) => Object.entries(tablesOf(world)).filter(([, count]) => count > 0);

/** The class of the platform's timers, which has no name to import it by. */
function timerClass() {
  const timer = setTimeout(() => undefined);
  clearTimeout(timer);
  return timer.constructor;
}

const TYPES = {
  processes: Process,
  pids: Pid,
  monitors: Monitor,
  deadlines: Deadline,
  calls: CallRequest,
  entries: OwnedEntry,
  /** Those of the platform, which no list of handles shows when they do not keep Node alive. */
  timers: timerClass(),
};
/** The prototypes of heirs count as objects of their class, and of some classes one object is kept for ever. */
const THERE_FROM_THE_START = Object.fromEntries(Object.entries(TYPES).map(([name, type]) => [name, countOf(type)]));

/** How many objects of the library's are on the heap. When every application is closed and forgotten, there should be none. */
export function objectsOnHeap() {
  return Object.entries(TYPES).map(([name, type]) => [name, countOf(type) - THERE_FROM_THE_START[name]]);
}

/** What keeps Node busy, apart from its own input and output. */
export function handles() {
  const own = new Set(['TTYWrap', 'PipeWrap', 'FSReqCallback', 'FSReqPromise', 'SignalWrap']);
  return process.getActiveResourcesInfo().filter((name) => !own.has(name));
}

/** What is there now and was not before. */
export function handlesBeyond(before) {
  const rest = [...before];
  return handles().filter((name) => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

/** Anything in these counts, as text; `none` when there is nothing. */
export function printCounts(entries) {
  const found = entries.filter(([, count]) => count > 0);
  return found.length === 0 ? 'none' : found.map(([name, count]) => `${count} ${name}`).join(', ');
}
