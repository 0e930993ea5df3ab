import { projectName } from './find.ts';
import { textOf } from './json.ts';
import { roughFiles } from './rough.ts';
import { isResolved } from './variables.ts';
import type { Env } from '../shared/env.ts';

/** The part of a configuration that says which broker serves it. */
export interface BrokerSource {
  readonly path: string;
  readonly name: string;
  readonly store: string;
  readonly pools: Readonly<Record<string, { readonly leaseTtl: number }>>;
}

const LEASE_TTL_MS = 30_000;

/** Which broker serves a file that is no valid configuration just now, or does not exist. */
export function brokerSourceOf(path: string, env: Env): BrokerSource {
  const files = roughFiles(path, env);
  const given = (field: string): string | undefined => {
    const text = files.map(({ value }) => textOf(value, field)).find((found) => found !== undefined);
    return text !== undefined && text !== '' && isResolved(text) ? text : undefined;
  };
  return {
    path,
    name: given('name') ?? projectName(path),
    store: env['GEMBA_STORE'] || (given('store') ?? 'local'),
    pools: { any: { leaseTtl: LEASE_TTL_MS } },
  };
}
