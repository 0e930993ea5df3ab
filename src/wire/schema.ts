import type * as zod from 'zod';
import { compileLater } from '../shared/compile-later.ts';
import { z } from '../shared/zod.ts';

/**
 * The schema of an object type. A field that the type has and the schema lacks does not compile, and neither does one
 * that only the schema has: a field that the schema did not know would be stripped without a word.
 */
export function objectOf<T>(): <S extends { readonly [K in keyof T]-?: zod.ZodType<T[K]> }>(
  shape: S & { readonly [K in Exclude<keyof S, keyof T>]: never },
) => zod.ZodType<T> {
  return (shape) => z.object(shape) as unknown as zod.ZodType<T>;
}

/** A list that is refused at its first bad item: naming each fault of a million would take longer than any run. */
export function failFastArray<T>(
  item: zod.ZodType<T>,
  { min = 0, max = Infinity }: { readonly min?: number; readonly max?: number } = {},
): zod.ZodType<T[], unknown[]> {
  const reader = compileLater(item);
  return z.array(z.unknown()).transform((values, context) => {
    if (values.length < min || values.length > max) return refuse(context, [], 'too few or too many items');
    const items: T[] = [];
    for (const [index, value] of values.entries()) {
      const parsed = reader.safeParse(value);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        return refuse(context, [index, ...(issue?.path ?? [])], issue?.message ?? 'Invalid input');
      }
      items.push(parsed.data);
    }
    return items;
  });
}

/** Strings by name, refused at the first value that is not a string. */
export function stringRecord(): zod.ZodType<Record<string, string>, Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).transform((values, context) => {
    const bad = Object.entries(values).find(([, value]) => typeof value !== 'string');
    return bad ? refuse(context, [bad[0]], 'not a string') : (values as Record<string, string>);
  });
}

/** Which field of a value does not fit, and why: `pools[0].keys[3].weight: Invalid input`. */
export function describeIssue(error: zod.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return 'Invalid input';
  const path = issue.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  return path === '' ? issue.message : `${path.replace(/^\./, '')}: ${issue.message}`;
}

function refuse(context: zod.RefinementCtx, path: PropertyKey[], message: string): never {
  context.issues.push({ code: 'custom', message, path, input: undefined });
  return z.NEVER;
}
