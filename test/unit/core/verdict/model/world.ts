import { seededRandom } from '../../../../../src/core/clock.ts';

/*
 * A drawn world: what is broken in the product, what in its environment, and when. Servers answer by it, so the truth of each
 * failure is there before anything judges it. Nothing of the judge is used here.
 */

export type Random = () => number;

/** What a server, or the way there, makes of a request. */
export type Reply = number | 'timeout' | 'reset' | 'refused';

/** Who broke an answer; null: nobody, it is what the product is to answer. */
export type Cause = 'product' | 'environment' | null;

export interface Asked {
  readonly method: string;
  /** The route as the product's developers write it, such as `GET /orders/:id`. */
  readonly route: string;
  readonly path: string;
  /** Stands for query and body. */
  readonly payload: number;
}

interface Member {
  readonly endpoint: string;
  readonly key: string;
}

interface ProductBug {
  readonly route: string;
  /** Only these payloads and ids; null: every call of the route. */
  readonly remainder: number | null;
  readonly reply: Reply;
}

interface Fault {
  readonly endpoint: string | null;
  readonly key: string | null;
  readonly route: string | null;
  readonly from: number;
  readonly to: number;
  readonly chance: number;
  readonly reply: Reply;
}

/** A pool whose keys have tokens: how long each lives, and when nobody mints one. */
interface TokenIssuer {
  readonly lifeMs: number;
  readonly down: readonly { readonly from: number; readonly to: number }[];
}

export interface World {
  readonly endpoints: readonly string[];
  readonly keys: readonly string[];
  readonly bugs: readonly ProductBug[];
  readonly faults: readonly Fault[];
  /** What the product answers on purpose, by route: its tests expect it. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Null: keys are sent as they are. */
  readonly issuer: TokenIssuer | null;
}

const IDS = ['17', '18', '4f0c1a52-9c1e-4d6c-8f7b-2f1f6a3b9d10', '7d444840-9dc0-11d1-b245-5ffdce74fad2'];
const ROUTES: readonly string[] = [
  'GET /orders',
  'GET /orders/:id',
  'GET /users/:id/items',
  'GET /search',
  'POST /orders',
  'POST /pay',
  'DELETE /orders/:id',
];
const REFUSING: readonly string[] = ['GET /limits', 'POST /sign-in'];
const MINUTES_8 = 480_000;
/** When runs begin. */
export const START = 1_000_000;

export function drawWorld(random: Random): World {
  const many = (most: number, least = 0): number => least + Math.floor(random() * (most - least + 1));
  const endpoints = ['a', 'b', 'c', 'd'].slice(0, many(4, 1));
  const keys = ['k1', 'k2', 'k3'].slice(0, many(3, 1));
  const bugs = Array.from({ length: many(2) }, () => ({
    route: pick(random, ROUTES),
    remainder: random() < 0.5 ? null : many(2),
    reply: pick<Reply>(random, [500, 500, 501, 502, 503, 504, 'timeout', 404, 422]),
  }));
  const faults = Array.from({ length: many(4) }, () => drawFault(random, endpoints, keys));
  const refusals = new Map(REFUSING.map((route) => [route, pick(random, [401, 403, 429, 500, 503])]));
  const issuer = random() < 0.3 ? drawIssuer(random) : null;
  return { endpoints, keys, bugs, faults, refusals, issuer };
}

function drawIssuer(random: Random): TokenIssuer {
  const down = Array.from({ length: Math.floor(random() * 3) }, () => {
    const from = START + random() * 60_000;
    return { from, to: from + 1_000 + random() * 60_000 };
  });
  return { lifeMs: 2_000 + random() * 60_000, down };
}

/** Whether a token can be had for a key; one that has ended is minted anew. `ends`: when tokens end, by key. */
export function hasToken({ issuer }: World, key: string, at: number, ends: Map<string, number>): boolean {
  if (issuer === null || (ends.get(key) ?? 0) > at) return true;
  if (issuer.down.some(({ from, to }) => at >= from && at < to)) return false;
  ends.set(key, at + issuer.lifeMs);
  return true;
}

function drawFault(random: Random, endpoints: readonly string[], keys: readonly string[]): Fault {
  const from = random() < 0.3 ? 0 : random() * MINUTES_8;
  const to = random() < 0.3 ? Infinity : from + 5_000 + random() * 120_000;
  const ofKey = random() < 0.25;
  return {
    endpoint: ofKey ? null : pick(random, endpoints),
    key: ofKey ? pick(random, keys) : null,
    route: !ofKey && random() < 0.4 ? pick(random, ROUTES) : null,
    from,
    to,
    chance: ofKey || random() < 0.5 ? 1 : 0.2 + random() * 0.6,
    reply: ofKey
      ? pick<Reply>(random, [401, 429])
      : pick<Reply>(random, [500, 502, 503, 503, 504, 'timeout', 'reset', 'refused']),
  };
}

/** A call of some route, with one of few ids and payloads, so that the same call is made by several tests. */
export function drawCall(random: Random, mayRefuse: boolean): Asked {
  const route = pick(random, mayRefuse ? REFUSING : ROUTES);
  const [method, template] = route.split(' ') as [string, string];
  return {
    method,
    route,
    path: template.replace(':id', pick(random, IDS)),
    payload: Math.floor(random() * 4),
  };
}

/** What comes back, and who broke it. */
export function answer(
  world: World,
  asked: Asked,
  member: Member,
  at: number,
  random: Random,
): { reply: Reply; cause: Cause } {
  const fault = world.faults.find((each) => strikes(each, asked, member, at) && random() < each.chance);
  if (fault) return { reply: fault.reply, cause: 'environment' };
  const bug = world.bugs.find((each) => each.route === asked.route && meets(each, asked));
  if (bug) return { reply: bug.reply, cause: 'product' };
  return { reply: world.refusals.get(asked.route) ?? 200, cause: null };
}

/** What of the environment may break that call then. */
export function faultsAt({ faults }: World, asked: Asked, member: Member, at: number): Fault[] {
  return faults.filter((each) => strikes(each, asked, member, at));
}

/** The key is refused then, wherever it goes. */
export function isKeyOut({ faults }: World, key: string, at: number): boolean {
  return faults.some((each) => each.key === key && at >= each.from && at < each.to);
}

function strikes(
  { endpoint, key, route, from, to }: Fault,
  asked: Asked,
  member: Member,
  at: number,
): boolean {
  const isThere = key === null ? endpoint === member.endpoint : key === member.key;
  return isThere && (route === null || route === asked.route) && at >= from && at < to;
}

function meets({ remainder }: ProductBug, { path, payload }: Asked): boolean {
  return remainder === null || (payload + path.length) % 3 === remainder;
}

export function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)]!;
}

export function shuffled<T>(random: Random, all: readonly T[]): T[] {
  return all
    .map((one) => ({ one, by: random() }))
    .toSorted((a, b) => a.by - b.by)
    .map(({ one }) => one);
}

export function dice(seed: string): Random {
  return seededRandom(seed);
}
