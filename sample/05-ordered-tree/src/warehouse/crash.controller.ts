import { Controller, NotFoundException, Param, Post, ServiceUnavailableException, type Type } from '@nestjs/common';
import { type GenServerEvent, GenServerRuntime } from 'nestjs-genserver';
import { filter, firstValueFrom } from 'rxjs';
import { Link } from './link.server.js';
import { Orders } from './orders.server.js';
import { Stock } from './stock.server.js';

/** In the order in which they are started. */
const SERVERS: readonly Type[] = [Link, Stock, Orders];

/** Ends one of the three and shows who had to go with it. */
@Controller('crash')
export class CrashController {
  constructor(private readonly runtime: GenServerRuntime) {}

  @Post(':server')
  async crash(@Param('server') name: string) {
    const server = SERVERS.find((other) => other.name.toLowerCase() === name);
    if (server === undefined) throw new NotFoundException('There are /crash/link, /crash/stock and /crash/orders');
    const before = this.pids();
    if ([...before.values()].includes(null)) throw new ServiceUnavailableException('Not all of them are there');

    const isOver = firstValueFrom(this.runtime.events$.pipe(filter(untilAllAreBack())));
    this.runtime.exit(server, new Error('somebody asked for it'));
    await isOver;

    const after = this.pids();
    return SERVERS.map((each) => {
      const pids = { before: before.get(each), after: after.get(each) };
      return { server: each.name, ...pids, restarted: pids.before !== pids.after };
    });
  }

  private pids(): ReadonlyMap<Type, string | null> {
    return new Map(SERVERS.map((server) => [server, this.runtime.whereis(server)?.toString() ?? null]));
  }
}

/** Is true for the event with which the last of those that have ended is back, or the whole tree has given up. */
function untilAllAreBack(): (event: GenServerEvent) => boolean {
  const missing = new Set<string>();
  return (event) => {
    switch (event.type) {
      case 'supervisor.child_exited':
      case 'supervisor.child_stopped':
        missing.add(event.childId);
        return false;
      case 'supervisor.started': // with new children for all it had
        missing.clear();
        return false;
      case 'supervisor.child_restarted':
        missing.delete(event.childId);
        return missing.size === 0;
      case 'supervisor.stopped':
        return event.isRoot;
      default:
        return false;
    }
  };
}
