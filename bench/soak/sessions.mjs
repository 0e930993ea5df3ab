// The server whose accounts are leased: it counts who uses them at the same time. A lease uses a member from its first call
// to its last, as the server receives them; a holder that stands still uses nothing.
import { createServer } from 'node:net';
import { above } from './intervals.mjs';

/** @returns its `port`; `overlaps(limits)`: where more leases used a member than may; `calls`; `close` */
export async function startSessions() {
  /** By member, then by lease: numbers of the first and the last call. */
  const used = new Map();
  const sockets = new Set();
  let calls = 0;
  const note = (lease, member) => {
    calls++;
    const leases = used.get(member) ?? new Map();
    used.set(member, leases);
    const session = leases.get(lease);
    if (session) session[1] = 2 * calls + 1;
    else leases.set(lease, [2 * calls, 2 * calls + 1]);
  };
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    let rest = '';
    socket.setEncoding('latin1').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const [lease, ...members] = line.split(' ');
        for (const member of members) note(lease, member);
        socket.write('.');
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    overlaps: (limits) =>
      limits.flatMap(([member, limit]) => above(limit, member, [...(used.get(member)?.values() ?? [])])),
    get calls() {
      return calls;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
