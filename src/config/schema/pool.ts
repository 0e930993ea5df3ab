import type * as zod from 'zod';
import {
  OUTCOME_KINDS,
  LEASE_SCOPES,
  FAILOVERS,
  PROTOCOLS,
  ROTATIONS,
  ROUTINGS,
  type ClassifyRule,
} from '../../core/types.ts';
import { LIMITS } from '../../core/limits.ts';
import { z } from '../../shared/zod.ts';
import { checkPool } from './pool-checks.ts';
import { checked, decimal, duration, either, list, matching, oneOf, strict, text, whole } from './fields.ts';
import { auth, AUTH_OF } from './auth.ts';
import { endpointSchema, keySchema } from './members.ts';
import type { PoolConfig, PoolInput } from '../types.ts';

/** A vendor's model may compute for long before its answer begins. */
const VENDOR_TIMEOUT_MS = 60_000;
const TIMEOUT_MS = 5_000;
const VARIABLE = /^[A-Za-z_]\w*$/;

const rule: zod.ZodType<ClassifyRule, ClassifyRule> = checked(
  strict({
    status: z
      .int({ error: 'must be a status from 100 to 599' })
      .min(100, { error: 'must be a status from 100 to 599' })
      .max(599, { error: 'must be a status from 100 to 599' })
      .optional()
      .describe("The answer's status. Default: any."),
    body: text().optional().describe("A text that the answer's body contains. Default: any."),
    header: text()
      .optional()
      .describe('`name` of a header that is present, or `name: text` that its value contains. Default: any.'),
    as: oneOf(OUTCOME_KINDS).describe('What the answer counts as.'),
  }),
  (value, report) => {
    const { status, body } = (value ?? {}) as Partial<ClassifyRule>;
    if (status === undefined && body === undefined) report([], 'must have a "status" or a "body"');
  },
);

const fromEnv = strict({
  fromEnv: matching('be the name of a variable', variableProblem, VARIABLE.source).describe(
    'A variable that holds a JSON array of keys, or values separated by commas or line breaks.',
  ),
});

const ejection = strict({
  base: duration()
    .prefault('15s')
    .describe('How long the first ejection lasts; each further one doubles. Default: 15s.'),
  max: duration().prefault('10m').describe('How long an ejection lasts at most. Default: 10m.'),
});

const fields = strict({
  endpoints: list(endpointSchema, 'be an array of endpoints')
    .prefault([])
    .describe('Base addresses with their limits. Default: none; a pool needs an endpoint or a key.'),
  keys: either(
    [list(keySchema, 'be an array of keys'), fromEnv],
    'be an array of keys or { "fromEnv": "NAME" }',
  )
    .prefault([])
    .describe('Secrets with their limits, or the variable that holds them. Default: none.'),
  protocol: oneOf(PROTOCOLS)
    .default('http')
    .describe('Chooses the default of `auth`, the table of errors and the path of probes. Default: http.'),
  auth: auth
    .optional()
    .describe(
      'How a key is sent; "basic" takes fields.username and .password, else a value "user:password". ' +
        'Default: the way of the protocol, for http "bearer".',
    ),
  models: list(text(undefined, LIMITS.name), 'be an array of names of models')
    .prefault([])
    .describe('Models that the keys serve; limits and cooldowns are kept per key and model. Default: none.'),
  rotation: oneOf(ROTATIONS).default('round-robin').describe('How keys are picked. Default: round-robin.'),
  routing: oneOf(ROUTINGS)
    .default('success-rate')
    .describe('How endpoints are picked. Default: success-rate.'),
  scope: oneOf(LEASE_SCOPES)
    .default('test')
    .describe("Whether `lease` is each test's own or the worker's, held for its life. Default: test."),
  maxFailures: whole(1)
    .default(5)
    .describe('Consecutive soft faults (5xx, timeouts, resets) before an ejection. Default: 5.'),
  maxRetries: whole(0).default(3).describe('Request retries of one call; 0 means none. Default: 3.'),
  timeout: duration('more')
    .optional()
    .describe(
      "How long a request may take until its answer begins. Default: 5s, under a vendor's protocol 60s.",
    ),
  acquireTimeout: duration()
    .prefault('60s')
    .describe('How long a lease waits for a free member. Default: 60s.'),
  leaseTtl: duration('more')
    .prefault('30s')
    .describe("Over Redis: when a lost machine's leases return. Default: 30s."),
  ejection: ejection
    .prefault({})
    .describe('How long a failing member gets no leases. Default: from 15s to 10m.'),
  retryBudget: decimal('be a share from 0 to 1')
    .min(0, { error: 'must be a share from 0 to 1' })
    .max(1, { error: 'must be a share from 0 to 1' })
    .default(0.2)
    .describe('Retries per call over the run; 3 retries are always allowed. Default: 0.2.'),
  failover: oneOf(FAILOVERS)
    .default('first-request')
    .describe('Until when a lease may move to another member. Default: first-request.'),
  classify: list(rule, 'be an array of rules, such as { "status": 429, "body": "quota", "as": "exhausted" }')
    .prefault([])
    .describe("Rules that come before the protocol's own table of errors. Default: none."),
  whenEmpty: oneOf(['wait', 'fail', 'fallback'])
    .default('wait')
    .describe('What a lease does where no member is free. Default: wait.'),
  fallback: text('be the name of another pool')
    .optional()
    .describe('The pool that is used instead, with `"whenEmpty": "fallback"`. Default: none.'),
  whenUnset: oneOf(['error', 'skip'])
    .default('error')
    .describe(
      'Whether an unset variable is an error or skips the tests that need this pool. Default: error.',
    ),
});

export const poolSchema: zod.ZodType<PoolConfig, PoolInput> = checked(fields, checkPool).transform(
  (pool, context) => {
    const auth = pool.auth ?? AUTH_OF[pool.protocol];
    const timeout = pool.timeout ?? (pool.protocol === 'http' ? TIMEOUT_MS : VENDOR_TIMEOUT_MS);
    if (Array.isArray(pool.keys)) {
      return {
        ...pool,
        auth,
        timeout,
        keys: pool.keys.map((key, index) => ({ ...key, name: key.name ?? `key-${index + 1}` })),
      };
    }
    if (context.issues.length === 0) {
      const message = 'is read by loadGembaConfig only; here give the keys themselves';
      context.addIssue({ code: 'custom', path: ['keys', 'fromEnv'], message });
    }
    return z.NEVER;
  },
);

function variableProblem(value: string): string | undefined {
  return VARIABLE.test(value) ? undefined : 'must be the name of a variable, such as "API_KEYS"';
}
