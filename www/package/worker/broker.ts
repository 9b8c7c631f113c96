// The shared worker of an origin: hands each client a port to the leader, and is not needed after that.
import type { FromBroker, ToBroker } from '../link/channel.js';

interface Wish {
  readonly client: string;
  readonly port: MessagePort;
}

/** By path, the leaders that have announced themselves; by leader that has not, the clients that wait for it. */
const leaders = new Map<string, { readonly leader: string; readonly port: MessagePort }>();
const wishes = new Map<string, Map<string, Wish>>();

/** Hands the two ports of a new channel to the leader and the client. */
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
  // A leader that was replaced never announces itself again, so the clients that wait for it are dropped.
  if (known) wishes.delete(known.leader);
  leaders.set(path, { leader, port });
  for (const wish of wishes.get(leader)?.values() ?? []) introduce(leader, port, wish);
  wishes.delete(leader);
}

(globalThis as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports: [port] }) => {
  port!.onmessage = ({ data }: MessageEvent<ToBroker>) => receive(data, port!);
};
