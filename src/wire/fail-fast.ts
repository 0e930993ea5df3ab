import type * as zod from 'zod';
import { z } from '../shared/zod.ts';

/** A list that is refused at its first bad item: naming each fault of a million would take longer than any run. */
export function failFastArray<T extends zod.ZodType>(
  item: T,
  { min = 0, max = Infinity }: { readonly min?: number; readonly max?: number } = {},
): zod.ZodType<zod.output<T>[], unknown[]> {
  return z.array(z.unknown()).transform((values, context) => {
    if (values.length < min || values.length > max) return refuse(context, 'too few or too many items');
    const items: zod.output<T>[] = [];
    for (const value of values) {
      const parsed = item.safeParse(value);
      if (!parsed.success) return refuse(context, 'a bad item');
      items.push(parsed.data);
    }
    return items;
  });
}

/** Texts by name, refused at the first that is none. */
export function stringRecord(): zod.ZodType<Record<string, string>, Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).transform((values, context) => {
    const isTexts = Object.values(values).every((value) => typeof value === 'string');
    return isTexts ? (values as Record<string, string>) : refuse(context, 'a value that is no text');
  });
}

function refuse(context: zod.RefinementCtx, message: string): never {
  context.issues.push({ code: 'custom', message, input: undefined });
  return z.NEVER;
}
