// The clients of a leader, and which of their calls it has received.
import type { FailureMessage } from '../wire/errors.js';
import type { Answer, FromClient, Request, ToClient } from '../link/protocol.js';

/** An answer without its number. */
export type Body = { readonly value: unknown } | { readonly failure: FailureMessage };

/** A connection to a client. */
export interface Peer {
  /** Sends a message; what `transfer` lists is moved. */
  post(message: ToClient, transfer: Transferable[]): void;
}

const NOBODY: Peer = { post: () => undefined };

/** The leader's state of a client. */
export interface Client {
  readonly id: string;
  peer: Peer;
  /** The `order` of the last message that this state is based on. */
  order: number;
  /** Whether the client receives what commits change. */
  listens: boolean;
  /** The number of the next call that is expected. */
  next: number;
  /** The client has received the answers to all calls before this number. */
  acknowledged: number;
  /** All calls before this number were sent before its `hello`: the database may hold their answers. */
  sent: number;
  /** The number of the last call whose answer the database keeps. */
  kept: number;
  /**
   * Failed calls whose answers could not be stored, because nothing was committed. Their answers are stored with the
   * client's next change: if a call were repeated after that, it would be out of order.
   */
  failures: (readonly [sequence: number, body: Body])[];
}

/** A call that waits for its turn. */
export interface Waiting {
  readonly client: Client;
  readonly request: Request;
  /** Whether the call was already received, here or by an earlier leader. */
  readonly isAgain: boolean;
}

/** The clients of one leader. Their calls are taken in the order of their numbers, in whatever order they arrive. */
export class Clients {
  readonly #clients = new Map<string, Client>();
  /** The clients that are gone for good: messages from them that still arrive are ignored. */
  readonly #gone = new Set<string>();

  /**
   * Handles a client's `hello`, the first one or one through another connection than before. Returns undefined if the
   * client is gone, or has sent a later message.
   */
  greet(hello: FromClient & { readonly type: 'hello' }, peer: Peer): Client | undefined {
    const { client: id, listens, acknowledged, sent, order = 0 } = hello;
    if (this.#gone.has(id)) return undefined;
    const known = this.#clients.get(id);
    if (known) {
      if (!isNewest(known, hello)) return undefined;
      if (known.peer !== peer && known.peer !== NOBODY)
        for (const way of [known.peer, peer]) way.post({ type: 'moved', order }, []);
      known.peer = peer;
      known.listens = listens;
      known.sent = Math.max(known.sent, sent);
      known.acknowledged = Math.max(known.acknowledged, acknowledged);
      // Calls that the client's page has settled on its own will not arrive.
      known.next = Math.max(known.next, known.acknowledged);
      return known;
    }
    const client: Client = { id, peer, order, listens, next: acknowledged, acknowledged, sent, kept: -1, failures: [] };
    this.#clients.set(id, client);
    return client;
  }

  get(id: string): Client | undefined {
    return this.#clients.get(id);
  }

  /** Returns the calls of a message that are to be carried out; a call that already waits is not taken twice. */
  take(message: FromClient & { readonly type: 'call' }, peer: Peer, waiting: readonly Waiting[]): Waiting[] {
    const client = this.#clients.get(message.client);
    if (!client) {
      // Its `hello` was lost, or it was forgotten: it has to begin again.
      if (!this.#gone.has(message.client)) peer.post({ type: 'again' }, []);
      return [];
    }
    client.acknowledged = Math.max(client.acknowledged, message.acknowledged);
    const taken: Waiting[] = [];
    for (const request of message.requests) {
      const { sequence } = request;
      if (sequence > client.next) {
        peer.post({ type: 'again' }, []);
        break;
      }
      if (sequence < client.acknowledged) continue;
      const isKnown = sequence < client.next;
      if (isKnown && waiting.some((item) => item.client.id === client.id && item.request.sequence === sequence))
        continue;
      if (!isKnown) client.next++;
      taken.push({ client, request, isAgain: isKnown || sequence < client.sent });
    }
    return taken;
  }

  /** A client wants to receive what commits change, or no longer wants to. */
  listen(message: FromClient & { readonly type: 'listen' }): void {
    const client = this.#clients.get(message.client);
    if (client && isNewest(client, message)) client.listens = message.listens;
  }

  /** A client reports that it sleeps. */
  sleep(message: FromClient & { readonly type: 'forget' }): void {
    const client = this.#clients.get(message.client);
    if (client && isNewest(client, message)) this.forget(client.id);
  }

  /** A client's page is gone or sleeps. Its state is kept, and it sends `hello` again if it comes back. */
  forget(id: string): void {
    const client = this.#clients.get(id);
    if (!client) return;
    client.peer = NOBODY;
    client.listens = false;
  }

  /** Whether a client is gone for good. */
  isGone(id: string): boolean {
    return this.#gone.has(id);
  }

  /** A client is gone for good. */
  dismiss(id: string): void {
    this.#clients.delete(id);
    this.#gone.add(id);
  }

  [Symbol.iterator](): IterableIterator<Client> {
    return this.#clients.values();
  }
}

/** Whether no later message of the client has arrived, through a faster connection; notes the order of this one. */
function isNewest(client: Client, { order = client.order }: FromClient): boolean {
  if (order < client.order) return false;
  client.order = order;
  return true;
}

/** Groups calls and their answers by client. */
export function byClient(
  items: readonly Waiting[],
  answers: readonly Answer[],
): Map<Client, { readonly requests: Request[]; readonly answers: Answer[] }> {
  const groups = new Map<Client, { requests: Request[]; answers: Answer[] }>();
  items.forEach(({ client, request }, at) => {
    let group = groups.get(client);
    if (!group) groups.set(client, (group = { requests: [], answers: [] }));
    group.requests.push(request);
    group.answers.push(answers[at]!);
  });
  return groups;
}
