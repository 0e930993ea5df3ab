import type { EndpointConfig, KeyConfig } from '../config/types.ts';
import type { Credentials } from '../http/auth.ts';
import type { Terminal } from './terminal.ts';

/** Variables of a lease, also of one around this one. */
const OURS = /^GEMBA_(?:URL|KEY|KEY_NAME|FIELD_.+|HEADER_.+)$/;

/** The environment of a command that has the lease. */
export function leaseVariables(
  { endpoint, key }: { endpoint: EndpointConfig | null; key: KeyConfig | null },
  { headers, extra }: Credentials,
  env: Terminal['env'],
): Terminal['env'] {
  const outer = Object.entries(env).filter(([name]) => !OURS.test(name));
  return {
    ...Object.fromEntries(outer),
    ...(endpoint && { GEMBA_URL: endpoint.url }),
    ...(key && { GEMBA_KEY_NAME: key.name }),
    ...(key?.value !== undefined && { GEMBA_KEY: key.value }),
    ...named('GEMBA_FIELD_', key?.fields ?? {}),
    ...named('GEMBA_HEADER_', { ...extra, ...headers }),
  };
}

/** Names in upper case, with underscores for what a variable's name cannot have. */
function named(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `${prefix}${name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')}`,
      value,
    ]),
  );
}
