/** Data of which only the outer form is known yet. */
export type Loose = Readonly<Record<string, unknown>>;

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

export function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null;
}
