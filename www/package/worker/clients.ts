// Whom a leader answers, and which of their calls have come.
import type { FailureMessage } from '../wire/errors.js';
import type { Answer, FromClient, Request, ToClient } from '../link/protocol.js';

/** An answer without its number. */
export type Body = { readonly value: unknown } | { readonly failure: FailureMessage };

/** A way back to a client. */
export interface Peer {
  /** Sends a message; what is named in `transfer` is moved. */
  post(message: ToClient, transfer: Transferable[]): void;
}

const NOBODY: Peer = { post: () => undefined };

/** A client, as its leader knows it. */
export interface Client {
  readonly id: string;
  peer: Peer;
  /** When it said what is known of it. */
  order: number;
  /** Whether it is told what commits change. */
  listens: boolean;
  /** The number of the call that comes next. */
  next: number;
  /** All before this number is answered, and the client knows it. */
  acknowledged: number;
  /** All before this number were sent before it greeted: the database may hold their answers. */
  sent: number;
  /** The number of the last call whose answer the database keeps. */
  kept: number;
  /**
   * What failed and could not be entered, as nothing was committed. It is entered with what the client changes next: made again
   * after that, it would be out of order.
   */
  failures: (readonly [sequence: number, body: Body])[];
}

/** A call that waits for its turn. */
export interface Waiting {
  readonly client: Client;
  readonly request: Request;
  /** Whether it came here, or to a leader before, already. */
  readonly isAgain: boolean;
}

/** The clients of one leader. Calls come in the order of their numbers, whatever the way makes of it. */
export class Clients {
  readonly #clients = new Map<string, Client>();
  /** Those that have gone for good: what of them is still on its way comes too late. */
  readonly #gone = new Set<string>();

  /**
   * A client says who it is, for the first time or by another way than before; undefined where it has gone already, or has
   * said something else since.
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
      // What its page answered itself does not come any more.
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

  /** What of a message is to be done; a call that waits already is not taken up twice. */
  take(message: FromClient & { readonly type: 'call' }, peer: Peer, waiting: readonly Waiting[]): Waiting[] {
    const client = this.#clients.get(message.client);
    if (!client) {
      // Its greeting was lost, or it was forgotten: it has to begin anew.
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

  /** A client wants to be told what commits change, or no more. */
  listen(message: FromClient & { readonly type: 'listen' }): void {
    const client = this.#clients.get(message.client);
    if (client && isNewest(client, message)) client.listens = message.listens;
  }

  /** A client says that it sleeps. */
  sleep(message: FromClient & { readonly type: 'forget' }): void {
    const client = this.#clients.get(message.client);
    if (client && isNewest(client, message)) this.forget(client.id);
  }

  /** A client's page is gone, or sleeps: it greets again where it comes back, and what came of it is still known. */
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

/** Whether a client has said nothing since, by a way that was faster; notes that it said this. */
function isNewest(client: Client, { order = client.order }: FromClient): boolean {
  if (order < client.order) return false;
  client.order = order;
  return true;
}

/** The answers of a group, by the client that each is for. */
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
