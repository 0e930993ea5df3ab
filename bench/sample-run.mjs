// A made-up run of a shop's tests, as Playwright would tell it to a reporter: an outage of one replica, a revoked key, a used-up
// quota, failures of the product, dead workers, degraded and pinned tests. The same for the same options. It feeds the
// pictures of docs/report.md, the page's tests and the benchmarks of the report.
import path from 'node:path';
import { OUTCOME_KINDS } from '../.cache/internals/index.js';

const START = Date.UTC(2026, 10, 23, 2);
const MINUTE = 60_000;
const OUTAGE = [10 * MINUTE, 27 * MINUTE];
const GATE = { product: 'warn', environment: 'warn', unknown: 'warn', degraded: 'warn', shards: 'warn' };
const AREAS = ['orders', 'basket', 'search', 'checkout', 'invoices', 'returns', 'customers', 'stock'];
const DEEDS = [
  'lists what the customer has bought, newest first',
  'keeps the total when a line is removed',
  'refuses a quantity of zero',
  'shows the delivery date in the customer’s own time zone',
  'finds nothing for an empty query and says so',
  'exports a PDF',
  'applies a voucher once, even when it is sent twice, and gives it back when the order is cancelled before it leaves the warehouse',
  'sorts by price',
];
const TARGETS = [
  { method: 'GET', path: '/orders' },
  { method: 'POST', path: '/orders' },
  { method: 'GET', path: '/customers/4711/basket' },
  { method: 'PUT', path: '/customers/4711/basket/lines/3' },
  { method: 'GET', path: '/search' },
];
const ENDPOINTS = [
  { name: 'eu', url: 'https://eu.shop.example.test', ms: 62 },
  { name: 'us', url: 'https://us.shop.example.test', ms: 138 },
  {
    name: 'ap-southeast-2-canary',
    url: 'https://ap-southeast-2-canary.internal.shop.example.test/v2',
    ms: 240,
  },
];
const SCOPES = {
  api: { endpoints: ENDPOINTS, keys: 12 },
  payments: { endpoints: [{ name: 'sandbox', url: 'https://sandbox.pay.example.test', ms: 410 }], keys: 2 },
  assistant: { endpoints: [], keys: 4 },
};

/** { config, cases, suite, end, history } for `tests` tests with `calls` calls each (or a varying number of them). */
export function sampleRun({ tests = 1200, calls, minutes = 40, workers = 8, seed = 7 } = {}) {
  const run = {
    random: generator(seed),
    minutes,
    calls,
    introduced: new Set(),
    changes: changes(),
    workers: [],
  };
  run.workers = Array.from({ length: workers }, (_, slot) => ({ slot, index: slot, at: slot * 140 }));
  run.nextIndex = workers;
  run.meanMs = (minutes * MINUTE * workers) / tests;
  const cases = Array.from({ length: tests }, (_, index) => testCase(run, index));
  const suite = { allTests: () => cases };
  const config = { version: '1.65.1', rootDir: '/repo/tests', shard: null, projects: [], workers };
  const end = { status: 'failed', startTime: new Date(START), duration: minutes * MINUTE };
  return { config, cases, suite, end, history: history(run, minutes, cases) };
}

function testCase(run, index) {
  const area = AREAS[Math.floor(index / 7) % AREAS.length];
  const file = `${area}/${area}-${Math.floor(index / 56)}.spec.ts`;
  const skipped = index % 61 === 17;
  const title = `${DEEDS[index % DEEDS.length]}${index < 64 ? '' : ` (${index})`}`;
  const test = {
    id: `${hex(run, 20)}-${hex(run, 20)}`,
    title,
    expectedStatus: 'passed',
    location: { file: path.posix.join('/repo/tests', file), line: 12 + ((index * 31) % 380), column: 3 },
    titlePath: () => ['', index % 5 === 0 ? 'mobile' : 'desktop', file, area, title],
    results: [],
  };
  for (let retry = 0; retry < 3 && !skipped; retry++) {
    const result = testResult(run, test, { index, retry, after: endOf(test.results.at(-1)) });
    test.results.push(result);
    if (result.status === 'passed') break;
  }
  const good = test.results.filter(({ status }) => status === 'passed').length;
  const outcome = skipped
    ? 'skipped'
    : good === 0
      ? 'unexpected'
      : test.results.length > 1
        ? 'flaky'
        : 'expected';
  return Object.assign(test, { outcome: () => outcome });
}

/** As Playwright reports a failed check, in one of the three places that these tests share. */
function expectation({ location: { line } }) {
  const file = '/repo/tests/helpers/basket.ts';
  const at = [31, 85, 112][line % 3];
  return {
    message: 'Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 43\nReceived: 42',
    snippet: `  ${at - 1} |   const { total } = await basket.json();\n> ${at} |   expect(total).toBe(43);\n     |                 ^\n  ${at + 1} | });`,
    location: { file, line: at, column: 17 },
  };
}

/** A rerun begins after what it repeats. */
function endOf(result) {
  return result ? +result.startTime - START + result.duration : 0;
}

function testResult(run, test, { index, retry, after }) {
  const worker = run.workers.reduce((a, b) => (b.at < a.at ? b : a));
  const began = Math.max(worker.at, after + 200);
  const product = index % 173 === 40 || (index % 211 === 99 && retry === 0);
  const crash = index % 401 === 250 && retry === 0;
  const unmeasured = index % 23 === 5;
  const pool = index % 19 === 3 ? 'payments' : index % 29 === 8 ? 'assistant' : 'api';
  const lease = unmeasured ? null : choose(run, pool, began, retry);
  const durationMs =
    (lease?.waitedMs ?? 0) +
    Math.round(run.meanMs * (0.35 + 1.8 * run.random() ** 2.2 + (index % 97 === 0 ? 4 : 0)));
  const told = lease ? record(run, { test: test.id, retry, index, lease, began, durationMs, worker }) : null;
  const failed = crash || product || Boolean(told?.broken);
  const status = !failed ? 'passed' : told?.broken && index % 4 === 0 ? 'timedOut' : 'failed';
  worker.at = began + durationMs + 30;
  const parallelIndex = worker.slot;
  const workerIndex = worker.index;
  if (failed) worker.index = run.nextIndex++;
  return {
    retry,
    status,
    duration: durationMs,
    startTime: new Date(START + began),
    workerIndex,
    parallelIndex,
    errors: crash
      ? [{ message: 'Error: worker process exited unexpectedly (code=null, signal=SIGKILL)' }]
      : failed
        ? [expectation(test)]
        : [],
    attachments: told && !crash ? [attachment(told.record)] : [],
  };
}

function choose(run, pool, at, retry) {
  const { endpoints, keys } = SCOPES[pool];
  const out = at > OUTAGE[0] && at < OUTAGE[1];
  // While a replica is out only trials go there; what hits it before that is learned is the damage.
  const usable = endpoints.filter(
    ({ name }) => !(name === 'eu' && out && run.random() > (retry === 0 ? 0.14 : 0.5)),
  );
  const endpoint = usable[Math.floor(run.random() ** 1.5 * usable.length)] ?? null;
  const gone = [
    pool === 'api' && at > 1.2 * MINUTE && 'ci-7',
    pool === 'api' && at > 3 * MINUTE && 'ci-11',
    pool === 'assistant' && at > 31 * MINUTE && 'ci-2',
  ];
  const left = Array.from({ length: keys }, (_, index) => `ci-${index + 1}`).filter(
    (name) => !gone.includes(name),
  );
  const key = left[Math.floor(run.random() * left.length)];
  return { pool, endpoint, key, waitedMs: run.random() < 0.1 ? Math.round(9000 * run.random() ** 3) : 0 };
}

function record(run, { test, retry, index, lease, began, durationMs, worker }) {
  const { pool, endpoint, key, waitedMs } = lease;
  const out = endpoint?.name === 'eu' && began > OUTAGE[0] && began < OUTAGE[1];
  const count = run.calls ?? 2 + Math.floor(run.random() * 9);
  const record = {
    v: 1,
    test,
    retry,
    startedAt: START + began,
    worker: worker.index,
    shard: null,
    revision: began < 20 * MINUTE ? 'c41f09be' : '7d20aa13',
    configErrors:
      began > 24 * MINUTE && began < 26 * MINUTE
        ? ['pools.api.endpoints[1].weight: expected a number, found "two" (line 9, column 46)']
        : [],
    gate: GATE,
    leases: [
      {
        id: `lease-${index}-${worker.index}`,
        pool,
        endpoint: endpoint?.name ?? null,
        key,
        scope: 'test',
        waitedMs,
        heldMs: durationMs,
      },
    ],
    calls: count,
    requests: [],
    targets: TARGETS,
    requestsOmitted: 0,
    errors: [],
    strategies: strategies(run, index),
    transitions: [],
    pinned: index % 149 === 60 ? { pool, to: 'http://localhost:4173', by: 'outside' } : null,
    degraded: index % 83 === 11,
    verdict: null,
  };
  let broken = false;
  for (let call = 0; call < count; call++) {
    const after = Math.round((durationMs * (call + 0.5)) / (count + 1));
    const kind = outcome(run, { pool, endpoint, key, out, call, at: began + after });
    if (kind !== 'ok' && kind !== 'caller') {
      push(record, { after, kind, call, ms: -1, run });
      const cured = run.random() < (out ? 0.2 : 0.985);
      broken ||= !cured;
      if (!cured) {
        record.calls = call + 1;
        break;
      }
    }
    push(record, {
      after: after + 40,
      kind: kind === 'caller' ? 'caller' : 'ok',
      call,
      ms: (endpoint?.ms ?? 900) * (0.55 + 2.2 * run.random() ** 4),
      run,
    });
  }
  if (!run.introduced.has(worker.index)) record.memberList = memberList();
  run.introduced.add(worker.index);
  while (run.changes[0]?.at <= START + began + durationMs) record.transitions.push(run.changes.shift());
  return { record, broken };
}

function outcome(run, { pool, endpoint, key, out, call, at }) {
  if (out && (call === 0 || run.random() < 0.5)) return 'network';
  if (pool === 'api' && key === 'ci-7' && at < 1.5 * MINUTE) return 'auth';
  if (pool === 'assistant' && run.random() < 0.12)
    return at > 30 * MINUTE && key === 'ci-2' ? 'exhausted' : 'rate-limit';
  if (endpoint?.name.startsWith('ap-') && run.random() < 0.03) return 'server';
  if (pool === 'payments' && run.random() < 0.02) return 'timeout';
  return run.random() < 0.04 ? 'caller' : 'ok';
}

const STATUS = { ok: 200, caller: 404, auth: 401, 'rate-limit': 429, exhausted: 402, server: 503 };
const MESSAGES = {
  network: 'connect ECONNREFUSED 203.0.113.7:443',
  timeout: 'no answer within 5000 ms',
  auth: '401 {"error":"invalid_token","error_description":"The access token was revoked"}',
  'rate-limit':
    '429 {"error":{"code":"rate_limit_exceeded","message":"Limit reached for requests per minute; try again in 12 s"}}',
  exhausted: '402 {"error":"insufficient_quota"}',
  server:
    '503 Service Unavailable: upstream connect error or disconnect/reset before headers. reset reason: connection termination',
};

function push(record, { after, kind, call, ms, run }) {
  const status = STATUS[kind] ?? 0;
  const duration =
    ms >= 0 ? Math.round(ms * 10) / 10 : status === 0 ? -1 : Math.round(30 + 60 * run.random());
  const target = (record.calls + call) % record.targets.length;
  record.requests.push([after, 0, OUTCOME_KINDS.indexOf(kind), status, duration, call, 0, target]);
  const message = MESSAGES[kind];
  if (message)
    record.errors.push({ at: record.startedAt + after, lease: 0, kind, status: status || null, message });
}

function strategies(run, index) {
  if (index % 6 !== 2) return [];
  const task = index % 12 === 2 ? 'sign in' : 'read the one-time password';
  const bad = run.random() < (task === 'sign in' ? 0.08 : 0.22);
  const [first, second] =
    task === 'sign in' ? ['through the API', 'through the page'] : ['mailbox API', 'IMAP'];
  const tries = [{ task, name: first, ok: !bad, durationMs: 180 + 900 * run.random(), fallback: false }];
  if (bad)
    tries.push({
      task,
      name: second,
      ok: run.random() < 0.9,
      durationMs: 1200 + 2400 * run.random(),
      fallback: true,
    });
  return tries;
}

function memberList() {
  return Object.entries(SCOPES).map(([name, { endpoints, keys }]) => ({
    name,
    endpoints: endpoints.map(({ name: own, url }) => ({ name: own, url })),
    keys: Array.from({ length: keys }, (_, index) => ({
      name: `ci-${index + 1}`,
      fingerprint: (0x9e3779b9 * (index + 3 + name.length)).toString(16).slice(0, 8).padStart(8, '0'),
    })),
  }));
}

function changes() {
  const list = [];
  const add = (minute, member, from, to, why, lasts = null) => {
    const [pool, kind, name] = member;
    const at = START + minute * MINUTE;
    const who = { pool, endpoint: kind === 'endpoint' ? name : null, key: kind === 'key' ? name : null };
    list.push({
      seq: list.length + 1,
      broker: 'b1',
      at,
      ...who,
      from,
      to,
      why,
      until: lasts === null ? null : at + lasts * MINUTE,
    });
  };
  const eu = ['api', 'endpoint', 'eu'];
  const canary = ['api', 'endpoint', 'ap-southeast-2-canary'];
  add(
    1.2,
    ['api', 'key', 'ci-7'],
    'healthy',
    'quarantined',
    'refused (401) at us and eu, where other keys pass; a probe agrees',
  );
  add(3, ['api', 'key', 'ci-11'], 'healthy', 'disabled', 'disabled by hand');
  add(10.2, eu, 'healthy', 'ejected', 'refused connections', 0.25);
  for (const [at, lasts] of [
    [10.5, 0.5],
    [11.1, 1],
    [12.3, 2],
    [14.5, 4],
    [18.7, 8],
  ]) {
    add(at, eu, 'ejected', 'half-open', 'its time is over, one trial decides');
    add(at + 0.05, eu, 'half-open', 'ejected', 'the trial failed: refused connections', lasts);
  }
  add(27.1, eu, 'ejected', 'half-open', 'its time is over, one trial decides');
  add(27.2, eu, 'half-open', 'healthy', 'the trial went well');
  for (let at = 5; at < 38; at += 6.5) {
    const key = ['assistant', 'key', `ci-${1 + (Math.round(at) % 4)}`];
    add(at, key, 'healthy', 'cooling', '429, the server asked for 12 s', 0.2);
    add(at + 0.2, key, 'cooling', 'healthy', 'its time is over');
  }
  add(31, ['assistant', 'key', 'ci-2'], 'healthy', 'exhausted', '402 insufficient_quota', 22 * 60);
  add(38.5, canary, 'healthy', 'ejected', '5 server errors in a row (503)', 0.25);
  add(38.8, canary, 'ejected', 'half-open', 'its time is over, one trial decides');
  add(39.7, ['assistant', 'key', 'ci-4'], 'healthy', 'cooling', '429, the server asked for 60 s', 1);
  return list.sort((a, b) => a.at - b.at);
}

/** Thirteen nightly runs before this one, and what each test did in them. */
function history(run, minutes, cases) {
  const runs = Array.from({ length: 14 }, (_, index) => historyRun(run, minutes, index));
  const outcomes = new Map(
    cases.map((test, index) => {
      const before = Array.from({ length: 13 }, (_, night) => pastLetter(index, night)).join('');
      return [test.id, before + presentLetter(test)];
    }),
  );
  return { runs: runs.slice(0, -1), own: runs.at(-1), outcomes, comparedWith: 'main' };
}

function historyRun(run, minutes, index) {
  const bad = index === 5 || index === 13;
  const verdicts = { product: index % 4, environment: bad ? 61 : index % 3, unknown: index === 8 ? 2 : 0 };
  const failed = bad ? 24 : verdicts.product;
  const flaky = verdicts.product + verdicts.environment + verdicts.unknown - failed;
  return {
    startedAt: new Date(START - (13 - index) * 24 * 60 * MINUTE).toISOString(),
    branch: 'main',
    commit: (0x9e3779b9 * (index + 1)).toString(16).slice(0, 10),
    durationMs: minutes * MINUTE * (0.8 + 0.25 * run.random()),
    status: failed > 0 ? 'failed' : 'passed',
    totals: { tests: 1150 + index * 4, passed: 1110, failed, flaky, skipped: 20 },
    verdicts,
    requests: 6800 + index * 35,
    successRate: bad ? 0.958 : 0.991 + 0.006 * run.random(),
    p95Ms: 310 + index * 9 + 60 * run.random(),
    waitedMs: 120_000 + 400_000 * run.random(),
    members: ENDPOINTS.map(({ name }) => ({
      pool: 'api',
      kind: 'endpoint',
      name,
      requests: 2000 + Math.round(400 * run.random()),
      failures: bad && name === 'eu' ? 310 : Math.round(12 * run.random()),
      tokens: null,
      unhealthyMs: bad && name === 'eu' ? 17 * MINUTE : 0,
    })),
  };
}

/** Letters as src/reporter/history/outcomes.ts has them. */
function pastLetter(index, night) {
  if (index % 173 === 40) return night > 9 ? 'P' : 'p';
  if (index % 97 === 11) return night % 4 === 1 ? 'f' : 'p';
  if (night === 5 && index % 20 === 3) return index % 40 === 3 ? 'E' : 'e';
  return index % 61 === 17 ? 's' : 'p';
}

function presentLetter(test) {
  const outcome = test.outcome();
  return { expected: 'p', skipped: 's', flaky: 'e', unexpected: 'P' }[outcome];
}

function attachment(content) {
  const body = Buffer.from(JSON.stringify(content));
  return { name: '_gemba', contentType: 'application/vnd.gemba.record+json', body };
}

function hex(run, length) {
  return Array.from({ length }, () => Math.floor(run.random() * 16).toString(16)).join('');
}

/** mulberry32, by Tommy Ettinger: small, and the same everywhere. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
