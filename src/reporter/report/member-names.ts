import type { MemberKind } from '../../core/types.ts';

/** An endpoint, a key, or both, as records name them. */
interface MemberRef {
  readonly pool: string;
  readonly endpoint: string | null;
  readonly key: string | null;
}

/** One member, as the key of a map. */
export function memberKey(pool: string, kind: MemberKind, name: string): string {
  return `${pool}\n${kind}\n${name}`;
}

/** The member that a state belongs to: a key's state at one endpoint is the key's. */
export function memberKeyOf({ pool, endpoint, key }: MemberRef): string {
  return key === null ? memberKey(pool, 'endpoint', endpoint ?? '') : memberKey(pool, 'key', key);
}

/** `pool/endpoint/key`, for people. */
export function memberName({ pool, endpoint, key }: MemberRef): string {
  return [pool, endpoint, key].filter((part) => part !== null && part !== '').join('/');
}
