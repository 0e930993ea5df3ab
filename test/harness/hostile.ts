import type { Random } from '../../src/core/clock.ts';
import { OUTCOME_KINDS } from '../../src/core/types.ts';
import { PINNED_BY } from '../../src/shared/pin.ts';

/** What pages under test, servers, titles and pull requests may bring along where a name or a message is shown. */
export const HOSTILE: readonly string[] = [
  '</script><script>alert(1)</script>',
  '<!--<script>alert(2)//',
  `"'><img src=x onerror=alert(3)><svg onload=alert(4)>`,
  '<details open ontoggle=alert(5)><iframe srcdoc="<script>alert(6)</script>">',
  'javascript:alert(7)',
  '{{constructor.constructor "alert(8)"}} {{{css}}} ${alert(9)}',
  '</style></title></textarea><base href=//evil.test><meta http-equiv=refresh content=0;url=//evil.test>',
  'one\u2028two\u2029three\u0085four',
  '\u001B[2J\u001B[1;1H\u001B]8;;https://evil.test\u0007click\u001B]8;;\u0007\u009B31m',
  '\rGemba: 9 of 9 passed',
  'x\nGemba: 9 of 9 passed\r\nGemba gate: passed',
  '\n::add-mask::x\n::stop-commands::y\n##[add-mask]z ##vso[task.setvariable variable=x]y',
  'fdp.\u202Eexe\u2066\u200F',
  '![x](https://evil.test/p.png) [y](javascript:alert(1)) https://evil.test www.evil.test @team #1 `c` **b** | $x$',
  '__proto__',
  'constructor',
  'a\u0000b\uD800c\uFFFE',
  '../../../../etc/passwd',
  'long '.repeat(2_000),
];

const NUMBERS: readonly number[] = [0, 1, -1, 200, 0.5, 1e6, -1e6, 1.7e12, 8.64e15, -8.64e15, 2 ** 52];
const WILD: readonly unknown[] = [null, true, '1', [], {}, [[]], 1e308, -1e308, 1.5, '', { length: 1e9 }];
const STATES = ['healthy', 'cooling', 'ejected', 'half-open', 'quarantined', 'exhausted', 'disabled'];

/** Makes one record after another as a worker would, but for what stands in it. */
export class HostileRecords {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Of the right shape, with the worst that can stand in it. */
  next(): Record<string, unknown> {
    const { pool, endpoint, key } = { pool: this.#text(), endpoint: this.#text(), key: this.#text() };
    const who = { pool, endpoint, key };
    const came = { at: this.#number(), kind: 'network' as const, status: this.#whole(), unsent: true };
    const change = { from: this.#of(STATES), to: this.#of(STATES), why: this.#text(), until: this.#number() };
    return {
      v: 1,
      test: 'unknown',
      retry: 0,
      startedAt: this.#number(),
      worker: Math.round(this.#number()),
      shard: this.#of([null, '1/2', '2/2', '1/999999999', '9/1', '../1', `1/${'9'.repeat(400)}`]),
      revision: this.#text(),
      configErrors: [this.#text()],
      revisions: this.#of([
        undefined,
        [
          {
            broker: 'b',
            seq: this.#whole(),
            at: this.#number(),
            revision: this.#text(),
            errors: [this.#text()],
            changes: [{ path: this.#text(), old: this.#text(), new: this.#of(WILD) ?? null }],
          },
        ],
      ]),
      gate: { product: 'fail', environment: 'warn', unknown: 'warn', degraded: 'fail', shards: 'warn' },
      memberList: [
        {
          name: pool,
          endpoints: [{ name: endpoint, url: this.#of([...HOSTILE, 'http://me:pass@host.test/?key=1']) }],
          keys: [{ name: key, fingerprint: this.#text() }],
        },
      ],
      healthSnapshots: [{ ...who, state: this.#of(STATES), why: this.#text(), until: this.#number() }],
      leases: [
        { id: this.#text(), ...who, scope: 'test', waitedMs: this.#number(), heldMs: this.#number() },
        { id: 'l', pool: 'api', endpoint: 'eu', key: null, scope: 'worker', waitedMs: 0, heldMs: 1 },
      ],
      calls: Math.abs(this.#whole()),
      requests: Array.from({ length: 5 }, () => [
        this.#number(),
        this.#of([-1, 0, 1, 7]),
        Math.floor(this.#random() * OUTCOME_KINDS.length),
        this.#of([0, 200, 503, -5, 99_999]),
        this.#number(),
        this.#whole(),
        this.#number(),
        this.#of([-1, 0, 1, 7]),
        this.#whole(),
        this.#whole(),
      ]),
      requestsOmitted: Math.abs(this.#whole()),
      targets: [{ method: this.#text(), path: this.#text(), operation: this.#text() }],
      errors: [
        {
          at: this.#number(),
          lease: this.#of([0, 1, -3]),
          kind: 'server',
          status: 503,
          message: this.#text(),
        },
      ],
      strategies: [
        { task: this.#text(), name: this.#text(), ok: false, durationMs: this.#number(), fallback: true },
      ],
      refusals: [{ pool, fallbackPool: this.#text(), isMistake: true, isEvidence: true, why: this.#text() }],
      foreign: [
        { origin: this.#text(), method: this.#text(), path: this.#text(), ...came, afterError: false },
      ],
      evidence: [{ ...who, method: this.#text(), path: this.#text(), ...came, payload: this.#whole() }],
      atEnd: { outOfService: [who], extendedMs: this.#number(), unextendedMs: this.#number() },
      strategyEstimates: [
        { task: this.#text(), name: this.#text(), at: this.#number(), successRate: 2, avgMs: this.#number() },
      ],
      transitions: [{ seq: this.#whole(), broker: this.#text(), at: this.#number(), ...who, ...change }],
      pinned: { pool: this.#text(), to: this.#text(), by: this.#of(PINNED_BY) },
      degraded: true,
      verdict: { verdict: this.#of(['environment', 'product', 'unknown']), evidence: [this.#text()] },
    };
  }

  /** The same with one field, however deep, replaced by something of another kind, or with names that reach prototypes. */
  broken(): string {
    const record = this.next();
    const at = this.#of(Object.keys(record));
    if (this.#random() < 0.2) return JSON.stringify(record).slice(0, Math.floor(this.#random() * 400));
    if (this.#random() < 0.3) {
      const text = JSON.stringify(record);
      return `{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},${text.slice(1)}`;
    }
    const nested = record[at];
    if (Array.isArray(nested) && nested.length > 0 && this.#random() < 0.5) nested[0] = this.#of(WILD);
    else record[at] = this.#of(WILD);
    return JSON.stringify(record);
  }

  #text(): string {
    return this.#of(HOSTILE);
  }

  #number(): number {
    return this.#of(NUMBERS);
  }

  #whole(): number {
    return Math.round(this.#number());
  }

  #of<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }
}

/** Control characters and what turns text around: none of them may reach a terminal from a name. */
export const POSING = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
/** Lines that a CI system would obey. */
export const COMMAND = /^\s*::|##(?:vso)?\[/m;

/** Without half surrogate pairs, which no address can hold. */
export function wellFormed(text: string): string {
  return text.replaceAll(/[\uD800-\uDFFF]/g, '?');
}
