import { renameSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { BrokerMessage, WireGrant, ClientMessage } from '../../src/wire/messages.ts';
import { LiveConfig } from '../../src/config/live.ts';
import { variablesFor } from '../../src/config/env-file.ts';
import { readSource } from '../../src/config/layers.ts';
import { configOf } from '../../src/config/load.ts';
import { splitLines } from '../../src/wire/lines.ts';
import { greetRaw } from './raw-client.ts';

export type Env = Readonly<Record<string, string>>;
type Message = Extract<BrokerMessage, { type: string }>;

/** What a client heard, in the order in which it came. */
export type Heard =
  | {
      readonly type: 'config';
      readonly revision: string;
      readonly errors: readonly string[];
      readonly at: number;
    }
  | { readonly type: 'said'; readonly problems: readonly string[] }
  | { readonly type: 'granted'; readonly lease: string; readonly grant: WireGrant; readonly at: number }
  | {
      readonly type: 'refused';
      readonly lease: string;
      readonly reasons: readonly { name: string; why: string }[];
    };

/** A worker that speaks to a running broker over its socket, and notes everything in the order in which it comes. */
export class ConfigClient {
  readonly heard: Heard[] = [];
  readonly live: LiveConfig;
  readonly #id: string;
  readonly #run: string;
  readonly #asked = new Map<number, string>();
  #socket: Socket | null = null;
  #ask = 0;

  constructor(id: string, file: string, env: Env, run = 'run') {
    this.#id = id;
    this.#run = run;
    this.live = new LiveConfig(file, env, ({ revision, errors }) => {
      this.heard.push({ type: 'config', revision, errors, at: performance.now() });
    });
    const source = readSource(file);
    const variables = variablesFor(file, env);
    this.live.start(configOf(source, variables.env, variables.files), source.layers);
  }

  async open(project: string): Promise<void> {
    const { socket, entry } = await greetRaw(project);
    this.#socket = socket;
    socket.setEncoding('utf8');
    const welcome = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      const read = splitLines(
        (line) => {
          const message = JSON.parse(line) as Message;
          if (message.type === 'welcome') resolve();
          this.#hear(message);
        },
        reject as () => void,
      );
      socket.on('data', (chunk: string) => read(chunk));
    });
    const { revision, specs, files } = this.live.announced!;
    this.#send({
      type: 'hello',
      ...entry,
      client: this.#id,
      pid: process.pid,
      pools: specs as never,
      follows: { role: 'worker', run: this.#run, revision, files: [...files] },
      held: [],
    });
    socket.resume();
    await welcome;
  }

  acquire(lease: string, more: { pool?: string; timeoutMs?: number } = {}): void {
    const ask = ++this.#ask;
    this.#asked.set(ask, lease);
    const { pool = 'api', timeoutMs = 20_000 } = more;
    const question = { lease, pool, timeoutMs, need: {}, holder: lease, testId: null, exclude: [] };
    this.#send({ type: 'acquire', ask, ...question });
  }

  offer(): void {
    const { revision, layers } = this.live.announced!;
    this.#send({ type: 'offer', revision, layers: [...layers] });
  }

  release(lease: string): void {
    this.#send({ type: 'release', lease, failed: false });
  }

  granted(lease: string): Extract<Heard, { type: 'granted' }> | undefined {
    return this.heard.find(
      (heard): heard is Extract<Heard, { type: 'granted' }> =>
        heard.type === 'granted' && heard.lease === lease,
    );
  }

  close(): void {
    this.#socket?.destroy();
  }

  #send(message: ClientMessage): void {
    this.#socket?.write(`${JSON.stringify(message)}\n`);
  }

  #hear(message: Message): void {
    if (message.type === 'config' || message.type === 'welcome') {
      const before = this.live.current;
      if (message.config) this.live.apply(message.config.state, message.config.layers);
      if (this.live.current === before) return;
      const { revision, specs, problems, files } = this.live.announced!;
      const known = { revision, pools: specs as never, problems: [...problems], files: [...files] };
      this.#send({ type: 'pools', ...known });
    } else if (message.type === 'say') this.heard.push({ type: 'said', problems: message.problems });
    else if (message.type === 'answer') {
      const { answer } = message;
      const lease = this.#asked.get(message.ask)!;
      if (answer.is === 'granted')
        this.heard.push({ type: 'granted', lease, grant: answer.grant, at: performance.now() });
      else if (answer.is === 'refused') this.heard.push({ type: 'refused', lease, reasons: answer.reasons });
    }
  }
}

/** Saves as editors do: beside the file, then in its place. */
export function save(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}
