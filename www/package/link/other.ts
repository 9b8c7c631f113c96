// The way to a leader in another tab: the channel at first, and a port of one's own once the broker has handed it over.
import { closePort, type Channel, type FromBroker, type ToBroker } from './channel.js';
import type { FromClient, ToClient } from './protocol.js';
import { openBroker } from './transport.js';

/** What is told of a leader in another tab. */
export interface OtherListener {
  /** It said something. */
  receive(message: ToClient): void;
  /** A port to it is there, to be taken up when no call is under way. */
  ready(): void;
}

export class OtherLeader {
  readonly id: string;
  readonly #channel: Channel;
  readonly #listener: OtherListener;
  readonly #broker: MessagePort | undefined;
  #port: MessagePort | undefined;
  /** Whether the port is used. */
  #isByPort = false;
  /** What came by the port before the last of what was said on the channel. */
  #held: ToClient[] | undefined;
  /** The last change of the way that the channel told of. */
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

  /** Says something to it. What is named in `transfer` is moved where it can be. */
  post(message: FromClient, transfer: Transferable[]): void {
    if (this.#isByPort) this.#port?.postMessage(message, transfer);
    else this.#channel.post({ type: 'to', leader: this.id, message });
  }

  /** Something came on the channel that is for this client. */
  hear(message: ToClient): void {
    if (message.type !== 'moved') return this.#listener.receive(message);
    this.#movedBy = message.order;
    this.release();
  }

  #hearPort(message: ToClient): void {
    // Told before what the channel still brings, changes would be out of order.
    if (message.type === 'moved') this.#held ??= message.order > this.#movedBy ? [] : undefined;
    else if (this.#held) this.#held.push(message);
    else this.#listener.receive(message);
  }

  /** Waits no more for what the channel may still bring. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#listener.receive(message);
  }

  /** Changes over to the port; tells whether there was one to change to. To be done while no call is under way. */
  takePort(): boolean {
    if (this.#isByPort || !this.#port) return false;
    this.#isByPort = true;
    return true;
  }

  /** Lets go of the way. */
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
