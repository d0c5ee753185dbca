import type { BroadcastReceiver, PubSubAdapter, TopicBroadcast } from '../../../lib/registry/pub-sub-adapter.js';

/** Nodes in one process that reach each other over a line which carries copies, when it is told to. */
export class InMemoryCluster {
  readonly receivers = new Map<string, BroadcastReceiver>();
  private readonly line: { readonly to: string; readonly broadcast: TopicBroadcast }[] = [];

  node(nodeName: string): PubSubAdapter {
    return new InMemoryAdapter(nodeName, this);
  }

  send(to: string, broadcast: TopicBroadcast): void {
    this.line.push({ to, broadcast: structuredClone(broadcast) });
  }

  /** Lets everything arrive that is on the line. */
  flush(): void {
    for (let next = this.line.shift(); next !== undefined; next = this.line.shift()) {
      this.receivers.get(next.to)?.(next.broadcast);
    }
  }
}

class InMemoryAdapter implements PubSubAdapter {
  constructor(
    readonly nodeName: string,
    private readonly cluster: InMemoryCluster,
  ) {}

  async connect(receive: BroadcastReceiver): Promise<void> {
    await Promise.resolve();
    this.cluster.receivers.set(this.nodeName, receive);
  }

  broadcast(broadcast: TopicBroadcast): void {
    if (!this.isConnected) return;
    for (const other of this.cluster.receivers.keys()) {
      if (other !== this.nodeName) this.cluster.send(other, broadcast);
    }
  }

  directBroadcast(nodeName: string, broadcast: TopicBroadcast): void {
    if (this.isConnected) this.cluster.send(nodeName, broadcast);
  }

  disconnect(): void {
    this.cluster.receivers.delete(this.nodeName);
  }

  private get isConnected(): boolean {
    return this.cluster.receivers.has(this.nodeName);
  }
}
