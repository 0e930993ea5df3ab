import {
  answer,
  type Asked,
  type Cause,
  drawCall,
  hasToken,
  pick,
  type Random,
  type Reply,
  START,
  type World,
} from './world.ts';

/*
 * A drawn suite, run in a drawn world by workers: each request with its answer, each attempt with its truth. Nothing of the
 * judge is used here.
 */

interface Step {
  readonly asked: Asked;
  /** Asked again until it answers well, as `expect.poll` does. */
  readonly isPolled: boolean;
}

export interface SuiteTest {
  readonly id: number;
  readonly steps: readonly Step[];
  /** After this step the test checks what the product does not do; softly: it goes on. */
  readonly wrongAfter: number | null;
  readonly isSoft: boolean;
}

export interface SentRequest {
  readonly asked: Asked;
  readonly endpoint: string;
  readonly key: string;
  /** Number of its call within the attempt. */
  readonly call: number;
  readonly at: number;
  readonly elapsedMs: number;
  readonly reply: Reply;
  readonly cause: Cause;
  readonly afterError: boolean;
}

export interface Attempt {
  readonly test: number;
  readonly failed: boolean;
  readonly endedAt: number;
  readonly requests: readonly SentRequest[];
  /** It ended since a token could not be minted, and had no error before. */
  readonly lacksToken: boolean;
  /** Each cause that this failed attempt has; empty for one that passed. */
  readonly causes: ReadonlySet<Cause>;
}

const POLLS = 4;
const EJECTION_MS = 15_000;

export function drawSuite(random: Random): SuiteTest[] {
  return Array.from({ length: 4 + Math.floor(random() * 16) }, (_, id) => {
    const steps = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
      const asked = drawCall(random, random() < 0.12);
      return { asked, isPolled: asked.method === 'GET' && random() < 0.2 };
    });
    const wrongAfter = random() < 0.15 ? Math.floor(random() * steps.length) : null;
    return { id, steps, wrongAfter, isSoft: random() < 0.3 };
  });
}

/** Runs the tests in their order over that many workers. */
export function runSuite(
  world: World,
  tests: readonly SuiteTest[],
  workers: number,
  random: Random,
): Attempt[] {
  const freeAt = Array.from({ length: workers }, () => START);
  const outUntil = new Map<string, number>();
  const tokens = new Map<string, number>();
  return tests.flatMap((test) => {
    const worker = freeAt.indexOf(Math.min(...freeAt));
    const attempts: Attempt[] = [];
    let at = freeAt[worker]!;
    for (let retry = 0; retry < 2; retry++) {
      const attempt = runTest(world, test, at, { outUntil, tokens }, random);
      attempts.push(attempt);
      at = attempt.endedAt + 50 + random() * (random() < 0.1 ? 60_000 : 3_000);
      if (!attempt.failed || random() < 0.5) break;
    }
    freeAt[worker] = at;
    return attempts;
  });
}

function runTest(
  world: World,
  test: SuiteTest,
  start: number,
  { outUntil, tokens }: Record<'outUntil' | 'tokens', Map<string, number>>,
  random: Random,
): Attempt {
  const requests: SentRequest[] = [];
  const causes = new Set<Cause>();
  /** Of faults before an answer that was no success: by the rules they have not recovered. */
  const left = new Set<Cause>();
  const lease = { endpoint: '', key: pick(random, world.keys) };
  const choose = (): void => {
    const serving = world.endpoints.filter((name) => (outUntil.get(name) ?? 0) <= at);
    lease.endpoint = pick(random, serving.length > 0 ? serving : world.endpoints);
  };
  let at = start;
  let calls = 0;
  choose();

  const send = (asked: Asked, call: number): SentRequest => {
    const { reply, cause } = answer(world, asked, lease, at, random);
    const elapsedMs = reply === 'timeout' ? 5_000 : 5 + random() * 400;
    const sent = { asked, ...lease, call, at, elapsedMs, reply, cause, afterError: causes.size > 0 };
    requests.push(sent);
    at += elapsedMs;
    if (reply === 'refused') outUntil.set(lease.endpoint, at + EJECTION_MS);
    return sent;
  };
  /** Repeats elsewhere what may be repeated, as the retry loop does. */
  const make = (asked: Asked): SentRequest => {
    const call = calls++;
    let sent = send(asked, call);
    for (let retry = 0; retry < 2 && mayRepeat(sent); retry++) {
      if (random() < 0.3) break;
      choose();
      sent = send(asked, call);
    }
    if (sent.reply !== 200)
      for (const each of requests) if (each.call === call && each.cause !== null) left.add(each.cause);
    return sent;
  };
  const perform = ({ asked, isPolled }: Step): boolean => {
    const expected = world.refusals.get(asked.route) ?? 200;
    for (let turn = 0; turn < (isPolled ? POLLS : 1); turn++) {
      const { reply, cause } = make(asked);
      if (reply === expected) return true;
      if (cause !== null) left.add(cause);
      at += 500;
    }
    for (const cause of left) causes.add(cause);
    return false;
  };

  let lacksToken = false;
  for (const [index, step] of test.steps.entries()) {
    if (!hasToken(world, lease.key, at, tokens)) {
      lacksToken = causes.size === 0;
      at += 1_500;
      for (const cause of [...left, 'environment'] as const) causes.add(cause);
      break;
    }
    const failedBefore = causes.size > 0;
    const wasRight = failedBefore ? (make(step.asked), true) : perform(step);
    if (!wasRight) break;
    if (index !== test.wrongAfter) continue;
    for (const cause of [...left, 'product'] as const) causes.add(cause);
    if (!test.isSoft) break;
  }
  return { test: test.id, failed: causes.size > 0, endedAt: at, requests, lacksToken, causes };
}

function mayRepeat({ asked, reply, cause }: SentRequest): boolean {
  if (reply === 'refused') return true;
  const isFault = reply === 'timeout' || reply === 'reset' || reply >= 500;
  return asked.method === 'GET' && isFault && cause !== null;
}
