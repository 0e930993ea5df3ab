import type * as zod from 'zod';

/** The entries that fit a schema; others, as another version may have written them, are left out one by one. */
export function parseEach<T extends zod.ZodType>(schema: T, entries: readonly unknown[]): zod.output<T>[] {
  return entries.flatMap((entry) => {
    const parsed = schema.safeParse(entry);
    return parsed.success ? [parsed.data] : [];
  });
}
