import { LIMITS } from '../../core/limits.ts';
import { GATE_ACTIONS } from '../../core/types.ts';
import type { z } from 'zod';
import { storeUrl } from './addresses.ts';
import { checkPools } from './pools-checks.ts';
import { checked, either, entryName, list, oneOf, record, strict, text } from './fields.ts';
import { poolSchema } from './pool.ts';
import type { GembaConfig, GembaConfigInput } from '../types.ts';

const gateAction = oneOf(GATE_ACTIONS).default('warn');

const gate = strict({
  product: gateAction.describe('The run passed, but a failure of the product needed a retry. Default: warn.'),
  environment: gateAction.describe(
    'The same for a failure of an endpoint, a key or the network. Default: warn.',
  ),
  unknown: gateAction.describe('The same for a failure without evidence. Default: warn.'),
  degraded: gateAction.describe('A test passed by a fallback strategy. Default: warn.'),
  shards: gateAction.describe('The record of a shard is missing after a merge. Default: warn.'),
});

const pools = record(entryName(), poolSchema, 'be an object of pools by name');

const file = strict({
  $schema: text().optional().describe('Where editors find the schema of this file.'),
  extends: either(
    [text('be a path'), list(text('be a path'), 'be an array of paths')],
    'be a path or an array of paths',
  )
    .superRefine((_, context) => {
      const message = 'is read by loadGembaConfig only; here give the merged object';
      context.addIssue({ code: 'custom', message });
    })
    .optional()
    .describe(
      'Files that this one builds on, relative to it: pools and named members are merged, other values replace theirs.',
    ),
  name: text(undefined, LIMITS.name)
    .optional()
    .describe("The project's name for shared stores and fingerprints. Default: the name in package.json."),
  store: storeUrl()
    .default('local')
    .describe(
      '"local", or the address of the Redis that machines share. GEMBA_STORE goes before it. Default: local.',
    ),
  pools: pools
    .refine((value) => Object.keys(value).length > 0, { error: 'must have at least one pool' })
    .meta({ minProperties: 1 })
    .describe('Endpoints and keys with one policy, by the name of the pool.'),
  retryTests: oneOf(['all', 'environment'])
    .default('all')
    .describe('Which failed tests a Playwright retry runs again. Default: all.'),
  gate: gate
    .prefault({})
    .describe('What makes a run red although its tests passed in the end. Default: nothing.'),
});

/**
 * The schema of `gemba.config.json`, for an object with all that it extends merged, and its variables resolved; it fills in
 * all defaults.
 */
export const gembaConfigSchema: z.ZodType<GembaConfig, GembaConfigInput> = checked(
  file,
  checkPools,
).transform(finished);

/** The same without the checks over several pools, for a configuration without some of its pools, or all. */
export const partialConfigSchema: z.ZodType<GembaConfig, GembaConfigInput> = file
  .extend({ pools })
  .transform(finished);

function finished({ $schema: _, extends: __, ...config }: z.output<typeof file>): GembaConfig {
  return { ...config, pools: Object.assign(Object.create(null), config.pools) };
}
