/** A message on its way to other nodes. */
export interface TopicBroadcast {
  readonly topic: string;
  readonly message: unknown;
  /** The name of the dispatcher that the broadcaster asked for; undefined is the usual delivery. */
  readonly dispatcher: string | undefined;
}

/** Takes what other nodes broadcast. Never throws. */
export type BroadcastReceiver = (broadcast: TopicBroadcast) => void;

/**
 * How broadcasts get to other nodes: the contract for connecting a {@link PubSub} to Redis, NATS or the like. Delivery on the
 * broadcaster's own node is none of its business: the PubSub does that itself.
 *
 * Messages are to arrive as data that equals what was sent; whether more than JSON can say survives is up to the adapter. What
 * one node broadcasts arrives at each other node in that order, at most once. Nothing is promised between different nodes.
 *
 * `pubSubAdapterContract` is a test suite that checks these duties.
 *
 * @publicApi
 */
export interface PubSubAdapter {
  /** The name of this node, unlike that of any other in the cluster, and the same for the adapter's whole life. */
  readonly nodeName: string;

  /**
   * Joins the cluster. From the moment it returns, or its promise resolves, `receive` is called with each broadcast of another
   * node, and with each that is meant for this node; never with this node's own. Rejects when it cannot: then it may be tried
   * again. Called before anything else, once.
   */
  connect(receive: BroadcastReceiver): void | Promise<void>;

  /**
   * Hands a broadcast to all nodes in the cluster except this one, without waiting for them. May throw when it is certain that
   * no other node will get it: the broadcaster gets the error, and no subscriber on its own node gets the message either. The adapter
   * itself reports what fails later.
   */
  broadcast(broadcast: TopicBroadcast): void;

  /** Hands a broadcast to one other node. A node that is not known is harmless. */
  directBroadcast(nodeName: string, broadcast: TopicBroadcast): void;

  /** Leaves the cluster: nothing is received from then on, and what is broadcast is dropped. Twice is harmless. */
  disconnect(): void | Promise<void>;
}

/** The only node there is. */
export class LocalPubSubAdapter implements PubSubAdapter {
  constructor(readonly nodeName: string = 'local') {}

  connect(): void {}

  broadcast(): void {}

  directBroadcast(): void {}

  disconnect(): void {}
}
