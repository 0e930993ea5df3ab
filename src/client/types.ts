import type { Answer, ClientMessage, ProbeRequest } from '../wire/messages.ts';
import type { RequestReport } from '../core/request-outcome.ts';
import type { ProbeResult } from '../core/health/probe-results.ts';
import type { ConfigState, RouterEstimate, Need, PoolSpec, Transition } from '../core/types.ts';
import type { AnnouncedRevision } from '../config/live.ts';
import type { ConfigLayer } from '../config/source.ts';
import type { BrokerAddress } from './address.ts';
import type { BrokerErrors } from './broker-errors.ts';
import type { Machine } from './machine.ts';

/** How a link follows the configuration's edits. */
export interface Follower {
  readonly role: 'reporter' | 'worker' | 'command';
  /** The run that it belongs to: the process of its runner. */
  readonly run: string;
  /** What it has now; null before the broker has told. */
  readonly current: AnnouncedRevision | null;
  /** The broker has another state; `layers` come with a revision that is new here, and make it `current`. */
  readonly apply: (state: ConfigState, layers: readonly ConfigLayer[] | undefined) => void;
  /** This link is to say it in its run's terminal. */
  readonly say: (about: ConfigState, problems: readonly string[]) => void;
}

export interface BrokerClientOptions {
  readonly address: BrokerAddress;
  /** What it leases from, where it follows no edits. */
  readonly pools?: readonly PoolSpec[];
  readonly follower?: Follower;
  /** Whether it starts a broker where none runs, also before it asks for anything. Default: true. */
  readonly mayStart?: boolean;
  readonly seed?: string | undefined;
  readonly onTransition?: (transition: Transition) => void;
  /** What the router believes by now: the last told holds. */
  readonly onRouterEstimates?: (routerEstimates: readonly RouterEstimate[]) => void;
  /** A broker of the project ended unexpectedly, and this is what it printed: told to one client. */
  readonly onBrokerErrors?: (errors: BrokerErrors) => void;
  /** Another may hold the lease's member: its holder must stop using it. */
  readonly onLost?: (lease: string) => void;
  /** Sends a probe: the broker has no keys. Without it this link is never asked to. */
  readonly onProbe?: (request: ProbeRequest) => Promise<ProbeResult>;
  /** Default: the machine that this process runs on. */
  readonly machine?: Machine;
}

export type Question = Extract<ClientMessage, { ask: number }>;
export type Unasked<Q> = Q extends { ask: number } ? Omit<Q, 'ask'> : never;
export type HelloMessage = Extract<ClientMessage, { type: 'hello' }>;
export type RequestMessage = RequestReport & { readonly lease: string };

export interface HeldLeaseInfo {
  readonly lease: string;
  readonly pool: string;
  readonly need: Need;
  readonly onlyEndpoint?: string | null | undefined;
  readonly holder: string;
  readonly testId: string | null;
  readonly resets?: boolean | undefined;
  readonly forCall?: boolean | undefined;
}

export interface Pending {
  readonly question: Unasked<Question>;
  /** By the monotonic clock, milliseconds. */
  readonly since: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}
