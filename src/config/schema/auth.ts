import type * as zod from 'zod';
import type { Auth, Protocol } from '../../core/types.ts';
import { z } from '../../shared/zod.ts';
import { either, matching, oneOf, strict, text } from './fields.ts';
import { HEADER_NAME, headerNameProblem } from './headers.ts';

/** How each protocol sends a key, where the pool does not say. */
export const AUTH_OF: Readonly<Record<Protocol, Auth>> = {
  http: 'bearer',
  openai: 'bearer',
  gemini: { header: 'x-goog-api-key' },
  anthropic: { header: 'x-api-key' },
  'azure-openai': { header: 'api-key' },
};

export const auth: zod.ZodType<Auth, Auth> = either(
  [
    oneOf(['bearer', 'basic', 'none']),
    strict({
      header: matching('be the name of a header', headerNameProblem, HEADER_NAME)
        .optional()
        .describe('Name of the header.'),
      query: text('be the name of a query parameter').optional().describe('Name of the query parameter.'),
    }).meta({ minProperties: 1, maxProperties: 1 }),
  ],
  'be "bearer", "basic", "none", { "header": "name" } or { "query": "name" }',
).transform((given, context): Auth => {
  if (typeof given === 'string') return given;
  if (given.header !== undefined && given.query === undefined) return { header: given.header };
  if (given.query !== undefined && given.header === undefined) return { query: given.query };
  if (context.issues.length === 0) {
    context.addIssue({ code: 'custom', message: 'must have either "header" or "query"' });
  }
  return z.NEVER;
}) as zod.ZodType<Auth, Auth>;
