// Which clients in this browser have a memory open. The package reports only this client's role; the locks of
// `link/channel.ts` show the others.

/** The clients of one memory: each `Memory.open` is one. A frozen tab has released its locks. */
export interface Clients {
  /** The name of the worker that leads, different for each worker. Undefined while none leads. */
  readonly leader: string | undefined;
  /** How many clients follow. Each of them waits to lead. */
  readonly followers: number;
}

/** How often the locks are read, in ms: the browser does not report when they change. */
const INTERVAL = 1000;

/** Reads which clients a memory has. */
export async function clientsOf(url: string): Promise<Clients> {
  const path = url.slice('opfs://'.length);
  const { held = [], pending = [] } = await navigator.locks.query();
  const leader = held.find(({ name }) => name === `synth-memory ${path} leader`)?.clientId;
  const followers = [...held, ...pending].filter(({ name }) => name === `synth-memory ${path} heir`).length;
  return { leader, followers };
}

/** The number of clients. */
export const countOf = ({ leader, followers }: Clients): number => followers + (leader === undefined ? 0 : 1);

/** How many of them lead and follow, in words. */
export function clientsNote({ leader, followers }: Clients): string {
  const rest = followers === 1 ? '1 follows' : `${followers} follow`;
  if (leader === undefined) return followers === 0 ? 'no client has it open' : 'none leads at the moment';
  return followers === 0 ? 'it leads' : `1 leads, ${rest}`;
}

/** Reads the clients of a memory again and again. */
export class ClientWatch {
  readonly #url: string;
  readonly #listeners: ((clients: Clients) => void)[] = [];

  constructor(url: string) {
    this.#url = url;
    setInterval(() => void this.look(), INTERVAL);
  }

  onLook(listener: (clients: Clients) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads them now. */
  async look(): Promise<void> {
    const clients = await clientsOf(this.#url);
    for (const listener of this.#listeners) listener(clients);
  }
}
