import { administer } from '../../../../src/core/admin.ts';
import { dropClient, endDeadlocks, nextTick, releaseLease } from '../../../../src/core/pool.ts';
import { type Effect, type PoolState } from '../../../../src/core/state.ts';
import type { PoolSpec } from '../../../../src/core/types.ts';
import { checkBooks, rememberOutcome } from './check.ts';
import { type ClientLease, Clients } from './clients.ts';
import { Dice, randomPool } from './dice.ts';
import { type Acting, askAgain, askFirst, request, moveLease, permit } from './events.ts';
import { checkCircles } from './circles.ts';
import { inWords } from './words.ts';
import { Pacing } from './pacing.ts';
import { restart } from './restart.ts';
import { Store } from './store.ts';
import { checkOrder, checkWaits, tickSoundly } from './waits.ts';
import { World } from '../world.ts';

const LINKS = 4;
const STEPS_MS = [0, 0, 0, 0, 0, 1, 1, 3, 3, 20, 20, 300, 300, 1_000, 2_500, 2_500, 10_000, 70_000];

/** One random history of a pool, watched at every step. */
export class Run {
  readonly log: string[] = [];
  /** How often each kind of answer and each state of health was seen. */
  readonly seen = new Map<string, number>();
  readonly #dice: Dice;
  readonly #clients = new Clients();
  readonly #pacing = new Pacing();
  readonly #acting: Acting;
  /** Waits that go in a circle are ended, as the broker does after all that happens. */
  readonly #endsCircles: boolean;
  /** A busy broker hears of an event before its timer fires; the tick comes after. */
  #late = false;
  #world: World;
  /** Null where limits hold on one machine only. */
  readonly #store: Store | null;

  constructor(seed: string) {
    this.#dice = new Dice(seed);
    this.#endsCircles = this.#dice.chance(0.3);
    this.#store = this.#dice.chance(0.3) ? new Store() : null;
    this.#world = new World(randomPool(this.#dice));
    this.#world.pool.shared = this.#store !== null;
    const { clients, dice, world } = { clients: this.#clients, dice: this.#dice, world: this.#world };
    this.#acting = { dice, clients, world, specs: new Map(), lastId: 0 };
    for (let client = 0; client < LINKS; client++) this.#connect();
    const { endpoints, keys, ...policy } = world.spec;
    this.log.push(...[policy, ...endpoints, ...keys].map((part) => JSON.stringify(part)));
  }

  get spec(): PoolSpec {
    return this.#world.spec;
  }

  /** What the broker has in mind, to be tampered with. */
  get pool(): PoolState {
    return this.#world.pool;
  }

  /** Throws at the first step that breaks a promise. */
  go(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#late = this.#dice.chance(0.05);
      if (this.#late) this.#world.now += this.#dice.pick(STEPS_MS);
      else this.#pass(this.#dice.chance(0.003) ? 4_000_000 : this.#dice.pick(STEPS_MS));
      this.#event();
      if (!this.#late) continue;
      this.#late = false;
      this.#tick('late tick');
    }
  }

  #event(): void {
    if (this.#store?.isAsked && this.#dice.chance(0.5))
      return this.#step(...this.#store.answer(this.#dice, this.#world));
    if (this.#store && this.#dice.chance(0.05))
      return this.#step(...this.#store.otherMachine(this.#dice, this.#world));
    const { lease, wish } = this.#choose();
    if (wish === 'acquire' || !lease) return this.#step(...askFirst(this.#acting));
    if (wish === 'drop') return this.#drop(this.#dice.pick([...this.#acting.specs.keys()]));
    if (wish === 'restart') return this.#restart();
    if (wish === 'admin') return this.#administer();
    if (wish === 'release') return this.#releaseLease(lease.id, this.#dice.chance(0.3));
    if (lease.homeless) return this.#step(...askAgain(this.#acting, lease));
    if (wish === 'move') return this.#step(...moveLease(this.#acting, lease));
    // Calls that need a turn ask for it; what a page does by itself does not.
    const goes = lease.fastPath || lease.onItsWay || this.#dice.chance(0.1);
    this.#step(...(goes ? request : permit)(this.#acting, lease));
  }

  #choose(): { lease: ClientLease | null; wish: string } {
    const leases = [...this.#clients.leases.values()];
    const lease = leases.length > 0 ? this.#dice.pick(leases) : null;
    const rare = this.#dice.random();
    if (rare < 0.01) return { lease, wish: 'drop' };
    if (rare < 0.02 && !this.#store) return { lease, wish: 'restart' };
    if (rare < 0.04) return { lease, wish: 'admin' };
    const full = leases.length + this.#clients.open.size > 16;
    const wishes = ['acquire', 'acquire', 'acquire', 'call', 'call', 'call', 'call', 'move', 'release'];
    return { lease, wish: this.#dice.pick([...wishes, full ? 'release' : 'call']) };
  }

  #step(what: string, apply: () => Effect[]): void {
    this.#apply(what, apply);
    if (!this.#endsCircles) return;
    this.#apply('end circles', () => endDeadlocks([this.#world.pool], this.#world.context));
    const [circle] = checkCircles(this.#world.pool);
    if (circle) throw new Error(circle);
  }

  #apply(what: string, apply: () => Effect[]): void {
    const before = rememberOutcome(this.#world.pool);
    this.log.push(`${this.#world.now} ${what}`);
    const effects = apply();
    for (const effect of effects) {
      const what = effect.type === 'changed' ? effect.change.to : effect.type;
      this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
      this.log.push(inWords(effect));
    }
    this.#store?.hear(effects);
    const wrong = [...this.#clients.hear(effects), ...(this.#store?.check(this.#world) ?? [])];
    // The pace that machines share is kept by their store.
    if (!this.#store) wrong.push(...this.#pacing.hear(effects, this.#world));
    const moment = { before, effects, world: this.#world, clients: this.#clients };
    wrong.push(...checkBooks(moment), ...checkOrder(moment), ...(this.#late ? [] : checkWaits(moment)));
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
    for (const lease of this.#clients.refused.splice(0)) this.#releaseLease(lease, false);
  }

  #pass(ms: number): void {
    const end = this.#world.now + ms;
    for (let due = this.#due(); due <= end; due = this.#due()) {
      this.#world.now = Math.max(due, this.#world.now);
      this.#tick('tick');
      if (this.#due() <= this.#world.now) throw new Error('the next tick is due for ever');
    }
    this.#world.now = end;
    if (ms === 0) return;
    // Where a call may choose another member, a second look may choose differently.
    const choosers = new Set(
      this.#world.pool.permitQueue.flatMap(({ movable, lease }) => (movable ? lease : [])),
    );
    const done = this.#tick('early tick').filter((effect) => {
      return !((effect.type === 'permit' || effect.type === 'moved') && choosers.has(effect.lease.id));
    });
    if (done.length > 0) throw new Error('something was due before nextTick');
  }

  #due(): number {
    return nextTick(this.#world.pool, this.#world.now);
  }

  #tick(name: string): Effect[] {
    let effects: Effect[] = [];
    this.#step(name, () => (effects = tickSoundly(this.#world)));
    return effects;
  }

  #releaseLease(lease: string, failed: boolean): void {
    this.#clients.leases.delete(lease);
    this.#step(`release ${lease}${failed ? ' failed' : ''}`, () =>
      releaseLease(this.#world.pool, lease, failed, this.#world.context),
    );
  }

  #connect(): void {
    this.#acting.specs.set(`link-${++this.#acting.lastId}`, structuredClone(this.#world.spec));
  }

  #drop(client: string): void {
    this.#clients.drop(client);
    this.#acting.specs.delete(client);
    this.#connect();
    this.#step(`drop ${client}`, () => dropClient(this.#world.pool, client, this.#world.context));
  }

  #administer(): void {
    const { pool, spec } = this.#world;
    const ill = [...pool.members.values()].filter(({ health }) => health.state !== 'healthy');
    const names = (ill.length > 0 && this.#dice.chance(0.6) ? ill : [...spec.endpoints, ...spec.keys]).map(
      (member) => member.name,
    );
    const name = this.#dice.pick(names);
    const action = this.#dice.pick([
      'enable',
      'enable',
      'disable',
      'reset',
      'reset',
      'reset',
      'reserve',
    ] as const);
    const reservation = action === 'reserve' ? { forMs: 20_000, reason: 'a person' } : null;
    this.#step(
      `${action} ${name}`,
      () => administer(pool, spec, action, name, this.#world.context, reservation) ?? [],
    );
  }

  #restart(): void {
    this.#world = restart(this.#acting);
    this.#pacing.clear();
    this.#late = true;
    // Who came last may be the first to come back.
    const open = [...this.#clients.open.values()].toSorted((one, other) => other.since - one.since);
    for (const asked of open)
      this.#step(`restart, ${asked.kind} ${asked.ask} again`, () => asked.again(this.#world));
  }
}
