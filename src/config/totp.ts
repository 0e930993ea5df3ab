/*
 * What a key's `totp` may be: a secret in base32, or the `otpauth://` address that a QR code holds. No message quotes either.
 * https://github.com/google/google-authenticator/wiki/Key-Uri-Format
 */

/** How the codes of a secret are made (RFC 6238). */
export interface TotpSettings {
  /** Base32, in upper case, without spaces and padding. */
  readonly secret: string;
  readonly digits: number;
  /** Seconds. */
  readonly periodS: number;
  readonly algorithm: TotpAlgorithm;
}

const ALGORITHMS = ['SHA1', 'SHA256', 'SHA512'] as const;
type TotpAlgorithm = (typeof ALGORITHMS)[number];

export const TOTP_NEEDS =
  'be a secret in base32 (letters and the digits 2 to 7), or an otpauth://totp/ address';

const MIN_DIGITS = 4;
const MAX_DIGITS = 10;
const MAX_PERIOD_S = 86_400;

/** The settings that a text stands for, or what is wrong with it. */
export function parseTotp(text: string): TotpSettings | string {
  return /^otpauth:/i.test(text.trim()) ? ofAddress(text.trim()) : ofSecret(text, {});
}

function ofSecret(
  text: string,
  { digits = '6', period = '30', algorithm = 'SHA1' }: Readonly<Record<string, string>>,
): TotpSettings | string {
  const secret = text.replace(/[\s-]/g, '').replace(/=+$/, '').toUpperCase();
  if (!/^[A-Z2-7]{2,}$/.test(secret)) return `must ${TOTP_NEEDS}`;
  const known = ALGORITHMS.find((name) => name === algorithm.toUpperCase().replace(/[-_]/g, ''));
  if (known === undefined) return `has an unknown "algorithm"; known: ${ALGORITHMS.join(', ')}`;
  if (!isWhole(digits, MIN_DIGITS, MAX_DIGITS))
    return `has "digits" that are no integer from ${MIN_DIGITS} to ${MAX_DIGITS}`;
  if (!isWhole(period, 1, MAX_PERIOD_S)) return `has a "period" that is no integer from 1 to ${MAX_PERIOD_S}`;
  return { secret, digits: Number(digits), periodS: Number(period), algorithm: known };
}

function ofAddress(text: string): TotpSettings | string {
  if (!URL.canParse(text)) return 'is an otpauth: address that cannot be read';
  const { host, pathname, searchParams } = new URL(text);
  // Node reads "otpauth://totp/…" with a host; "otpauth:totp/…" has none.
  const type = (host === '' ? (pathname.replace(/^\/+/, '').split('/')[0] ?? '') : host).toLowerCase();
  if (type === 'hotp') return 'is an otpauth: address with a counter (hotp); it must be one of type totp';
  if (type !== 'totp') return 'is an otpauth: address of an unknown type; it must be one of type totp';
  const given = Object.fromEntries([...searchParams].map(([name, value]) => [name.toLowerCase(), value]));
  const { secret = '' } = given;
  return secret === '' ? 'is an otpauth: address without a "secret"' : ofSecret(secret, given);
}

function isWhole(text: string, min: number, max: number): boolean {
  return /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max;
}
