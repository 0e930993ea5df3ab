import { parseJson } from '../shared/json.ts';
import {
  type BrokerIdentity,
  type ClientProof,
  isProof,
  newGreet,
  proofOf,
  readGreeting,
} from '../wire/greeting.ts';
import { PROTOCOL_VERSION, splitLines, toLine } from '../wire/lines.ts';
import { isQuiet } from './countdown.ts';
import { versionDiffers } from './failures.ts';
import type { BrokerSocket, Machine } from './machine.ts';

/** A broker that has proved that it is the project's and this user's. */
export interface GreetedBroker {
  readonly is: 'greeted';
  readonly broker: BrokerIdentity;
  /** What this client says to prove the same of itself. */
  readonly proof: ClientProof;
}

/**
 * Lets whatever listens in the place of a project's broker prove that it is that, before anything else is said. `foreign`:
 * it cannot; `gone`: it ended; `silent`: it lives and does not answer.
 */
export async function greet(
  connection: BrokerSocket,
  project: string,
  machine: Machine,
): Promise<GreetedBroker | { readonly is: 'foreign' | 'gone' | 'silent' }> {
  const { socket } = connection;
  const sent = newGreet();
  const line = new Promise<string | null>((resolve) => {
    connection.onText = splitLines(resolve, () => socket.destroy());
    socket.once('close', () => resolve(null));
  });
  socket.write(toLine(sent), 'latin1');
  if (await isQuiet(line)) return { is: 'silent' };
  const text = await line;
  if (text === null) return { is: 'gone' };
  const greeting = readGreeting(parseJson(text));
  const identity = greeting && machine.readIdentity(greeting.secret);
  if (!greeting || !identity) return { is: 'foreign' };
  const greeted = { project, clientNonce: sent.nonce, brokerNonce: greeting.nonce };
  if (!isProof(greeting.proof, identity.secret, 'broker', greeted)) return { is: 'foreign' };
  if (greeting.version !== PROTOCOL_VERSION) throw versionDiffers(greeting.version);
  const proof = proofOf(identity.secret, 'client', greeted);
  return { is: 'greeted', broker: identity, proof: { type: 'proof', proof } };
}
