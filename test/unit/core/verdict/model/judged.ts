import type { AttemptRequest, FailedAttempt } from '../../../../../src/core/verdict/attempt.ts';
import { type Ruling, judgeAttempt } from '../../../../../src/core/verdict/judge.ts';
import { recoveries } from '../../../../../src/core/verdict/recovery.ts';
import { identityOf, routeNumber } from '../../../../../src/core/verdict/route.ts';
import { RunView, type ViewedRequest } from '../../../../../src/core/verdict/run-view.ts';
import type { OutcomeKind } from '../../../../../src/core/types.ts';
import type { Attempt, SentRequest } from './suite.ts';
import { answer, isKeyOut, type Random, type Reply, type World } from './world.ts';

export interface SeenAttempt {
  readonly attempt: Attempt;
  readonly requests: readonly AttemptRequest[];
  readonly recovered: readonly (boolean | null)[];
  readonly failure: FailedAttempt;
  /** What was asked once more, after it. */
  evidence: readonly ViewedRequest[];
  /** What was found when it ended. */
  annotated: Ruling | null;
}

const POOL = 'api';

/** Judges each failed attempt when it ends, by what was seen until then, and asks for more where the rules say so. */
export function follow(world: World, run: readonly Attempt[], random: Random): SeenAttempt[] {
  const seen = run.map((attempt) => seenOf(world, attempt));
  for (const each of seen.toSorted((a, b) => a.attempt.endedAt - b.attempt.endedAt)) {
    if (!each.attempt.failed) continue;
    const { endedAt } = each.attempt;
    const before = seen.filter((other) => other.attempt.endedAt <= endedAt);
    const finding = judgeAttempt(each.failure, viewOf(before));
    each.evidence = finding.open.slice(0, 1).flatMap((index) => {
      const sent = each.attempt.requests[each.requests.indexOf(each.failure.ended[index] as AttemptRequest)]!;
      return askedOnceMore(world, sent, endedAt, random);
    });
    each.annotated = each.evidence.length > 0 ? judgeAttempt(each.failure, viewOf(before)) : finding;
  }
  return seen;
}

/** Judges the whole run again. */
export function judgeRun(
  seen: readonly SeenAttempt[],
  all: readonly SeenAttempt[] = seen,
): (Ruling | null)[] {
  const view = viewOf(all);
  return seen.map(({ attempt, failure }) => (attempt.failed ? judgeAttempt(failure, view) : null));
}

function viewOf(seen: readonly SeenAttempt[]): RunView {
  const view = new RunView();
  for (const { attempt, requests, recovered, evidence } of seen) {
    for (const [index, request] of requests.entries()) {
      view.add(request);
      if (!attempt.failed && recovered[index] === false) view.addExpected(request);
    }
    for (const request of evidence) view.add(request);
  }
  return view;
}

function seenOf(world: World, attempt: Attempt): SeenAttempt {
  const requests = attempt.requests.map(requestOf);
  const recovered = recoveries(requests);
  const ended = requests.filter((_, index) => recovered[index] === false);
  const failure: FailedAttempt = {
    crashed: false,
    timedOut: false,
    requests: requests.length,
    ended,
    foreign: [],
    unmet: attempt.lacksToken ? [{ pool: POOL, isMistake: false, why: 'no token could be minted' }] : [],
    outOfService: world.keys
      .filter((key) => isKeyOut(world, key, attempt.endedAt))
      .map((key) => ({ pool: POOL, endpoint: null, key })),
    ownMs: 30_000,
    lostMs: 0,
  };
  return { attempt, requests, recovered, failure, evidence: [], annotated: null };
}

function requestOf(sent: SentRequest): AttemptRequest {
  const { asked, endpoint, key, call, at, elapsedMs, reply, afterError } = sent;
  const status = typeof reply === 'number' ? reply : null;
  return {
    pool: POOL,
    endpoint,
    key,
    call,
    method: asked.method,
    route: routeNumber(asked),
    identity: identityOf(asked, asked.payload),
    kind: kindOf(reply),
    status,
    unsent: reply === 'refused',
    at,
    durationMs: status === null ? null : elapsedMs,
    elapsedMs,
    afterError,
    ofVendor: false,
  };
}

function kindOf(reply: Reply): OutcomeKind {
  if (reply === 'timeout') return 'timeout';
  if (typeof reply === 'string') return 'network';
  if (reply >= 500) return 'server';
  if (reply === 429) return 'rate-limit';
  return reply === 401 || reply === 403 ? 'auth' : 'ok';
}

function askedOnceMore(world: World, sent: SentRequest, at: number, random: Random): ViewedRequest[] {
  const endpoint = world.endpoints.find((name) => name !== sent.endpoint);
  if (endpoint === undefined) return [];
  const { reply, cause } = answer(world, sent.asked, { endpoint, key: sent.key }, at, random);
  return [requestOf({ ...sent, endpoint, at, reply, cause })];
}
