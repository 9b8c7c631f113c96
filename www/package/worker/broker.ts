// The shared worker of an origin: gives each client a port to the worker that leads, and is asked nothing after that.
import type { FromBroker, ToBroker } from '../link/channel.js';

interface Wish {
  readonly client: string;
  readonly port: MessagePort;
}

/** By path: who leads, as far as it has said so, and who waits for a leader that has not yet. */
const leaders = new Map<string, { readonly leader: string; readonly port: MessagePort }>();
const wishes = new Map<string, Map<string, Wish>>();

/** Gives both ends of a new channel away. */
function introduce(leader: string, to: MessagePort, { client, port }: Wish): void {
  const { port1, port2 } = new MessageChannel();
  to.postMessage({ type: 'client', client } satisfies FromBroker, [port1]);
  port.postMessage({ type: 'leader', leader } satisfies FromBroker, [port2]);
}

function receive(message: ToBroker, port: MessagePort): void {
  const { path, leader } = message;
  const known = leaders.get(path);
  if (message.type === 'reach') {
    const wish = { client: message.client, port };
    if (known?.leader === leader) return introduce(leader, known.port, wish);
    if (!wishes.has(leader)) wishes.set(leader, new Map());
    wishes.get(leader)!.set(message.client, wish);
    return;
  }
  // A leader that went is not heard of again, so what waits for it goes when the next one comes.
  if (known) wishes.delete(known.leader);
  leaders.set(path, { leader, port });
  for (const wish of wishes.get(leader)?.values() ?? []) introduce(leader, port, wish);
  wishes.delete(leader);
}

(globalThis as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports: [port] }) => {
  port!.onmessage = ({ data }: MessageEvent<ToBroker>) => receive(data, port!);
};
