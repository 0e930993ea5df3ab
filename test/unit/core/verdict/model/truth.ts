import type { Attempt, SentRequest } from './suite.ts';
import { type Asked, faultsAt, isKeyOut, type Reply, type World } from './world.ts';

/*
 * What a judge can know of each failed attempt by the rules' own terms, found from the drawn truth. Nothing of the judge is
 * used here.
 */

/** What the verdict of a failed attempt must or must not be; `open`: the rules have nothing to tell it by. */
export type Claim =
  | 'product'
  | 'not environment'
  | 'environment'
  /** A product's 502 to 504 or timeout: no product shows itself by these, unless every endpoint gives them. */
  | 'product as a gateway'
  /** A product's 500 or 501 by payload alone, which at one endpoint met only calls that fail, at another only others. */
  | 'product by payload, apart'
  /** A failed attempt met what other tests expect, and none of these passed. */
  | 'product, not to be known'
  | 'environment, not to be known'
  | 'both';

/** A window of the rules, and its steps on either side. */
const NEAR_MS = 320_000;
const SURELY_NEAR_MS = 280_000;
const OWN: ReadonlySet<Reply> = new Set([500, 501]);

export function claimOf(world: World, run: readonly Attempt[], attempt: Attempt): Claim {
  if (attempt.causes.size > 1) return 'both';
  const ofProduct = attempt.causes.has('product');
  // Nothing that came before it ended the attempt.
  if (attempt.lacksToken && !ofProduct) return 'environment';
  const met = attempt.requests.filter(({ reply, afterError }) => !afterError && reply !== 200);
  if (met.some((each) => each.cause === null && isFaulty(each.reply) && !isExpectedAnyway(run, each)))
    return ofProduct ? 'product, not to be known' : 'environment, not to be known';
  return ofProduct ? claimOfProduct(world, run, met) : claimOfEnvironment(world, run, attempt, met);
}

function claimOfProduct(world: World, run: readonly Attempt[], met: readonly SentRequest[]): Claim {
  const faults = met.filter(({ cause, reply }) => cause === 'product' && isFaulty(reply));
  if (faults.length === 0) return 'product';
  if (!faults.some(({ reply }) => OWN.has(reply)))
    return faults.some((fault) => isEverywhere(world, run, fault)) ? 'product' : 'product as a gateway';
  return faults.some((fault) => looksLikeOneEndpoint(run, fault))
    ? 'product by payload, apart'
    : 'not environment';
}

/** Every call of the route fails, and two endpoints showed it that serve other routes. */
function isEverywhere({ bugs }: World, run: readonly Attempt[], { asked, reply, at }: SentRequest): boolean {
  const ofRoute = bugs.filter((bug) => bug.route === asked.route);
  if (ofRoute.length !== 1 || ofRoute[0]!.remainder !== null) return false;
  const near = run
    .flatMap(({ requests }) => requests)
    .filter((each) => Math.abs(each.at - at) < SURELY_NEAR_MS);
  const gave = near.filter((each) => each.asked.route === asked.route && each.reply === reply);
  const serving = new Set(gave.map(({ endpoint }) => endpoint).filter((name) => serves(near, name)));
  return serving.size > 1;
}

function serves(requests: readonly SentRequest[], name: string): boolean {
  return requests.some(({ endpoint, reply }) => endpoint === name && reply === 200);
}

/** Different calls failed where it failed, and none succeeded there, but some did elsewhere. */
function looksLikeOneEndpoint(run: readonly Attempt[], fault: SentRequest): boolean {
  const near = nearby(run, fault);
  const here = near.filter(({ endpoint }) => endpoint === fault.endpoint);
  const failed = here.filter(({ reply }) => isFaulty(reply)).map(({ asked }) => callOf(asked));
  const others = near.filter(({ endpoint, reply }) => endpoint !== fault.endpoint && reply === 200);
  return new Set(failed).size >= 2 && here.every(({ reply }) => reply !== 200) && others.length > 0;
}

function claimOfEnvironment(
  world: World,
  run: readonly Attempt[],
  attempt: Attempt,
  met: readonly SentRequest[],
): Claim {
  const broken = met.filter(({ cause }) => cause === 'environment');
  const isKnown = broken.every((each) => canBeKnown(world, run, attempt, each));
  return isKnown ? 'environment' : 'environment, not to be known';
}

function canBeKnown(world: World, run: readonly Attempt[], attempt: Attempt, request: SentRequest): boolean {
  const { reply, key, asked } = request;
  if (isExpectedAnyway(run, request)) return false;
  if (reply === 'refused') return true;
  if (reply === 401 || reply === 429) return isKeyOut(world, key, attempt.endedAt);
  const gave = nearby(run, request).filter((each) => statusOf(each.reply) === statusOf(reply));
  // Two endpoints that fail alike are the product's by the rules, whatever broke them.
  if (new Set(gave.map(({ endpoint }) => endpoint)).size > 1) return false;
  if (mayFailAlike(world, request, attempt.endedAt)) return false;
  if (!OWN.has(reply)) return true;
  return asked.method === 'GET' && couldSucceedElsewhere(world, request, attempt.endedAt);
}

/** One more request at another endpoint may meet the same. */
function mayFailAlike(world: World, { endpoint, key, asked, reply }: SentRequest, at: number): boolean {
  const others = world.endpoints.filter((name) => name !== endpoint);
  return others.some((name) => {
    const struck = faultsAt(world, asked, { endpoint: name, key }, at);
    return struck.some((fault) => statusOf(fault.reply) === statusOf(reply));
  });
}

/** Each other endpoint serves that call then: one more request there succeeds. */
function couldSucceedElsewhere(world: World, { endpoint, key, asked }: SentRequest, at: number): boolean {
  const others = world.endpoints.filter((name) => name !== endpoint);
  const isSound = (name: string): boolean => faultsAt(world, asked, { endpoint: name, key }, at).length === 0;
  const isMended = !world.bugs.some((bug) => bug.route === asked.route);
  return others.length > 0 && others.every(isSound) && isMended && !world.refusals.has(asked.route);
}

/** A passed attempt ended a call of that route with the same status. */
function isExpectedAnyway(run: readonly Attempt[], { asked, reply }: SentRequest): boolean {
  return run.some(
    ({ failed, requests }) =>
      !failed &&
      requests.some((each) => each.asked.route === asked.route && statusOf(each.reply) === statusOf(reply)),
  );
}

function nearby(run: readonly Attempt[], { asked, at }: SentRequest): SentRequest[] {
  return run
    .flatMap(({ requests }) => requests)
    .filter((each) => each.asked.route === asked.route && Math.abs(each.at - at) < NEAR_MS);
}

function isFaulty(reply: Reply): boolean {
  return typeof reply === 'string' || reply >= 500;
}

function statusOf(reply: Reply): Reply {
  return reply === 'reset' ? 'timeout' : reply;
}

function callOf({ path, payload }: Asked): string {
  return `${path} ${payload}`;
}
