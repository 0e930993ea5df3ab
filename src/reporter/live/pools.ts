import { setTimeout as sleep } from 'node:timers/promises';
import type { MemberStatus, PoolStatus } from '../../core/admin.ts';
import { shorten } from '../../shared/format.ts';
import type { Follower, Answer, Link, Question } from '../../link/link.ts';
import type { LoadedConfig } from '../../config/types.ts';
import type { Wish } from './guard.ts';

/** A broker that answers later than this is not waited for: the page says so and asks again. */
const ANSWER_MS = 3000;
const MAX_NOTICE = 400;

/** A member as the page shows it; `off` where the configuration itself keeps it out. */
interface LiveMember extends MemberStatus {
  readonly off: boolean;
}

interface LivePool extends Omit<PoolStatus, 'members'> {
  readonly members: readonly LiveMember[];
}

export interface PoolsNow {
  readonly pools: readonly LivePool[];
  /** Why there is nothing to show, or null. */
  readonly notice: string | null;
}

/** Where the configuration may be: as the workers look for it. */
export interface ConfigPlace {
  readonly folder: string;
  readonly option: string | undefined;
}

interface Connected {
  readonly link: Link;
  readonly config: LoadedConfig;
}

/** The state of the pools now, from the broker, and changes by hand. Never rejects. */
export class Pools {
  private readonly place: ConfigPlace;
  private connected: Promise<Connected | null> | null = null;

  constructor(place: ConfigPlace) {
    this.place = place;
  }

  async now(): Promise<PoolsNow> {
    try {
      const connected = await this.connect();
      if (!connected) return { pools: [], notice: 'No configuration of pools was found here.' };
      const answer = await this.ask(connected, { type: 'status' });
      const pools = answer.is === 'status' ? answer.pools : [];
      return { pools: pools.map((pool) => withConfig(pool, connected.config)), notice: null };
    } catch (error) {
      return { pools: [], notice: `The pools cannot be shown: ${messageOf(error)}` };
    }
  }

  /** Does it, and says what it came to. */
  async administer({ action, pool, name }: Wish): Promise<{ status: number; text: string }> {
    try {
      const connected = await this.connect();
      if (!connected) return { status: 404, text: 'No configuration of pools was found here.' };
      const answer = await this.ask(connected, { type: 'admin', action, pool, name });
      if (answer.is === 'administered' && answer.known)
        return { status: 200, text: said(action, pool, name) };
      return { status: 404, text: `There is no member ${pool}/${name}.` };
    } catch (error) {
      return { status: 502, text: `Could not ${action} ${pool}/${name}: ${messageOf(error)}` };
    }
  }

  close(): void {
    void this.connected?.then((connected) => connected?.link.close()).catch(() => {});
    this.connected = null;
  }

  private connect(): Promise<Connected | null> {
    if (this.connected) return this.connected;
    const connecting = connectTo(this.place);
    this.connected = connecting;
    // What fails is tried again: the configuration may be corrected meanwhile.
    connecting.catch(() => (this.connected = null));
    return connecting;
  }

  private async ask(
    { link }: Connected,
    question:
      Omit<Extract<Question, { type: 'status' }>, 'ask'> | Omit<Extract<Question, { type: 'admin' }>, 'ask'>,
  ): Promise<Answer> {
    const timer = new AbortController();
    const late = sleep(ANSWER_MS, undefined, { signal: timer.signal, ref: false }).then(() => {
      this.close();
      throw new Error(`the broker gave no answer within ${ANSWER_MS / 1000} s`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([link.ask(question), late]);
    } finally {
      timer.abort();
    }
  }
}

// Loaded by the first who looks: most runs have nobody at the live page.
async function connectTo({ folder, option }: ConfigPlace): Promise<Connected | null> {
  // A pin restricts a run to some members; whoever looks after them means all.
  const env: NodeJS.ProcessEnv = { ...process.env, GEMBA_PIN: undefined };
  if (env['GEMBA_DISABLE'] && env['GEMBA_DISABLE'] !== '0') return null;
  const { findConfig } = await import('../../config/find.ts');
  const file = findConfig({ env, option, from: folder });
  if (file === undefined) return null;
  const { configOfText } = await import('../../config/load.ts');
  const { readConfigText } = await import('../../config/read.ts');
  const { LiveConfig } = await import('../../config/live.ts');
  const { brokerAddress } = await import('../../link/address.ts');
  const { Link: BrokerLink } = await import('../../link/link.ts');
  const text = readConfigText(file);
  const config = configOfText(file, text, env);
  const live = new LiveConfig(file, env, () => undefined);
  live.start(config, text);
  const follower: Follower = {
    role: 'command',
    run: `live page ${process.pid}`,
    get current() {
      return live.told;
    },
    apply: (state, edited) => live.apply(state, edited),
    say: () => undefined,
  };
  const link = new BrokerLink({ address: brokerAddress(config), follower, seed: env['GEMBA_SEED'] });
  return {
    link,
    // Edits count here, too.
    get config() {
      return live.current?.config ?? config;
    },
  };
}

function withConfig(pool: PoolStatus, config: LoadedConfig): LivePool {
  const { endpoints = [], keys = [] } = config.pools[pool.name] ?? {};
  const off = { endpoint: namesOff(endpoints), key: namesOff(keys) };
  return {
    ...pool,
    members: pool.members.map((member) => ({ ...member, off: off[member.kind].has(member.name) })),
  };
}

function namesOff(members: readonly { readonly name: string; readonly enabled: boolean }[]): Set<string> {
  return new Set(members.filter(({ enabled }) => !enabled).map(({ name }) => name));
}

function said(action: Wish['action'], pool: string, name: string): string {
  if (action === 'disable') return `${pool}/${name} is disabled: no new lease gets it until it is enabled.`;
  if (action === 'enable') return `${pool}/${name} is enabled again.`;
  return `${pool}/${name} is reset: what kept it out is forgotten.`;
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return shorten(text.replaceAll(/\s+/g, ' '), MAX_NOTICE);
}
