import type { ServerInfo } from './commands.ts';
import { StoreUnusableError } from './failures.ts';

/** Reads the answer of INFO: which server it is, and whether it will do. */
export function readServer(answer: unknown): ServerInfo & { readonly notices: readonly string[] } {
  const info = new Map(
    String(answer)
      .split(/\r?\n/)
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  );
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (!(major > 6 || (major === 6 && minor >= 2))) {
    throw new StoreUnusableError(`it is Redis ${version}, and 6.2 or later is needed (or Valkey)`);
  }
  if (info.get('role') === 'slave')
    throw new StoreUnusableError('it is a replica and takes no writes (READONLY)');
  return {
    run: info.get('run_id') ?? 'unnamed',
    // Whole seconds between two truncated times: up to one too many.
    upMs: Math.max(0, Number(info.get('uptime_in_seconds') ?? 0) - 1) * 1_000,
    promoted: Number(info.get('second_repl_offset') ?? -1) !== -1,
    notices: noticesOf(info),
  };
}

function noticesOf(info: ReadonlyMap<string, string>): string[] {
  const policy = info.get('maxmemory_policy') ?? '';
  if (!policy.startsWith('allkeys') || info.get('maxmemory') === '0') return [];
  return [
    `The store evicts keys when its memory is full (maxmemory-policy ${policy}), leases among them: ` +
      'set noeviction, or a policy whose name begins with "volatile".',
  ];
}
