// What tabs of one origin say to each other about a memory, and the names by which they meet. Tabs of other versions of the
// package read it too: what is here may be added to, not changed.
import type { FailureMessage } from '../wire/errors.js';
import type { FromClient, ToClient } from './protocol.js';

/** The version of what is said between tabs. A tab with a higher one asks the leader to yield; one with a lower is outdated. */
export const PROTOCOL = 1;

/** Held by the worker that leads, for as long as it lives. */
export const leaderLock = (path: string) => `synth-memory ${path} leader`;
/** Held by the page that leads next, and while it begins to: whoever has it, alone, waits for the leader's lock. */
export const heirLock = (path: string) => `synth-memory ${path} heir`;
/** Held by a client that reaches its leader in another tab: where it is free, nobody listens any more. */
export const clientLock = (client: string) => `synth-memory client ${client}`;
/** Held by the tab that embeds what waits for a vector. */
export const embeddingLock = (path: string) => `synth-memory ${path} embedding`;

/** What is said on the channel. */
export type TabMessage =
  /** Who leads? Asked by a client that is not answered yet. */
  | { readonly type: 'seek'; readonly client: string }
  /** I lead: said when it begins, and to whoever seeks. */
  | { readonly type: 'here'; readonly leader: string; readonly protocol: number; readonly revisions: readonly string[] }
  /** I lead no more. */
  | { readonly type: 'gone'; readonly leader: string }
  /** A client with a newer schema or protocol wants to lead: whoever leads yields, whoever waits to lead waits behind it. */
  | { readonly type: 'yield'; readonly to: string }
  /** A client hears nothing of the leader: its page sees to it. */
  | { readonly type: 'suspect'; readonly leader: string }
  /** I shall lead, when I have opened the memory, which takes its time. */
  | { readonly type: 'opening' }
  /** The leader is at work on something long, and was asked. */
  | { readonly type: 'patience'; readonly leader: string }
  /** The leader was ended, as this call took too long; it is not to be sent again. */
  | { readonly type: 'ended'; readonly client: string; readonly sequence: number; readonly failure: FailureMessage }
  /** What a client says to its leader, and the leader to it, where they have no port. */
  | { readonly type: 'to'; readonly leader: string; readonly message: FromClient }
  | { readonly type: 'from'; readonly leader: string; readonly client: string; readonly message: ToClient };

/** What is said to the broker. */
export type ToBroker =
  /** This port's other end leads the memory of this path; it is sent the ports of those who want it. */
  | { readonly type: 'lead'; readonly path: string; readonly leader: string }
  /** A port to this leader is wanted; it is given when that leader is there. */
  | { readonly type: 'reach'; readonly path: string; readonly leader: string; readonly client: string };

/** What the broker says, each with a port: to the leader, whose client it is, and to the client, to whom it leads. */
export type FromBroker =
  { readonly type: 'client'; readonly client: string } | { readonly type: 'leader'; readonly leader: string };

/** A channel that is typed. */
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
      // Nobody hears it: as if there were no other tab. One that waits for it asks again.
    }
  }

  close(): void {
    this.#channel.close();
  }
}

/** Closes a port. Chromium keeps what a closed one would call for as long as the other end lives. */
export function closePort(port: MessagePort | undefined): void {
  if (!port) return;
  port.onmessage = null;
  port.close();
}
