import { GembaError } from '../core/errors.ts';

/** Where the store is. `shown` is host and port: all of it that a message may hold. */
export interface StoreAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly shown: string;
}

/** Reads `redis://user:password@host:6379/0`; `rediss://` is the same over TLS. */
export function parseAddress(text: string): StoreAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const database = url && /^\/?(\d{1,6})?$/.exec(url.pathname);
  if (!url || !database || !/^rediss?:$/.test(url.protocol) || url.hostname === '') throw unreadable();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 6379 : Number(url.port);
  return {
    host,
    port,
    tls: url.protocol === 'rediss:',
    username: decoded(url.username),
    password: decoded(url.password),
    database: Number(database[1] ?? 0),
    shown: `${url.hostname}:${port}`,
  };
}

function decoded(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable();
  }
}

/** Without the text: it may hold a password. */
function unreadable(): GembaError {
  return new GembaError(
    'GEMBA_STORE_UNREACHABLE',
    'The store must be an address such as "redis://host:6379/0" or "rediss://user:password@host:6379/0", ' +
      'with special characters of user and password percent-encoded. ' +
      'Correct "store" in gemba.config.json, or GEMBA_STORE.',
  );
}
