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

/**
 * The error of this package. `code` is stable and safe to test for; the message says what was found, where, and
 * what to do, and never holds a secret.
 */
export class GembaError extends Error {
  override readonly name = 'GembaError';
  readonly code: GembaErrorCode;

  constructor(code: GembaErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** True for an error of this package, also when it comes from another installed copy of it. */
  static is(error: unknown): error is GembaError {
    return typeof error === 'object' && error !== null && BRAND in error;
  }
}
