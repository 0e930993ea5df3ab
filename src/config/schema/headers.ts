import type { z as zod } from 'zod';
import { LIMITS } from '../../core/limits.ts';
import { z } from '../../shared/zod.ts';
import { anyText, record } from './fields.ts';

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;
/** What the connection itself sets; a fixed value would break requests. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const VALUE_NEEDS =
  'must fit into a header: no line break, no space at its ends, no character beyond Latin-1';

/** Pattern of a header's name, for the JSON Schema. */
export const HEADER_NAME: string = NAME.source;

/** Headers by name. Their values are secret. */
export function headers(): zod.ZodRecord<zod.ZodString, zod.ZodString> {
  const name = z
    .string()
    .superRefine((value, context) => {
      const message = headerNameProblem(value) ?? reservedProblem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({ pattern: HEADER_NAME, maxLength: LIMITS.name });
  const value = anyText(LIMITS.secret).superRefine((header, context) => {
    const message = headerValueProblem(header);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return record(name, value, 'be an object of headers, such as { "x-tenant": "qa" }');
}

export function headerNameProblem(value: string): string | undefined {
  return NAME.test(value) && value.length <= LIMITS.name ? undefined : 'must be the name of a header';
}

/** Why a value cannot be sent in a header. */
export function headerValueProblem(value: string): string | undefined {
  return value === '' || VALUE.test(value) ? undefined : VALUE_NEEDS;
}

function reservedProblem(name: string): string | undefined {
  return RESERVED.has(name.toLowerCase()) ? 'is a header that only the connection sets' : undefined;
}
