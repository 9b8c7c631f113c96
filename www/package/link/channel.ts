// The messages that tabs of one origin exchange about a memory, and the names of their locks and channel. Tabs with
// other versions of the package use them too: they may be added to, but must not be changed.
import type { FailureMessage } from '../wire/errors.js';
import type { FromClient, ToClient } from './protocol.js';

/** The version of the messages. A tab with a higher version asks the leader to yield; one with a lower is outdated. */
export const PROTOCOL = 1;

/** Held by the leader, for as long as it lives. */
export const leaderLock = (path: string) => `synth-memory ${path} leader`;
/** Held by the page that leads next, until it leads. Only its holder waits for the leader's lock. */
export const heirLock = (path: string) => `synth-memory ${path} heir`;
/** Held by a client whose leader is in another tab: if it is free, the client is gone or sleeps. */
export const clientLock = (client: string) => `synth-memory client ${client}`;
/** Held by the tab that embeds the rows that wait for a vector. */
export const embeddingLock = (path: string) => `synth-memory ${path} embedding`;

/** A message on the channel. */
export type TabMessage =
  /** A client that has no leader, or receives nothing from it, asks who leads. */
  | { readonly type: 'seek'; readonly client: string }
  /** The leader announces itself: when it begins to lead, and when a client seeks. */
  | { readonly type: 'here'; readonly leader: string; readonly protocol: number; readonly revisions: readonly string[] }
  /** The leader no longer leads. */
  | { readonly type: 'gone'; readonly leader: string }
  /**
   * A client with a newer schema or protocol wants to lead: the leader yields, and the tabs that queue go behind it.
   */
  | { readonly type: 'yield'; readonly to: string }
  /** A client receives nothing from the leader: the leader's page checks its worker. */
  | { readonly type: 'suspect'; readonly leader: string }
  /** A tab will lead as soon as it has opened the memory, which takes time. */
  | { readonly type: 'opening' }
  /** The leader carries out a long call: its page's reply to `suspect`. */
  | { readonly type: 'patience'; readonly leader: string }
  /** The leader was ended because this call took too long; it must not be sent again. */
  | { readonly type: 'ended'; readonly client: string; readonly sequence: number; readonly failure: FailureMessage }
  /** A message from a client to its leader, or from the leader to a client, if they have no port. */
  | { readonly type: 'to'; readonly leader: string; readonly message: FromClient }
  | { readonly type: 'from'; readonly leader: string; readonly client: string; readonly message: ToClient };

/** A message to the broker. */
export type ToBroker =
  /** The sender leads the memory of this path; it receives a port to each client that wants to reach it. */
  | { readonly type: 'lead'; readonly path: string; readonly leader: string }
  /** A client wants a port to this leader; it receives one when that leader is there. */
  | { readonly type: 'reach'; readonly path: string; readonly leader: string; readonly client: string };

/**
 * A message from the broker, always with a port: to the leader with the client's name, to the client with the leader's.
 */
export type FromBroker =
  { readonly type: 'client'; readonly client: string } | { readonly type: 'leader'; readonly leader: string };

/** A typed channel. */
export class Channel {
  readonly #channel: BroadcastChannel;

  constructor(path: string, receive: (message: TabMessage) => void) {
    this.#channel = new BroadcastChannel(`synth-memory ${path}`);
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => receive(data);
  }

  post(message: TabMessage): void {
    try {
      this.#channel.postMessage(message);
    } catch {
      // It is not delivered, as if there were no other tab. A client that waits for it asks again.
    }
  }

  close(): void {
    this.#channel.close();
  }
}

/** Closes a port. Chromium keeps the handler of a closed port for as long as the other end lives, so it is removed. */
export function closePort(port: MessagePort | undefined): void {
  if (!port) return;
  port.onmessage = null;
  port.close();
}
