import { type HealthState, type MemberKind } from '../core/types.ts';
import type { Slot } from '../core/state.ts';
import type { Draw, StepSpan } from './commands.ts';
import type { ClientFactory } from './client.ts';

export type ClaimAnswer =
  | { readonly granted: true }
  | {
      readonly granted: false;
      /** `full`: others hold it. `settling`: the store lost its data, nothing new is granted before `retryAtMs`. */
      readonly why: 'full' | 'settling';
      /** Subjects that were not free: those that were full, or all that were asked for. */
      readonly full: readonly string[];
      /** When asking again can help at the latest, ms since the epoch on this machine's clock; a wake-up may come first. */
      readonly retryAtMs: number;
    };

/** What one machine found out about the health of a member, for all of them. Times are this machine's. */
export interface HealthFact {
  readonly pool: string;
  readonly kind: MemberKind;
  readonly id: string;
  readonly name: string;
  readonly state: HealthState;
  readonly until: number | null;
  readonly why: string;
  readonly at: number;
  /** Whether the account is dirty is a fact of its own: whose lease left it so, or the one whose mark ends with this. */
  readonly lease?: string | undefined;
}

export interface StoreOptions {
  /** `redis://` or `rediss://`, with user, password and database. */
  readonly url: string;
  readonly project: string;
  /** A random id: a broker that was started again has another one. */
  readonly broker: string;
  /** Time to live of claims; the same on all machines. */
  readonly leaseTtlMs: number;
  /** Another machine freed slots of these members, as far as this one was refused them. A hint: ask again. */
  readonly onWake: (members: readonly string[]) => void;
  readonly onFact: (fact: HealthFact) => void;
  /** The connection was lost, or is back and this broker's leases with it. `why` names host and port. */
  readonly onState: (state: 'up' | 'down', why: string) => void;
  /** Other machines may have these by now, and why: their holders must stop. */
  readonly onLost: (leases: readonly string[], why: string) => void;
  /** Nobody else can have these before that time, on the machine's monotonic clock. */
  readonly onProved: (leases: readonly string[], until: number) => void;
  /**
   * How long a server that nobody knows must have been up before it grants: brokers that lost it are back by then.
   * @default 3000, but no longer than `leaseTtlMs`
   */
  readonly freshGraceMs?: number | undefined;
  /**
   * This broker takes over from one that died while tests run: a server that is away now is waited for.
   * @default false
   */
  readonly inMidRun?: boolean | undefined;
  /** For tests. */
  readonly client?: ClientFactory | undefined;
}

/** The state that all machines share. While the server is away calls reject with `GEMBA_STORE_DOWN`, within seconds. */
export interface SharedStore {
  /** What the user should know of the server's settings; mostly empty. */
  readonly notices: readonly string[];
  /**
   * Takes all slots or none. Asking again for a lease that is held answers granted; with other slots it gives the
   * old ones back first. `alreadyHeld`: a test lives by this lease since before this broker. The claim then does not
   * wait for a store that settles; it is asked again when a store that is away comes back; and where it cannot be
   * had, or not in time, the lease is told to `onLost`, too.
   */
  claim(lease: string, slots: readonly Slot[], options?: { alreadyHeld?: boolean }): Promise<ClaimAnswer>;
  /** Until when nobody else can have a lease, on this machine's monotonic clock, as far as is known. */
  provedUntil(lease: string): number | undefined;
  /** The same, by asking where that is over. Null for one that was not claimed, or is lost. */
  prove(lease: string): Promise<number | null>;
  /** Never rejects: what cannot be told now is told when the server is back. */
  release(lease: string): Promise<void>;
  /** Reserves the next turn at `rpm` calls a minute over all machines; answers how long to wait for it in ms. */
  reservePermit(member: string, rpm: number): Promise<number>;
  /** Takes what a call is expected to use from a budget; how long to wait where it has too little left. */
  draw(budget: string, draw: Draw): Promise<{ waitMs: number; isUsedUp: boolean }>;
  /** What the call has used; null: as much as was expected. */
  settle(budget: string, used: { id: string; tokens: number | null; untilDate: number }): Promise<void>;
  /** Gives the first time step of a span that nobody has had for that secret, known by a hash; null where all were given. */
  takeStep(secret: string, span: StepSpan): Promise<number | null>;
  /** Never rejects: what cannot be told now is told when the server is back. */
  publishFact(fact: HealthFact): Promise<void>;
  readFacts(): Promise<HealthFact[]>;
  /** Keeps texts by name for the brokers of later runs. Never rejects. */
  keepLearned(texts: ReadonlyMap<string, string>): Promise<void>;
  /** The texts that were kept. Never rejects. */
  readLearned(): Promise<string[]>;
  /** Says what this machine holds, for people at others; null: nothing. */
  keepBoard(board: object | null): Promise<void>;
  /** What the other machines say that they hold. */
  readBoards(): Promise<unknown[]>;
  /** Leases that hold a place of these members, of whichever machine. */
  holders(members: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Gives back what this broker holds, within a second, and closes the connection. */
  close(): Promise<void>;
}
