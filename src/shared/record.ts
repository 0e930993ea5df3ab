import type * as zod from 'zod';
import {
  OUTCOME_KINDS,
  HEALTH_STATES,
  VERDICTS,
  GATE_ACTIONS,
  GATE_RULES,
  type GateRule,
  LEASE_SCOPES,
} from '../core/types.ts';
import { isRecordedRequest, MAX_TIME, type RecordedRequest } from './recorded-request.ts';
import { compileLater } from './compile-later.ts';
import { PINNED_BY } from './pin.ts';
import { z } from './zod.ts';

export * from './attachment.ts';

/** Fields of a configuration are nested less. */
const MAX_DEPTH = 10;

const state = z.enum(HEALTH_STATES);
const verdict = z.enum(VERDICTS);
const gateAction = z.enum(GATE_ACTIONS);
/** A moment in milliseconds that a date can hold, or a span between two: nothing that arithmetic turns into no number. */
const number = z.number().min(-MAX_TIME).max(MAX_TIME);
const shown = z.unknown().refine((value) => isShallow(value, MAX_DEPTH));
const who = { pool: z.string(), endpoint: z.string().nullable(), key: z.string().nullable() };

const target = { method: z.string(), path: z.string(), operation: z.string().optional() };
/** What a request came to, and when it began. */
const came = {
  at: number,
  kind: z.enum(OUTCOME_KINDS),
  status: z.number().int().nullable(),
  unsent: z.boolean(),
};

const memberList = z.array(
  z.object({
    name: z.string(),
    endpoints: z.array(z.object({ name: z.string(), url: z.string() })),
    keys: z.array(z.object({ name: z.string(), fingerprint: z.string() })),
  }),
);

// By hand and all at once: a run has a hundred thousand of them, and a schema for each number is half of what reading a
// record costs.
const requests = z.custom<RecordedRequest[]>(
  (value) => Array.isArray(value) && value.every(isRecordedRequest),
  'not a list of requests',
);

/**
 * What a worker tells the reporter about one test result: the only contract between the two. Names and fingerprints,
 * never a secret.
 */
const record = z.object({
  v: z.literal(1),
  /** Id of the test, and its retry: the result that this is about. */
  test: z.string().min(1),
  retry: z.number().int().min(0),
  /** It takes the place of an earlier record of the same result. */
  again: z.boolean().optional(),
  /** The test's title, where secrets were taken out of it. */
  title: z.string().optional(),
  /** The messages of its errors, where secrets were taken out of them; null for one without. */
  errorTexts: z.array(z.string().nullable()).optional(),
  /** Times are milliseconds since the epoch; durations and waits milliseconds. */
  startedAt: number,
  worker: z.number().int(),
  /** The part of the run, `current/total`, or null without shards. */
  shard: z.string().nullable(),
  revision: z.string().nullable(),
  /** Problems of a refused edit, while an older revision is in force; without a revision, of the file at the start. */
  configErrors: z.array(z.string()),
  /** What became of the configuration since the record before: revisions that came into force, edits that were refused. */
  revisions: z
    .array(
      z.object({
        broker: z.string(),
        seq: z.number().int(),
        at: number,
        revision: z.string(),
        errors: z.array(z.string()),
        changes: z.array(z.object({ path: z.string(), old: shown, new: shown })),
      }),
    )
    .optional(),
  /** What brokers printed that ended unexpectedly. */
  brokerErrors: z.array(z.string()).optional(),
  gate: z
    .object(
      Object.fromEntries(GATE_RULES.map((rule) => [rule, gateAction])) as Record<GateRule, typeof gateAction>,
    )
    .nullable(),
  /** All members; in the first record of each worker and after each new revision. */
  memberList: memberList.optional(),
  /** Members that were not healthy when this worker connected; with the roster. */
  healthSnapshots: z.array(z.object({ ...who, state, why: z.string(), until: number.nullable() })).optional(),
  /** What the router believed of the members that it chooses among: where that is news, and the last of a run holds. */
  routerEstimates: z
    .array(
      z.object({
        ...who,
        at: number,
        successRate: number,
        successLow: number,
        successHigh: number,
        avgMs: number,
        avgLowMs: number,
        avgHighMs: number,
        probes: z.number().int(),
        changes: z.number().int(),
      }),
    )
    .optional(),
  /** Tokens that were minted for keys, never the tokens themselves: when, and until when they are good. */
  mintedTokens: z
    .array(
      z.object({
        pool: z.string(),
        key: z.string(),
        at: number,
        isRenewal: z.boolean(),
        expiresAt: number.nullable(),
      }),
    )
    .optional(),
  /** Each holding of a member; a lease that moved has one entry per member, with the same `id`. */
  leases: z.array(
    z.object({
      id: z.string(),
      ...who,
      scope: z.enum(LEASE_SCOPES),
      waitedMs: number,
      heldMs: number,
      /** Its pool speaks a vendor's protocol. */
      ofVendor: z.boolean().optional(),
      /** It was another key than the fixed lease's, for one call. */
      rerouted: z.boolean().optional(),
    }),
  ),
  /** Calls of the test through its leases, however many attempts each took. */
  calls: z.number().int().min(0),
  requests,
  /** Tokens that answers used, by key and model, and how many of them are estimated. */
  tokens: z
    .array(
      z.object({
        pool: z.string(),
        key: z.string(),
        model: z.string().nullable(),
        tokens: number,
        estimated: number,
      }),
    )
    .optional(),
  /** What was asked for, each once. Queries are left out: they may hold anything. */
  targets: z.array(z.object(target)).optional(),
  /** Requests that happened but are not in `requests` (see MAX_REQUESTS_PER_RECORD). */
  requestsOmitted: z.number().int().min(0),
  /** The part of the requests' waits that no rate limit and no server asked for. */
  retryWaitsMs: number.optional(),
  errors: z.array(
    z.object({
      at: number,
      lease: z.number().int(),
      kind: z.enum(OUTCOME_KINDS),
      status: z.number().int().nullable(),
      message: z.string(),
    }),
  ),
  strategies: z.array(
    z.object({
      /** When it began. */
      at: number.optional(),
      task: z.string(),
      name: z.string(),
      /** Null: its end says nothing of the strategy (a failed check in it, or the test ended meanwhile). */
      ok: z.boolean().nullable(),
      durationMs: number,
      fallback: z.boolean(),
    }),
  ),
  /** Pools that had no member to give: which one stood in, or null where the test got none; and why. */
  refusals: z
    .array(
      z.object({
        pool: z.string(),
        fallbackPool: z.string().nullable(),
        /** The test or the configuration asks for what there is not. */
        isMistake: z.boolean(),
        /** The attempt had not failed yet, and no other strategy did without. */
        isEvidence: z.boolean(),
        why: z.string(),
      }),
    )
    .optional(),
  /** Calls that another origin than the leased one ended, by a 5xx or without an answer; with the end of an attempt. */
  foreign: z.array(z.object({ origin: z.string(), ...target, ...came, afterError: z.boolean() })).optional(),
  /** Requests that were made once more, elsewhere, after an attempt had failed: they are in no total. */
  evidence: z.array(z.object({ ...who, ...target, ...came, payload: z.number().int() })).optional(),
  /** What the worker and its broker saw when a failed attempt ended. */
  atEnd: z
    .object({
      /** Members that refusals had put out of service. */
      outOfService: z.array(z.object(who)),
      /** By how much our waits extended its timeout. */
      extendedMs: number,
      /** Waits of ours that its own time paid for. */
      unextendedMs: number,
    })
    .optional(),
  /** What was believed of each strategy when one was picked last. */
  strategyEstimates: z
    .array(
      z.object({
        task: z.string(),
        name: z.string(),
        at: number,
        successRate: number,
        avgMs: number,
      }),
    )
    .optional(),
  transitions: z.array(
    z.object({
      seq: z.number().int(),
      broker: z.string(),
      at: number,
      ...who,
      from: state,
      to: state,
      why: z.string(),
      until: number.nullable(),
    }),
  ),
  /** The target that the test named, where its pool has others; null: none. */
  pinned: z.object({ pool: z.string(), to: z.string(), by: z.enum(PINNED_BY) }).nullable(),
  degraded: z.boolean(),
  /** This attempt was not run: an earlier one failed by the product. */
  refused: z.boolean().optional(),
  /** The worker's view at the attempt's end, for a failed attempt; the reporter judges again over the whole run. */
  verdict: z.object({ verdict, evidence: z.array(z.string()) }).nullable(),
});

export type GembaRecord = zod.infer<typeof record>;

/** Reads a record: a large run has ten thousands of them. */
export const recordSchema = compileLater<GembaRecord>(record);

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1));
}
