import jsonc from 'jsonc-parser';
import { projectName } from './find.ts';
import { textOf } from './json.ts';
import { readConfigText } from './read.ts';
import { resolveVariables, type Env } from './variables.ts';

/** What of a configuration says which broker serves it. */
export interface BrokerSource {
  readonly path: string;
  readonly name: string;
  readonly store: string;
  readonly pools: Readonly<Record<string, { readonly leaseTtl: number }>>;
}

const LEASE_TTL_MS = 30_000;

/** Which broker serves a file that is no valid configuration just now, or is gone. */
export function brokerSourceOf(path: string, env: Env): BrokerSource {
  // The parser reads what it can of a broken text.
  const value: unknown = jsonc.parse(textIn(path), [], { allowTrailingComma: true });
  const given = (field: string): string | undefined => {
    const { value: resolved, unset } = resolveVariables(textOf(value, field), env);
    return unset.length === 0 && typeof resolved === 'string' && resolved !== '' ? resolved : undefined;
  };
  const store = env['GEMBA_STORE'] || (given('store') ?? 'local');
  return {
    path,
    name: given('name') ?? projectName(path),
    store,
    pools: { any: { leaseTtl: LEASE_TTL_MS } },
  };
}

function textIn(path: string): string {
  try {
    return readConfigText(path);
  } catch {
    return '{}';
  }
}
