import { describe, expect, it } from 'vitest';
import type { FailedAttempt } from '../../../../src/core/verdict/attempt.ts';
import { judgementOf, type NamedAttempt } from '../../../../src/core/verdict/describe.ts';
import { type Ruling, judgeAttempt, judgeTest } from '../../../../src/core/verdict/judge.ts';
import { identityOf, routeNumber } from '../../../../src/core/verdict/route.ts';
import { RunView, type ViewedRequest } from '../../../../src/core/verdict/run-view.ts';

const NOON = Date.parse('2026-01-01T12:00:00Z');

type Ended = NamedAttempt['ended'][number];

interface Parts extends Partial<Ended> {
  readonly payload?: number;
}

/** A call that ended with 503 at `eu`, but for what is said otherwise. */
function call({ payload = 0, ...parts }: Parts = {}): Ended {
  const target = { method: parts.method ?? 'GET', path: parts.path ?? '/orders' };
  return {
    pool: 'api',
    endpoint: 'eu',
    key: 'ci-1',
    kind: 'server',
    status: 503,
    at: NOON,
    route: routeNumber(target),
    identity: identityOf(target, payload),
    unsent: false,
    afterError: false,
    ofVendor: false,
    ...target,
    ...parts,
  };
}

function attempt(parts: Partial<NamedAttempt> = {}): NamedAttempt {
  return {
    crashed: false,
    timedOut: false,
    requests: 1,
    ended: [],
    foreign: [],
    unmet: [],
    outOfService: [],
    ownMs: 1_000,
    lostMs: 0,
    ...parts,
  };
}

const ok = (parts: Parts = {}): ViewedRequest => call({ kind: 'ok', status: 200, ...parts });

function find(parts: Partial<FailedAttempt>, seen: readonly ViewedRequest[] = []): Ruling {
  const view = new RunView();
  for (const request of [...seen, ...(parts.ended ?? [])]) view.add(request);
  return judgeAttempt(attempt(parts as Partial<NamedAttempt>), view);
}

const verdictOf = (parts: Partial<FailedAttempt>, seen: readonly ViewedRequest[] = []): string => {
  const { verdict, reason } = find(parts, seen);
  return `${verdict}: ${reason}`;
};

describe('a failed attempt is unknown', () => {
  it('where its worker crashed, whatever else it met', () => {
    expect(verdictOf({ crashed: true, ended: [call({ unsent: true })] })).toBe('unknown: crashed');
  });

  it('where nothing was measured: no request and no refused lease', () => {
    expect(verdictOf({ requests: 0 })).toBe('unknown: not measured');
    expect(verdictOf({ requests: 0, unmet: [{ pool: 'api', isMistake: false, why: '' }] })).toBe(
      'environment: no lease',
    );
  });

  it('where a lease was refused by a mistake in test or configuration', () => {
    const unmet = [
      { pool: 'api', isMistake: false, why: 'all are out' },
      { pool: 'nopool', isMistake: true, why: 'There is no pool "nopool".' },
    ];
    expect(verdictOf({ unmet })).toBe('unknown: mistake');
  });

  it('where another origin ended a call, before the first error', () => {
    const fault = { ...call({ status: 502 }), origin: 'https://idp.test' };
    expect(verdictOf({ foreign: [fault], ended: [call({ unsent: true })] })).toBe('unknown: another origin');
    expect(verdictOf({ foreign: [{ ...fault, afterError: true }] })).toBe('product: none of these');
  });
});

describe('a failed attempt is the environment’s', () => {
  it('where a call ended before anything was sent', () => {
    expect(verdictOf({ ended: [call({ kind: 'network', status: null, unsent: true })] })).toBe(
      'environment: not sent',
    );
  });

  it.each(['auth', 'rate-limit', 'exhausted'] as const)(
    'where a call ended in a refusal (%s) by which its key was out of service at the end',
    (kind) => {
      const ended = [call({ kind, status: 429 })];
      const out = (key: string | null, endpoint: string | null = null): Partial<FailedAttempt> => {
        return { ended, outOfService: [{ pool: 'api', endpoint, key }] };
      };
      expect(verdictOf(out('ci-1'))).toBe('environment: key out of service');
      expect(verdictOf(out(null, 'eu'))).toBe('environment: key out of service');
      expect(verdictOf(out('ci-2'))).toBe('product: none of these');
      expect(verdictOf({ ended })).toBe('product: none of these');
    },
  );

  it('where a session had expired and could not be renewed', () => {
    const ended = [call({ kind: 'session', status: 401, method: 'POST' })];
    expect(verdictOf({ ended })).toBe('environment: session expired');
    expect(verdictOf({ ended: [{ ...ended[0]!, afterError: true }] })).toBe('product: none of these');
    const finding = find({ ended });
    expect(judgementOf(finding, attempt({ ended })).evidence).toEqual([
      'The session of account ci-1 has expired.',
    ]);
  });

  it('where a call of a sign-in ended before anything was sent, but unknown where no account could sign in', () => {
    const unsent = call({ kind: 'network', status: null, unsent: true, path: '/login' });
    expect(verdictOf({ ended: [unsent] })).toBe('environment: not sent');
    const unmet = [{ pool: 'api', isMistake: true, why: 'no account could sign in' }];
    expect(verdictOf({ unmet })).toBe('unknown: mistake');
  });

  it('where a vendor’s server gave a 5xx or no answer', () => {
    expect(verdictOf({ ended: [call({ status: 500, ofVendor: true })] })).toBe('environment: vendor');
    expect(verdictOf({ ended: [call({ kind: 'timeout', status: null, ofVendor: true })] })).toBe(
      'environment: vendor',
    );
  });

  it('where faults that recovered took a quarter of the time that ran out', () => {
    const late = { timedOut: true, ownMs: 30_000 };
    expect(verdictOf({ ...late, lostMs: 7_500 })).toBe('environment: time lost');
    expect(verdictOf({ ...late, lostMs: 7_499 })).toBe('product: none of these');
    expect(verdictOf({ ...late, timedOut: false, lostMs: 7_500 })).toBe('product: none of these');
  });
});

describe('a 5xx is judged by its route', () => {
  const eu = call();
  const us = (parts: Parts = {}): ViewedRequest => call({ endpoint: 'us', ...parts });
  const failed = (...seen: readonly ViewedRequest[]): string => verdictOf({ ended: [eu] }, seen);
  const failed500 = (...seen: readonly ViewedRequest[]): string =>
    verdictOf({ ended: [call({ status: 500 })] }, seen);
  const otherRoute = { path: '/customers' };

  it('environment: the same call succeeded at another endpoint that never gave this status for the route', () => {
    expect(failed500(ok({ endpoint: 'us' }))).toBe('environment: succeeded elsewhere');
    expect(failed500(ok({ endpoint: 'us' }), us({ status: 500 }), ok(otherRoute))).toBe(
      'product: serves other routes',
    );
    expect(failed500(ok({ endpoint: 'us', payload: 7 }), ok(otherRoute))).toBe(
      'product: serves other routes',
    );
    expect(failed500(ok(), ok({ endpoint: 'us', status: 404 }))).not.toContain('elsewhere');
  });

  it('both endpoints gave both this status and successes: 500 and 501 are the product’s, others the environment’s', () => {
    const mixed = (status: number): ViewedRequest[] => [
      ok({ payload: 1 }),
      us({ status, payload: 2 }),
      ok({ endpoint: 'us', payload: 3 }),
    ];
    expect(failed500(...mixed(500))).toBe('product: comes and goes');
    expect(failed(...mixed(503))).toBe('environment: comes and goes');
  });

  it('product: two endpoints that serve other routes gave it, and the same call succeeded nowhere', () => {
    const serving = [ok(otherRoute), ok({ ...otherRoute, endpoint: 'us' })];
    expect(failed(us(), ...serving)).toBe('product: everywhere');
    expect(failed(us({ payload: 5 }), ...serving)).toBe('product: everywhere');
    expect(failed(us(), serving[0]!)).toBe('environment: serves other routes');
    expect(failed(us({ status: 502 }), ...serving)).toBe('environment: serves other routes');
    expect(failed(us(), ok({ endpoint: 'ap' }), ...serving)).toBe('environment: succeeded elsewhere');
  });

  it('environment: different calls of the route failed here and none succeeded, where another endpoint serves it', () => {
    const two = [call({ status: 500 }), call({ status: 500, path: '/orders', payload: 3 })];
    expect(verdictOf({ ended: two }, [ok({ endpoint: 'us', payload: 4 }), ok(otherRoute)])).toBe(
      'environment: this endpoint alone',
    );
    expect(verdictOf({ ended: two }, [ok({ payload: 9 }), ok({ endpoint: 'us', payload: 4 })])).toBe(
      'unknown: nothing to compare',
    );
  });

  it('else by its status and whether the endpoint serves other routes', () => {
    expect(failed500(ok(otherRoute))).toBe('product: serves other routes');
    expect(failed(ok(otherRoute))).toBe('environment: serves other routes');
    expect(failed500()).toBe('unknown: nothing to compare');
    expect(failed()).toBe('environment: nothing to compare');
  });

  it('with ids of a path taken for one route, and a timeout for a status', () => {
    const serving = [ok(otherRoute), ok({ ...otherRoute, endpoint: 'us' })];
    const one = call({ kind: 'timeout', status: null, path: '/orders/1' });
    const other = us({ kind: 'network', status: null, path: '/orders/2' });
    expect(verdictOf({ ended: [one] }, [other, ...serving])).toBe('product: everywhere');
  });

  it('by what was seen within five minutes, before and after', () => {
    const seen = (at: number): string => failed500(ok({ endpoint: 'us', at }));
    expect(seen(NOON - 300_000)).toBe('environment: succeeded elsewhere');
    expect(seen(NOON + 300_000)).toBe('environment: succeeded elsewhere');
    expect(seen(NOON - 320_000)).toBe('unknown: nothing to compare');
    expect(seen(NOON + 320_000)).toBe('unknown: nothing to compare');
  });

  it('by its own pool alone, and by nothing where its route is not known', () => {
    expect(failed500(ok({ endpoint: 'us', pool: 'billing' }))).toBe('unknown: nothing to compare');
    const unknown = { method: '', path: '', status: 500 };
    expect(verdictOf({ ended: [call(unknown)] }, [ok({ endpoint: 'us', ...unknown, status: 200 })])).toBe(
      'unknown: nothing to compare',
    );
  });

  it('of several, the product’s decides', () => {
    const ended = [call({ path: '/flaky' }), call({ status: 500 })];
    expect(verdictOf({ ended }, [ok(otherRoute)])).toBe('product: serves other routes');
  });
});

describe('a fault is no evidence', () => {
  it('where it came after the first error', () => {
    expect(verdictOf({ ended: [call({ afterError: true, unsent: true })] })).toBe('product: none of these');
  });

  it('where a passed attempt of the run ended a call of that route with the same status', () => {
    const judged = (passed: Ended): string => {
      const view = new RunView();
      view.addExpected(passed);
      return judgeAttempt(attempt({ ended: [call()] }), view).reason;
    };
    expect(judged(call({ endpoint: 'us' }))).toBe('none of these');
    expect(judged(call({ status: 502 }))).not.toBe('none of these');
    expect(judged(call({ path: '/customers' }))).not.toBe('none of these');
    expect(judged(call({ pool: 'billing' }))).not.toBe('none of these');
  });
});

describe('a call is open to one more request', () => {
  it('where it only read, and nothing else was found', () => {
    expect(find({ ended: [call()] }).open).toEqual([0]);
    expect(find({ ended: [call({ method: 'POST' })] }).open).toEqual([]);
    expect(find({ ended: [call()] }, [ok({ endpoint: 'us' })]).open).toEqual([]);
    expect(find({ ended: [call({ kind: 'network', unsent: true, status: null })] }).open).toEqual([]);
  });
});

describe('what the run has seen', () => {
  const seen = Array.from({ length: 60 }, (_, index) =>
    call({
      endpoint: ['eu', 'us', 'ap'][index % 3]!,
      kind: index % 4 === 0 ? 'server' : 'ok',
      status: index % 4 === 0 ? 503 : 200,
      path: index % 5 === 0 ? '/customers' : '/orders',
      payload: index % 7,
      at: NOON + index * 1_000,
    }),
  );

  it('does not depend on the order in which it was told', () => {
    expect(find({ ended: [call()] }, seen)).toEqual(find({ ended: [call()] }, seen.toReversed()));
  });

  it('is forgotten once it is too old to count, and there is much of it', () => {
    const view = new RunView();
    for (const request of seen) view.add(request);
    const route = routeNumber({ method: 'GET', path: '/orders' })!;
    view.prune(NOON + 3_600_000, 100);
    expect(view.around('api', route, NOON)).toHaveLength(3);
    view.prune(NOON + 3_600_000, 10);
    expect(view.around('api', route, NOON)).toEqual([]);
  });
});

describe('the evidence', () => {
  const evidence = (parts: Partial<NamedAttempt>, seen: readonly ViewedRequest[] = []): readonly string[] =>
    judgementOf(find(parts, seen), attempt(parts)).evidence;

  it('names the call, its member, status, count and window, and what it was compared with', () => {
    const ended = [call({ status: 500 }), call({ status: 500, at: NOON + 17_000 })];
    expect(evidence({ ended }, [ok({ endpoint: 'us' })])).toEqual([
      'api/eu/ci-1: GET /orders: server 500, 2×, 12:00:00–12:00:17',
      'the same call succeeded at us',
    ]);
  });

  it('names the route of calls that differ, and no more than five groups', () => {
    const two = [call({ path: '/orders/1' }), call({ path: '/orders/2' })];
    expect(evidence({ ended: two })[0]).toBe('api/eu/ci-1: GET /orders/#: server 503, 2×, 12:00:00–12:00:00');
    const many = Array.from({ length: 9 }, (_, index) => call({ path: `/${'x'.repeat(index + 1)}` }));
    expect(evidence({ ended: many }).slice(5)).toEqual(['and 4 more']);
  });

  it('says why a lease was refused, once', () => {
    const unmet = { pool: 'api', isMistake: false, why: 'pool "api" had no member to give: eu: ejected' };
    expect(evidence({ unmet: [unmet, unmet] })).toEqual([unmet.why]);
  });

  it('says that nothing was found, or that what was found explains nothing', () => {
    expect(evidence({ requests: 3 })).toEqual([
      'none of its 3 requests ended in a fault of an endpoint, a key or the network',
    ]);
    expect(evidence({ ended: [call({ afterError: true })] })[1]).toContain('no evidence');
  });
});

describe('a test', () => {
  it.each([
    [['product', 'environment', 'environment'], 'product'],
    [['environment', 'unknown'], 'environment'],
    [['unknown', null], 'unknown'],
    [[null], null],
    [[], null],
  ] as const)('with attempts %j is %s', (verdicts, verdict) => {
    expect(judgeTest(verdicts)).toBe(verdict);
  });
});
