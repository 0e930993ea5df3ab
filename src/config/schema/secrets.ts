import type { z as zod } from 'zod';
import { LIMITS } from '../../core/limits.ts';
import { z } from '../../shared/zod.ts';
import type { SecretInput } from '../types.ts';
import { either, strict, text } from './fields.ts';

const file = strict({
  file: text('be the path of a file').describe(
    'Path of a file that holds the value; a relative one starts at the file that names it.',
  ),
});

/** A secret as the file may have it: the text itself, or the file that holds it. */
export function secretOr(value: zod.ZodString): zod.ZodType<string, SecretInput> {
  return either([value, file], 'be a string or { "file": "path" }').transform((given, context): string => {
    if (typeof given === 'string') return given;
    if (context.issues.length === 0) {
      const message = 'is read by loadGembaConfig only; here give the value itself';
      context.addIssue({ code: 'custom', path: ['file'], message });
    }
    return z.NEVER;
  });
}

/** The text of a secret: its length is reported, never what it is. */
export function secretText(): zod.ZodString {
  return text('be a string that is not empty', LIMITS.secret);
}
