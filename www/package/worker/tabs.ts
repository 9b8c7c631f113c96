// Connects the clients of other tabs to the leader.
import {
  Channel,
  clientLock,
  closePort,
  PROTOCOL,
  type FromBroker,
  type TabMessage,
  type ToBroker,
} from '../link/channel.js';
import { takeLock } from '../link/locks.js';
import type { FromClient, ToClient } from '../link/protocol.js';
import type { Peer } from './clients.js';
import type { Processor } from './processor.js';

/** The part of a processor that other tabs use. */
type Receiver = Pick<Processor, 'receive' | 'forget'>;

/** The other tabs of a leader: connected through the channel, and through ports that the broker hands over. */
export class Tabs {
  readonly #receiver: Receiver;
  readonly #leader: string;
  readonly #path: string;
  readonly #revisions: readonly string[];
  readonly #channel: Channel;
  /** The clients whose locks are watched, each with the controller that ends that. */
  readonly #watched = new Map<string, AbortController>();
  readonly #ports = new Map<string, MessagePort>();
  /**
   * The connections to clients through the channel: one object per client, so that a change of connection is noticed.
   */
  readonly #byChannel = new Map<string, Peer>();

  constructor(receiver: Receiver, path: string, leader: string, revisions: readonly string[]) {
    this.#receiver = receiver;
    this.#path = path;
    this.#leader = leader;
    this.#revisions = revisions;
    this.#channel = new Channel(path, (message) => this.#hear(message));
    this.#announce();
  }

  /** Accepts the ports that the broker hands over. */
  join(broker: MessagePort): void {
    broker.onmessage = ({ data, ports: [port] }: MessageEvent<FromBroker>) => {
      if (data.type === 'client' && port) this.#listen(data.client, port);
    };
    broker.postMessage({ type: 'lead', path: this.#path, leader: this.#leader } satisfies ToBroker);
  }

  /** Tells the other tabs that this worker no longer leads. */
  leave(): void {
    this.#channel.post({ type: 'gone', leader: this.#leader });
    this.#channel.close();
    for (const client of [...this.#watched.keys()]) this.#unwatch(client);
  }

  #announce(): void {
    this.#channel.post({ type: 'here', leader: this.#leader, protocol: PROTOCOL, revisions: this.#revisions });
  }

  #hear(message: TabMessage): void {
    if (message.type === 'seek') this.#announce();
    if (message.type !== 'to' || message.leader !== this.#leader) return;
    this.#receive(message.message, this.#channelTo(message.message.client));
  }

  #channelTo(client: string): Peer {
    let peer = this.#byChannel.get(client);
    if (!peer) {
      const post = (message: ToClient) => this.#channel.post({ type: 'from', leader: this.#leader, client, message });
      this.#byChannel.set(client, (peer = { post }));
    }
    return peer;
  }

  #listen(client: string, port: MessagePort): void {
    closePort(this.#ports.get(client));
    this.#ports.set(client, port);
    const peer = { post: (message: ToClient, transfer: Transferable[]) => port.postMessage(message, transfer) };
    port.onmessage = ({ data }: MessageEvent<FromClient>) => this.#receive(data, peer);
  }

  #receive(message: FromClient, peer: Parameters<Receiver['receive']>[1]): void {
    this.#receiver.receive(message, peer);
    if (message.type === 'hello') this.#watch(message.client);
    if (message.type === 'bye') this.#unwatch(message.client);
  }

  /** Notices when the client's page is gone or sleeps, because its lock is then free. */
  #watch(client: string): void {
    if (this.#watched.has(client)) return;
    const until = new AbortController();
    this.#watched.set(client, until);
    takeLock(clientLock(client), { signal: until.signal }).then(
      (release) => {
        void release?.();
        this.#receiver.forget(client);
        this.#unwatch(client);
      },
      () => undefined,
    );
  }

  #unwatch(client: string): void {
    this.#watched.get(client)?.abort();
    this.#watched.delete(client);
    closePort(this.#ports.get(client));
    this.#ports.delete(client);
    this.#byChannel.delete(client);
  }
}
