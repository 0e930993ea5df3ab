import { z } from 'zod';

/** `report.json` as the public contract gives it: written here on its own, so that the package cannot drift unseen. */
const rate = z.number().min(0).max(1).nullable();
const ms = z.number().min(0).nullable();
const count = z.number().int().min(0);
const iso = z.iso.datetime();
const verdict = z.enum(['product', 'environment', 'unknown']).nullable();
const state = z.enum([
  'healthy',
  'cooling',
  'ejected',
  'half-open',
  'quarantined',
  'exhausted',
  'dirty',
  'disabled',
]);
const kind = z.enum([
  'ok',
  'auth',
  'session',
  'rate-limit',
  'exhausted',
  'server',
  'timeout',
  'network',
  'caller',
]);
const gate = z.object({ failed: z.boolean() }).loose().nullable();
const who = { pool: z.string(), endpoint: z.string().nullable(), key: z.string().nullable() };

const member = {
  name: z.string(),
  state,
  until: iso.nullable(),
  leases: count,
  requests: count,
  successes: count,
  failures: count,
  successRate: rate,
  avgMs: ms,
  p95Ms: ms,
  estimate: z
    .object({
      successRate: rate,
      avgMs: ms,
      successRange: z.tuple([z.number(), z.number()]).optional(),
      avgRangeMs: z.tuple([z.number(), z.number()]).optional(),
      probes: count.optional(),
      changes: count.optional(),
    })
    .nullish(),
  kinds: z.partialRecord(kind, count),
};

const lease = z.object({
  ...who,
  waitedMs: z.number(),
  heldMs: z.number(),
  requests: count,
  failures: count,
  rerouted: z.boolean(),
});

const waited = z.object({
  leasesMs: z.number().min(0),
  rateLimitsMs: z.number().min(0),
  retriesMs: z.number().min(0),
});
const error = z.object({
  message: z.string(),
  snippet: z.string(),
  file: z.string().nullable(),
  line: z.number().int().nullable(),
  column: z.number().int().nullable(),
});

const result = z.object({
  retry: count,
  status: z.enum(['passed', 'failed', 'timedOut', 'skipped', 'interrupted']),
  durationMs: z.number(),
  verdict,
  evidence: z.array(z.string()),
  errors: z.array(error),
  shard: count.nullable(),
  worker: z.number().int().nullable(),
  requests: z.array(
    z.object({
      at: iso,
      method: z.string(),
      path: z.string(),
      ...who,
      kind,
      status: z.number().int().nullable(),
      durationMs: ms,
      waitedMs: z.number().min(0),
      recovered: z.boolean().nullable(),
    }),
  ),
  requestsOmitted: count,
  leases: z.array(lease),
});

const test = z.object({
  id: z.string(),
  title: z.string(),
  file: z.string(),
  line: count,
  project: z.string(),
  status: z.enum(['expected', 'unexpected', 'flaky', 'skipped']),
  verdict,
  degraded: z.boolean(),
  pinned: z.boolean(),
  results: z.array(result),
});

const totals = z.object({
  tests: count,
  passed: count,
  failed: count,
  flaky: count,
  skipped: count,
  interrupted: count,
  leases: count,
  calls: count,
  requests: count,
  successes: count,
  failures: count,
  requestRetries: count,
  tokens: count.nullable(),
  successRate: rate,
  avgResponseMs: ms,
  p50Ms: ms,
  p95Ms: ms,
  p99Ms: ms,
  waitedMs: z.number().min(0),
  waited,
  degraded: count,
  pinned: count,
});

export const reportSchema = z.object({
  schema: z.literal('gemba-report/1'),
  generator: z.object({ name: z.literal('gemba-agent'), version: z.string() }),
  run: z.object({
    status: z.enum(['passed', 'failed', 'timedout', 'interrupted']),
    startedAt: iso,
    durationMs: z.number(),
    playwright: z.string(),
    configRevision: z.string().nullable(),
    brokerErrors: z.array(z.string()),
    configErrors: z.array(z.string()),
    ci: z
      .object({
        provider: z.string(),
        url: z.string().nullable(),
        branch: z.string().nullable(),
        commit: z.string().nullable(),
      })
      .nullable(),
    shards: z.object({ total: count, present: z.array(count) }).nullable(),
    gate,
  }),
  totals,
  verdicts: z.object({ product: count, environment: count, unknown: count }),
  pools: z.array(
    z.object({
      name: z.string(),
      endpoints: z.array(z.object({ ...member, url: z.string() })),
      keys: z.array(
        z.object({
          ...member,
          fingerprint: z.string().regex(/^[0-9a-f]{8}$/),
          tokens: count.nullable(),
          tokensByModel: z.record(z.string(), count),
          tokensEstimated: count.nullable(),
          token: z
            .strictObject({ minted: count, renewed: count, expiresAt: z.string().nullable() })
            .optional(),
        }),
      ),
    }),
  ),
  strategies: z.array(
    z.object({
      task: z.string(),
      name: z.string(),
      runs: count,
      successes: count,
      failures: count,
      successRate: rate,
      avgMs: ms,
      chosen: count,
      fallbacks: count,
    }),
  ),
  errors: z.array(
    z.object({
      at: iso,
      ...who,
      kind,
      status: z.number().int().nullable(),
      message: z.string(),
      testId: z.string(),
    }),
  ),
  transitions: z.array(
    z.object({ at: iso, ...who, from: state, to: state, why: z.string(), until: iso.nullable() }),
  ),
  tests: z.array(test),
  foreignRecords: z.array(z.object({ testId: z.string(), retry: count, why: z.string() })),
  timeline: z.array(z.object({ at: iso, requests: count, failures: count, avgMs: ms })),
});

export type GembaReport = z.infer<typeof reportSchema>;
