// The connection to a leader in another tab: first through the channel, then through a port that the broker hands over.
import { closePort, type Channel, type FromBroker, type ToBroker } from './channel.js';
import type { FromClient, ToClient } from './protocol.js';
import { openBroker } from './transport.js';

/** Receives the events of a leader in another tab. */
export interface OtherListener {
  /** The leader sent a message. */
  receive(message: ToClient): void;
  /** A port to the leader is available. It can be taken when no call waits for its answer. */
  ready(): void;
}

export class OtherLeader {
  readonly id: string;
  readonly #channel: Channel;
  readonly #listener: OtherListener;
  readonly #broker: MessagePort | undefined;
  #port: MessagePort | undefined;
  /** Whether messages are sent through the port. */
  #isByPort = false;
  /** The messages that came through the port before the last message on the channel. */
  #held: ToClient[] | undefined;
  /** The last change from channel to port that the channel reported. */
  #movedBy = -1;

  constructor(id: string, path: string, client: string, channel: Channel, listener: OtherListener) {
    this.id = id;
    this.#channel = channel;
    this.#listener = listener;
    this.#broker = openBroker();
    if (!this.#broker) return;
    this.#broker.onmessage = ({ data, ports: [port] }: MessageEvent<FromBroker>) => {
      closePort(this.#broker);
      if (data.type === 'leader' && port) this.#offer(port);
    };
    this.#broker.postMessage({ type: 'reach', path, leader: id, client } satisfies ToBroker);
  }

  /** Sends a message to the leader. What `transfer` lists is moved if possible. */
  post(message: FromClient, transfer: Transferable[]): void {
    if (this.#isByPort) this.#port?.postMessage(message, transfer);
    else this.#channel.post({ type: 'to', leader: this.id, message });
  }

  /** Receives a message for this client from the channel. */
  hear(message: ToClient): void {
    if (message.type !== 'moved') return this.#listener.receive(message);
    this.#movedBy = message.order;
    this.release();
  }

  #hearPort(message: ToClient): void {
    // If these were reported before the messages still on the channel, changes would be out of order.
    if (message.type === 'moved') this.#held ??= message.order > this.#movedBy ? [] : undefined;
    else if (this.#held) this.#held.push(message);
    else this.#listener.receive(message);
  }

  /** Stops waiting for messages that may still be on the channel. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#listener.receive(message);
  }

  /** Changes over to the port; returns whether it did. To be called while no call waits for its answer. */
  takePort(): boolean {
    if (this.#isByPort || !this.#port) return false;
    this.#isByPort = true;
    return true;
  }

  /** Closes the ports. */
  end(): void {
    closePort(this.#broker);
    closePort(this.#port);
    this.#port = undefined;
  }

  #offer(port: MessagePort): void {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ToClient>) => this.#hearPort(data);
    this.#listener.ready();
  }
}
