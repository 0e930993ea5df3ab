import type { Answer, GrantedMember } from '../wire/messages.ts';
import type { Held, HelloMessage, Pending } from './types.ts';

/** The leases of one worker, and what its broker said of their members. */
export class Holdings {
  readonly #held = new Map<string, Held>();
  /** The member of each lease by the latest answer, null where it lost its own; what the broker says later is written there. */
  readonly #members = new Map<string, GrantedMember | null>();

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  keep(lease: Held): void {
    this.#held.set(lease.lease, lease);
  }

  forget(lease: string): void {
    this.#held.delete(lease);
    this.#members.delete(lease);
  }

  /** Its calls may go without asking. */
  isFree(lease: string): boolean {
    return this.#members.get(lease)?.free === true;
  }

  answered({ question }: Pending, answer: Answer): void {
    if (!('lease' in question)) return;
    if ('member' in answer) this.#members.set(question.lease, answer.member);
    else if (answer.is === 'refused') this.#members.set(question.lease, null);
  }

  /** Whoever was given the member sees the change, even where it comes before they could take a look. */
  change(lease: string, change: Partial<GrantedMember>): void {
    const member = this.#members.get(lease);
    if (member) Object.assign(member, change);
  }

  /**
   * What a new broker is told. A lease that asked for another member may have lost its own already; and which calls may
   * go without asking, that broker has to say anew.
   */
  toTell(open: Iterable<Pending>): HelloMessage['held'] {
    for (const lease of this.#members.keys()) this.change(lease, { free: false });
    for (const { question } of open) if (question.type === 'move') this.#members.set(question.lease, null);
    return [...this.#held.values()].map((lease) => {
      const member = this.#members.get(lease.lease);
      return { ...lease, endpoint: member?.endpoint?.id ?? null, key: member?.key?.id ?? null };
    });
  }
}
