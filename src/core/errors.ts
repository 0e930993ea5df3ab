/** Every code that a `GembaError` can carry. */
export const ERROR_CODES = [
  'GEMBA_CONFIG_NOT_FOUND',
  'GEMBA_CONFIG_INVALID',
  'GEMBA_CONFIG_CHANGED',
  'GEMBA_POOL_UNKNOWN',
  'GEMBA_ENDPOINT_UNKNOWN',
  'GEMBA_TARGET_CONFLICT',
  'GEMBA_BUDGET_USED',
  'GEMBA_POOL_AMBIGUOUS',
  'GEMBA_POOL_UNAVAILABLE',
  'GEMBA_ACQUIRE_TIMEOUT',
  'GEMBA_NEED_UNMET',
  'GEMBA_DEADLOCK',
  'GEMBA_LEASE_LOST',
  'GEMBA_LEASE_RELEASED',
  'GEMBA_BROKER_UNREACHABLE',
  'GEMBA_BROKER_VERSION',
  'GEMBA_MESSAGE_REFUSED',
  'GEMBA_STORE_CLIENT_MISSING',
  'GEMBA_STORE_UNREACHABLE',
  'GEMBA_STORE_DOWN',
  'GEMBA_STORE_CHANGED',
  'GEMBA_SIGN_IN_FAILED',
  'GEMBA_RESET_FAILED',
  'GEMBA_TOTP_UNAVAILABLE',
  'GEMBA_TOKEN_UNAVAILABLE',
  'GEMBA_RERUN_REFUSED',
  'GEMBA_REPORT_NOT_FOUND',
  'GEMBA_STRATEGY_TIMEOUT',
  'GEMBA_STRATEGIES_FAILED',
  'GEMBA_KEY_NOT_SENT',
  'GEMBA_DISABLED',
  'GEMBA_USAGE',
] as const;

/** What went wrong, for programs. Each code has its heading in docs/troubleshooting.md. */
export type GembaErrorCode = (typeof ERROR_CODES)[number];

const BRAND = Symbol.for('gemba-agent.error');
const PAGE = 'node_modules/gemba-agent/docs/troubleshooting.md';
const CODE_AT_END = new RegExp(String.raw`\s*\((?:${ERROR_CODES.join('|')})\)$`);

/**
 * The error of this package. `code` is stable and safe to test for; the message says what was found, where, and
 * what to do, ends with the code in parentheses, and never holds a secret.
 */
export class GembaError extends Error {
  override readonly name = 'GembaError';
  readonly code: GembaErrorCode;
  /** The code's entry in the installed docs, such as `node_modules/gemba-agent/docs/troubleshooting.md#gemba_usage`. */
  readonly docs: string;

  constructor(code: GembaErrorCode, message: string, options?: { cause?: unknown }) {
    super(endingWith(code, message), options);
    this.code = code;
    this.docs = `${PAGE}#${code.toLowerCase()}`;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** True for an error of this package, also when it comes from another installed copy of it. */
  static is(error: unknown): error is GembaError {
    return typeof error === 'object' && error !== null && BRAND in error;
  }
}

/** A message without the code at its end, to be part of another message. */
export function withoutCode(message: string): string {
  return message.replace(CODE_AT_END, '');
}

/** After a list or a line to copy, the code stands in a line of its own. */
function endingWith(code: GembaErrorCode, message: string): string {
  const text = withoutCode(message);
  const [last, ...before] = text.split('\n').reverse();
  const isSentence = before.length === 0 || /^\S.*\.$/.test(last!);
  return `${text}${isSentence ? ' ' : '\n'}(${code})`;
}
