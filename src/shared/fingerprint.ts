import { createHmac } from 'node:crypto';

/** What makes a key this key: its value; where it has none, its user name and password; where it lacks one of those, all its fields. */
export type SecretParts =
  | string
  | { readonly value?: string | undefined; readonly fields?: Readonly<Record<string, string>> | undefined };

/**
 * How a secret is shown: 8 hex digits of an HMAC-SHA256 keyed by the project's name. Equal secrets of one project
 * look equal, and lists of known secrets of others find nothing.
 */
export function fingerprint(projectName: string, secret: SecretParts): string {
  return identity(projectName, secret).slice(0, 8);
}

/** The same with 16 digits: what a key is known by, over edits, renaming and runs. */
export function identity(projectName: string, secret: SecretParts): string {
  return createHmac('sha256', projectName).update(secretOf(secret)).digest('hex').slice(0, 16);
}

/** The text that a fingerprint is taken over; fields in an order of their own, not the file's. */
export function secretOf(secret: SecretParts): string {
  if (typeof secret === 'string') return secret;
  if (secret.value !== undefined) return secret.value;
  const { username, password } = secret.fields ?? {};
  const fields =
    username && password ? Object.entries({ password, username }) : Object.entries(secret.fields ?? {});
  return JSON.stringify(fields.sort(([left], [right]) => (left < right ? -1 : 1)));
}
