import type * as zod from 'zod';
import { LIMITS } from '../../core/limits.ts';
import type { Auth, Protocol } from '../../core/types.ts';
import type { AuthInput } from '../types.ts';
import { z } from '../../shared/zod.ts';
import { either, matching, oneOf, strict, text } from './fields.ts';
import { tokenUrl } from './addresses.ts';
import { HEADER_NAME, headerNameProblem } from './headers.ts';

/** How each protocol sends a key, where the pool does not say. */
export const AUTH_OF: Readonly<Record<Protocol, Auth>> = {
  http: 'bearer',
  openai: 'bearer',
  gemini: { header: 'x-goog-api-key' },
  anthropic: { header: 'x-api-key' },
  'azure-openai': { header: 'api-key' },
};

const NAME_NEEDS = 'be the name of a field of the keys';

const oauth2 = strict({
  tokenUrl: tokenUrl().describe('Address of the token endpoint.'),
  clientId: text(NAME_NEEDS, LIMITS.name)
    .default('client_id')
    .describe("The field of a key that holds its client's id. Default: client_id."),
  clientSecret: text(NAME_NEEDS, LIMITS.name)
    .default('client_secret')
    .describe("The field of a key that holds its client's secret. Default: client_secret."),
  scope: text().optional().describe('The scope to ask for. Default: none.'),
  audience: text().optional().describe('The audience to ask for. Default: none.'),
});

const WAYS = ['header', 'query', 'oauth2'] as const;

export const auth: zod.ZodType<Auth, AuthInput> = either(
  [
    oneOf(['bearer', 'basic', 'none']),
    strict({
      header: matching('be the name of a header', headerNameProblem, HEADER_NAME)
        .optional()
        .describe('Name of the header.'),
      query: text('be the name of a query parameter').optional().describe('Name of the query parameter.'),
      oauth2: oauth2
        .optional()
        .describe(
          'A token is minted for each key, by OAuth 2.0 client credentials, and renewed before it expires.',
        ),
    }).meta({ minProperties: 1, maxProperties: 1 }),
  ],
  'be "bearer", "basic", "none", { "header": "name" }, { "query": "name" } or { "oauth2": { … } }',
).transform((given, context): Auth => {
  if (typeof given === 'string') return given;
  const ways = WAYS.filter((way) => given[way] !== undefined);
  if (ways.length === 1) return { [ways[0]!]: given[ways[0]!] } as unknown as Auth;
  if (context.issues.length === 0) {
    context.addIssue({ code: 'custom', message: 'must have one of "header", "query" and "oauth2"' });
  }
  return z.NEVER;
}) as zod.ZodType<Auth, AuthInput>;
