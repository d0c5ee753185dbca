import { markAsHandle } from '../runtime/isolation/handle.js';
import type { Self } from '../gen-server/self.js';
import { SENT_ENVELOPE } from '../runtime/mailbox/envelope.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { Pid } from '../runtime/pid.js';
import type { TopicService } from '../runtime/ports.js';
import { print } from '../runtime/secrets/print.js';
import { type Process, processOf } from '../runtime/process.js';
import type { Runtime } from '../runtime/runtime.js';
import type { BroadcastDropped } from './events.js';
import { Listeners } from './listeners.js';
import { OwnedEntries } from './owned-entries.js';
import { actingProcess } from './participants.js';
import { LocalPubSubAdapter, type PubSubAdapter, type TopicBroadcast } from './pub-sub-adapter.js';

/** One subscription of a process, as a dispatcher sees it. */
export interface Subscription {
  readonly pid: Pid;
  /** What the process subscribed with. */
  readonly metadata: unknown;
}

/**
 * Delivers a message in a way of the application's own (B4): to some subscribers only, or in another form for each.
 *
 * @param subscriptions  Those of the topic on this node, the oldest first, each as often as it was made.
 * @param from  The process whose subscriptions are to be skipped: given by `broadcastFrom`, on its own node.
 * @param deliver  Puts a plain message into the mailbox of a subscriber.
 */
export type Dispatcher = (
  subscriptions: readonly Subscription[],
  from: Pid | undefined,
  message: unknown,
  deliver: (pid: Pid, message: unknown) => void,
) => void;

/** How a PubSub is connected. */
export interface PubSubOptions {
  /** What connects it to other nodes. Default: none, there is one node. */
  readonly adapter?: PubSubAdapter;
  /**
   * Dispatchers by name. A broadcast names one and runs it on every node, so all nodes must know it. Default: none.
   */
  readonly dispatchers?: Readonly<Record<string, Dispatcher>>;
}

export interface BroadcastOptions {
  /** The name of the dispatcher that delivers to processes. Default: every subscription gets the message. */
  readonly dispatcher?: string;
}

/**
 * Topics that processes subscribe to and anybody broadcasts on: `Phoenix.PubSub`. A topic is any string, compared as it is; there
 * are no wildcards. Messages arrive as plain info messages, by reference, in the order of each broadcaster (B2).
 *
 * A subscription belongs to a process and ends with it (B3). Code outside of any process uses {@link listen}.
 *
 * @publicApi
 */
export class PubSub implements TopicService {
  private readonly subscriptions = new OwnedEntries<string, unknown>();
  private readonly listeners = new Map<string, Listeners<unknown>>();
  private readonly dispatchers = new Map<string, Dispatcher>();
  private adapter: PubSubAdapter = new LocalPubSubAdapter();
  private status: 'unconnected' | 'connected' | 'closed' = 'unconnected';
  /** Resolves when the attempt to connect that is under way is over, with the adapter that it has connected. */
  private connecting: Promise<PubSubAdapter | undefined> = Promise.resolve(undefined);
  private closing: Promise<void> | undefined;

  constructor(readonly runtime: Runtime) {}

  /** The name of this node, for `directBroadcast` on others. */
  get nodeName(): string {
    return this.adapter.nodeName;
  }

  // --- hear ---------------------------------------------------------------------------------------------------------------

  /**
   * Subscribes a process to a topic (B1). Subscribing twice delivers twice.
   *
   * @param self  The process that subscribes: `this.self`. One that has ended does nothing.
   */
  subscribe(self: Self, topic: string, { metadata }: { readonly metadata?: unknown } = {}): void {
    assertTopic(topic);
    const process = this.acting(self);
    if (process !== undefined) this.subscriptions.add(process, topic, metadata);
  }

  /** Ends all subscriptions of a process to a topic. Harmless when there is none. What was delivered already is not taken back. */
  unsubscribe(self: Self, topic: string): void {
    assertTopic(topic);
    const process = this.acting(self);
    if (process === undefined) return;
    for (const subscription of this.subscriptions.ownedBy(process, topic)) this.subscriptions.remove(subscription);
  }

  /**
   * Calls a function with each message on a topic: for gateways, controllers and whatever else is no process. It is called at
   * once, in the context that the runtime was made in, never in the broadcaster's. When it throws, or its promise rejects, it is
   * detached and the event `registry.listener_detached` tells of it; the broadcaster and the others do not notice.
   *
   * @param onClosed  Called when the PubSub is closed while the function still listens.
   * @returns How to stop.
   */
  listen(topic: string, listener: (message: unknown) => unknown, onClosed?: () => void): () => void {
    assertTopic(topic);
    if (this.status === 'closed') {
      onClosed?.();
      return () => undefined;
    }
    let listeners = this.listeners.get(topic);
    if (listeners === undefined) {
      const { runtime } = this;
      const onEmpty = (): void => void this.listeners.delete(topic);
      this.listeners.set(topic, (listeners = new Listeners({ runtime, source: `topic '${topic}'`, onEmpty })));
    }
    return listeners.add(listener, onClosed);
  }

  /** The topics with subscriptions or listeners on this node. */
  topics(): readonly string[] {
    return [...new Set([...this.subscriptions.keys(), ...this.listeners.keys()])];
  }

  // --- tell ---------------------------------------------------------------------------------------------------------------

  /**
   * Sends a message to all who subscribe or listen to a topic, on all nodes. It is fine when there are none (B2).
   *
   * @throws What the adapter throws when no other node can be reached: then no subscriber on this node gets the message either.
   * @throws {InvalidArgumentError} The topic is no string, or the dispatcher is not known. Nothing was sent.
   */
  broadcast(topic: string, message: unknown, options: BroadcastOptions = {}): void {
    this.tell(undefined, topic, message, options);
  }

  /** The same, skipping all subscriptions of the process that broadcasts. One that has ended does nothing. */
  broadcastFrom(self: Self, topic: string, message: unknown, options: BroadcastOptions = {}): void {
    const from = this.acting(self);
    if (from !== undefined) this.tell(from, topic, message, options);
  }

  /** The same as {@link broadcast}, on this node only. */
  localBroadcast(topic: string, message: unknown, options: BroadcastOptions = {}): void {
    this.dispatch(undefined, this.checked(topic, message, options));
  }

  /** The same as {@link broadcastFrom}, on this node only. */
  localBroadcastFrom(self: Self, topic: string, message: unknown, options: BroadcastOptions = {}): void {
    const from = this.acting(self);
    if (from !== undefined) this.dispatch(from, this.checked(topic, message, options));
  }

  /** The same as {@link broadcast}, on the node of that name only. A node that is not known is harmless. */
  directBroadcast(nodeName: string, topic: string, message: unknown, options: BroadcastOptions = {}): void {
    const broadcast = this.checked(topic, message, options);
    if (nodeName === this.nodeName) this.dispatch(undefined, broadcast);
    else this.adapter.directBroadcast(nodeName, broadcast);
  }

  // --- life ---------------------------------------------------------------------------------------------------------------

  /**
   * Connects it to other nodes and teaches it dispatchers. Until it has resolved, broadcasts stay on this node. At most once; when
   * the adapter rejects, it may be tried again. Rejects when the PubSub is closed meanwhile: the adapter is disconnected then.
   */
  async connect({ adapter, dispatchers = {} }: PubSubOptions): Promise<void> {
    if (this.status !== 'unconnected') {
      throw new InvalidArgumentError(`This PubSub is ${this.status} already: it is connected at most once.`);
    }
    this.status = 'connected';
    for (const [name, dispatcher] of Object.entries(dispatchers)) this.dispatchers.set(name, dispatcher);
    if (adapter === undefined) return;
    const connected = this.connectTo(adapter);
    this.connecting = connected.then(
      () => adapter,
      () => undefined,
    );
    await connected;
    if (this.isClosed) throw new InvalidArgumentError('This PubSub was closed while it was being connected.');
    this.adapter = adapter;
  }

  /**
   * Ends all subscriptions and listeners and leaves the cluster, also one that is only being joined. From then on nobody hears anything
   * here, and what is said goes nowhere. Closing twice is closing once.
   */
  close(): Promise<void> {
    return (this.closing ??= this.leave());
  }

  private async connectTo(adapter: PubSubAdapter): Promise<void> {
    try {
      await adapter.connect((broadcast) => this.receive(broadcast));
    } catch (error) {
      if (!this.isClosed) this.status = 'unconnected';
      throw error;
    }
  }

  private async leave(): Promise<void> {
    this.status = 'closed';
    this.subscriptions.clear();
    for (const listeners of [...this.listeners.values()]) listeners.close();
    this.listeners.clear();
    const { adapter } = this;
    this.adapter = new LocalPubSubAdapter(adapter.nodeName);
    await ((await this.connecting) ?? adapter).disconnect();
  }

  /** Asked after an `await`, where the compiler would take the status for what it was before. */
  private get isClosed(): boolean {
    return this.status === 'closed';
  }

  private acting(self: Self): Process | undefined {
    const process = actingProcess(this.runtime, self);
    return this.status === 'closed' ? undefined : process;
  }

  private tell(from: Process | undefined, topic: string, message: unknown, options: BroadcastOptions): void {
    const broadcast = this.checked(topic, message, options);
    this.adapter.broadcast(broadcast);
    this.dispatch(from, broadcast);
  }

  private checked(topic: string, message: unknown, { dispatcher }: BroadcastOptions): TopicBroadcast {
    assertTopic(topic);
    if (dispatcher !== undefined) this.getDispatcher(dispatcher);
    return { topic, message, dispatcher };
  }

  /** What comes from another node must not throw: the adapter that carries it would not know what to do with an error. */
  private receive(broadcast: TopicBroadcast): void {
    if (this.status === 'closed') return;
    try {
      this.dispatch(undefined, broadcast);
    } catch (error) {
      if (!this.runtime.events.wants('registry.broadcast_dropped')) return;
      const event: BroadcastDropped = { type: 'registry.broadcast_dropped', topic: broadcast.topic, error };
      this.runtime.events.emit(event);
    }
  }

  private dispatch(from: Process | undefined, { topic, message, dispatcher }: TopicBroadcast): void {
    const subscriptions = this.subscriptions.of(topic);
    if (dispatcher !== undefined) {
      const dispatch = this.getDispatcher(dispatcher);
      const seen = subscriptions.map(({ pid, value }) => ({ pid, metadata: value }));
      if (seen.length > 0) dispatch(seen, from?.pid, message, deliver);
    } else {
      for (const { owner } of subscriptions) if (owner !== from) owner.deliver(SENT_ENVELOPE, message);
    }
    this.listeners.get(topic)?.tell(message);
  }

  private getDispatcher(name: string): Dispatcher {
    const dispatcher = this.dispatchers.get(name);
    if (dispatcher !== undefined) return dispatcher;
    throw new InvalidArgumentError(
      `No dispatcher is named ${print(name)}. Give it to the PubSub when it is connected: { dispatchers: { … } }.`,
    );
  }
}

markAsHandle(PubSub.prototype);

function deliver(pid: Pid, message: unknown): void {
  processOf(pid)?.deliver(SENT_ENVELOPE, message);
}

function assertTopic(topic: unknown): void {
  if (typeof topic !== 'string') throw new InvalidArgumentError(`A topic must be a string, got: ${print(topic)}`);
}
