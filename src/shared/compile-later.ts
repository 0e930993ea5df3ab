import type * as zod from 'zod';
import { z } from './zod.ts';

export interface Reader<T> {
  safeParse(value: unknown): zod.ZodSafeParseResult<T>;
  validate(value: unknown): value is T;
}

/** As many values as take longer to read by a schema that is not compiled than compiling it takes. */
const COMPILE_AFTER = 50;

/**
 * Reads the first values by the schema as it is, and compiles it when more come: a run of one test sends a few messages of
 * each type, a long one thousands.
 */
export function compileLater<T>(schema: zod.ZodType<T>): Reader<T> {
  let left = COMPILE_AFTER;
  let current: Pick<zod.ZodType<T>, 'safeParse'> & { validate(value: unknown): boolean } = {
    safeParse: (value) => schema.safeParse(value, { jitless: true }),
    validate: (value) => schema.safeParse(value, { jitless: true }).success,
  };
  const next = (): typeof current => {
    if (left-- === 0) current = z.compile(schema);
    return current;
  };
  return {
    safeParse: (value) => next().safeParse(value),
    validate: (value): value is T => next().validate(value),
  };
}
