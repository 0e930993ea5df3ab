import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '../../src/shared/json.ts';
import { brokerSocket } from '../../src/shared/local-sockets.ts';
import { readPrivate } from '../../src/shared/private-folder.ts';
import { newGreet, proofOf, readGreeting, readIdentity } from '../../src/wire/greeting.ts';
import { toLine } from '../../src/wire/lines.ts';

/** A connection that the broker has greeted and that has proved itself, and what a hello over it must hold. */
export interface RawConnection {
  readonly socket: Socket;
  readonly entry: { projects: string[]; store: string; isPresent: boolean };
}

/** Connects to the broker of a project, which may be starting just now. */
export async function connectRaw(project: string): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    try {
      return await connectOnce(brokerSocket(project));
    } catch (error) {
      if (tries === 2_000) throw error;
      await sleep(10);
    }
  }
}

export async function connectOnce(address: string): Promise<Socket> {
  const socket = connect(address);
  await once(socket, 'connect');
  return socket;
}

/** Connects, greets and proves itself, as every client does. What the broker says later is for whoever listens to the socket. */
export async function greetRaw(project: string, given?: string): Promise<RawConnection> {
  const socket = await connectRaw(project);
  const sent = newGreet();
  socket.write(toLine(sent));
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  const greeting = readGreeting(parseJson(String(chunk)))!;
  const { secret } = readIdentity(readPrivate(greeting.secret))!;
  const proof = proofOf(secret, 'client', {
    project,
    clientNonce: sent.nonce,
    brokerNonce: greeting.nonce,
  });
  socket.write(toLine({ type: 'proof', proof: given ?? proof }));
  return { socket, entry: { projects: [project], store: 'local', isPresent: false } };
}
