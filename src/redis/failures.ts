import { GembaError } from '../core/errors.ts';

/** The server did not answer in time. */
export class StoreTimeoutError extends Error {
  constructor(afterMs: number) {
    super(`it gave no answer within ${afterMs / 1000} s`);
  }
}

/** The server cannot be used; the message says why and holds no secret. */
export class StoreUnusableError extends Error {}

/** What was asked of the server did not come about, for a reason in our words. */
export class StoreDownError extends GembaError {
  readonly reason: string;

  constructor(shown: string, reason: string) {
    super('GEMBA_STORE_DOWN', `The store at ${shown} is away: ${reason}. It is tried again.`);
    this.reason = reason;
  }
}

const LACKS_RIGHTS =
  'its user lacks rights: keys and channels gemba:*, and +@scripting +@hash +@list +@sortedset +expire +pexpire +time ' +
  '+pubsub +publish +subscribe +info +select';

const BY_ANSWER: Readonly<Record<string, string>> = {
  WRONGPASS: 'it refuses the user or the password',
  NOAUTH: 'it asks for a password',
  NOPERM: LACKS_RIGHTS,
  LOADING: 'it is still loading its data',
  READONLY: 'it is a replica and takes no writes',
  MASTERDOWN: 'it is a replica and takes no writes',
  MOVED: 'it is a node of a cluster that keeps this project at another node; name that one',
  CROSSSLOT: 'it is a node of a cluster that keeps this project at another node; name that one',
  CLUSTERDOWN: 'its cluster is down',
  OOM: 'its memory is full',
  WRONGTYPE: 'one of its keys gemba:* has a value of another kind, which is not ours; delete that key',
  MISCONF: 'it cannot save and therefore takes no writes',
};

/** Answers by which the server as a whole is of no use; others are about one command. */
const BREAKING: ReadonlySet<string> = new Set([
  'WRONGPASS',
  'NOAUTH',
  'NOPERM',
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'MOVED',
  'CROSSSLOT',
  'CLUSTERDOWN',
]);

const BY_SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name could not be looked up',
  ETIMEDOUT: 'it gave no answer',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this host',
};

/**
 * Why the server cannot be used, in our words: what clients and servers say may hold a user, an address or a password.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof StoreTimeoutError || error instanceof StoreUnusableError) return error.message;
  if (error instanceof StoreDownError) return error.reason;
  if (!(error instanceof Error)) return 'the connection failed';
  const system = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (system && /CERT|SIGNATURE/.test(system)) {
    return `its certificate is not trusted (${system}); NODE_EXTRA_CA_CERTS can name a file with its authority`;
  }
  if (system) return `${BY_SYSTEM[system] ?? 'the connection failed'} (${system})`;
  const answer = answerOf(error);
  if (answer === undefined) return 'the connection was closed';
  if (/^ERR unknown command/i.test(error.message)) return 'it is too old: Redis 6.2 or later is needed';
  if (/^ERR .*DB index/i.test(error.message)) return 'it has no database of that number';
  if (isLackOfRights(error)) return `${LACKS_RIGHTS} (NOPERM)`;
  return `${BY_ANSWER[answer] ?? 'it answered with an error'} (${answer})`;
}

/** The server answered with an error that is about this command alone. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || 'code' in error) return false;
  const answer = answerOf(error);
  return answer !== undefined && !BREAKING.has(answer) && !isLackOfRights(error);
}

/** The code of an error that the server answered with: of its own, or of the command in a script that met it. */
function answerOf({ message }: Error): string | undefined {
  const inScript = /@user_script: ?\d+: (?:-)?([A-Z]{2,}) /.exec(message)?.[1];
  return inScript ?? /^([A-Z]{2,})(?: |$)/.exec(message)?.[1];
}

function isLackOfRights({ message }: Error): boolean {
  return /^ERR .*user executing the script can't/i.test(message);
}

export function unreachable(shown: string, reason: string): GembaError {
  return new GembaError(
    'GEMBA_STORE_UNREACHABLE',
    `The store at ${shown} cannot be used: ${reason}. ` +
      'Start or repair it, or correct "store" in gemba.config.json or GEMBA_STORE.',
  );
}
