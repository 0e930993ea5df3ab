import type { Answer, WireGrant } from '../wire/messages.ts';
import type { HeldLeaseInfo, HelloMessage, Pending } from './types.ts';

/** The leases of one worker, and what its broker said of their members. */
export class HeldLeases {
  readonly #held = new Map<string, HeldLeaseInfo>();
  /** The member of each lease by the latest answer, null where it lost its own; what the broker says later is written there. */
  readonly #grants = new Map<string, WireGrant | null>();

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  keep(lease: HeldLeaseInfo): void {
    this.#held.set(lease.lease, lease);
  }

  forget(lease: string): void {
    this.#held.delete(lease);
    this.#grants.delete(lease);
  }

  /** Its calls may go without asking. */
  isFastPath(lease: string): boolean {
    return this.#grants.get(lease)?.fastPath === true;
  }

  answered({ question }: Pending, answer: Answer): void {
    if (!('lease' in question)) return;
    if ('grant' in answer) this.#grants.set(question.lease, answer.grant);
    else if (answer.is === 'refused') this.#grants.set(question.lease, null);
  }

  /** Whoever was given the member sees the change, even where it comes before they could take a look. */
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
