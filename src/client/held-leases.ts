import { type Clock, systemClock } from '../core/clock.ts';
import { machineClock } from '../shared/machine-clock.ts';
import type { Answer, WireGrant } from '../wire/messages.ts';
import type { HeldLeaseInfo, HelloMessage, Pending } from './types.ts';

/** The date may run ahead of the monotonic clock by this much before the machine is taken to have stood still. */
const STANDSTILL_MS = 1_000;

/** The leases of one process, and what its broker said of their members. */
export class HeldLeases {
  readonly #held = new Map<string, HeldLeaseInfo>();
  /** The member of each lease by the latest answer, null where it lost its own; what the broker says later is written there. */
  readonly #grants = new Map<string, WireGrant | null>();
  /** Leases that another may hold by now, and why. */
  readonly #lost = new Map<string, string>();
  readonly #now: Clock;
  readonly #date: Clock;
  /** How far the date was ahead of the monotonic clock when a lease was proved last. */
  #ahead: number;

  constructor(now: Clock = machineClock, date: Clock = systemClock) {
    this.#now = now;
    this.#date = date;
    this.#ahead = date() - now();
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  forget(lease: string): void {
    this.#held.delete(lease);
    this.#grants.delete(lease);
    this.#lost.delete(lease);
  }

  /** Its calls may go without asking. */
  isFastPath(lease: string): boolean {
    return this.#grants.get(lease)?.fastPath === true;
  }

  /** Why nothing may use the lease any more; undefined while it is held. */
  lossOf(lease: string): string | undefined {
    return this.#lost.get(lease);
  }

  lose(lease: string, why: string): void {
    if (!this.#held.delete(lease)) return;
    this.#grants.delete(lease);
    this.#lost.set(lease, why);
  }

  loseAll(why: string): void {
    for (const lease of this.#held.keys()) this.lose(lease, why);
  }

  /**
   * No other machine can have its member now. Where the date ran ahead, the machine may have been suspended, and its
   * monotonic clock with it.
   */
  isProved(lease: string): boolean {
    const until = this.#grants.get(lease)?.provedUntil;
    if (until === undefined) return true;
    const now = this.#now();
    return now < until && this.#date() - now - this.#ahead < STANDSTILL_MS;
  }

  proved(leases: readonly string[], provedUntil: number | undefined): void {
    this.#ahead = this.#date() - this.#now();
    for (const lease of leases) this.change(lease, { provedUntil });
  }

  answered({ question }: Pending, answer: Answer): void {
    if (!('lease' in question)) return;
    if (answer.is === 'lost') return this.lose(question.lease, answer.why);
    if (answer.is === 'proved') return this.proved([question.lease], answer.provedUntil ?? undefined);
    if (answer.is === 'refused') this.#grants.set(question.lease, null);
    if (!('grant' in answer)) return;
    // From now on it must be reported to a new broker, even before it is taken over here.
    if (question.type === 'acquire') {
      const { lease, pool, need, onlyEndpoint, holder, testId, resets, forCall } = question;
      const about = { lease, pool, need, onlyEndpoint, holder, testId };
      this.#held.set(lease, { ...about, ...(resets && { resets }), ...(forCall && { forCall }) });
    }
    this.#grants.set(question.lease, answer.grant);
    if (answer.grant.provedUntil !== undefined) this.#ahead = this.#date() - this.#now();
  }

  /** The holder sees the change, even if it arrives before the holder first looks. */
  change(lease: string, change: Partial<WireGrant>): void {
    const grant = this.#grants.get(lease);
    if (grant) Object.assign(grant, change);
  }

  /**
   * What a new broker is told. A lease that asked for another member may have lost its own already; and which calls may
   * go without asking, that broker has to say anew.
   */
  toRestore(open: Iterable<Pending>): HelloMessage['held'] {
    for (const lease of this.#grants.keys()) this.change(lease, { fastPath: false });
    for (const { question } of open) if (question.type === 'move') this.#grants.set(question.lease, null);
    return [...this.#held.values()].map((lease) => {
      const grant = this.#grants.get(lease.lease);
      return { ...lease, endpoint: grant?.endpoint?.id ?? null, key: grant?.key?.id ?? null };
    });
  }
}
