import { isObject, type Loose } from '../shared/json.ts';

export { isObject, type Loose } from '../shared/json.ts';

export function textOf(value: unknown, field: string): string | undefined {
  const found = asObject(value)[field];
  return typeof found === 'string' ? found : undefined;
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isEmptyList(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

export function asObject(value: unknown): Loose {
  return isObject(value) ? value : {};
}

/** The part of a value at a path; undefined where there is none. */
export function partAt(value: unknown, path: readonly (string | number)[]): unknown {
  let part = value;
  for (const step of path) part = isObject(part) ? part[step as string] : undefined;
  return part;
}
