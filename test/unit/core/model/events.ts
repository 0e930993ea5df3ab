import type { Effect } from '../../../../src/core/state.ts';
import { requestReport } from '../../../harness/request-report.ts';
import * as core from '../../../../src/core/pool.ts';
import { OUTCOME_KINDS, type OutcomeKind, type PoolSpec } from '../../../../src/core/types.ts';
import type { Asked, ClientLease, Clients } from './clients.ts';
import { type Dice, randomNeed } from './dice.ts';
import type { World } from '../world.ts';

/** Who acts, on what. */
export interface Acting {
  readonly dice: Dice;
  readonly clients: Clients;
  world: World;
  /** Each link has its own copy of the pool's configuration, as processes have. */
  readonly specs: Map<string, PoolSpec>;
  lastId: number;
}

/** What happens, in words, and how. */
type Event = [what: string, apply: () => Effect[]];

const STATUS: Record<OutcomeKind, readonly (number | null)[]> = {
  ok: [200],
  session: [401],
  auth: [401, 403],
  'rate-limit': [429],
  exhausted: [402, 429],
  server: [500, 503],
  timeout: [null],
  network: [null],
  caller: [404, null],
};

const KEY_FAULTS: readonly OutcomeKind[] = ['auth', 'rate-limit', 'exhausted'];

/** A link asks for a lease. */
export function askFirst(acting: Acting): Event {
  const { dice } = acting;
  const { endpoints } = acting.world.spec;
  return ask(acting, {
    kind: 'acquire',
    client: dice.pick([...acting.specs.keys()]),
    lease: `L${++acting.lastId}`,
    need: randomNeed(dice),
    onlyEndpoint: endpoints.length > 0 && dice.chance(0.15) ? dice.pick(endpoints).name : null,
    testId: dice.chance(0.4) ? dice.pick(['test-1', 'test-2', 'test-3']) : null,
    exclude: [],
    timeoutMs: dice.pick([0, 100, 3_000, 30_000, 30_000, 30_000]),
  });
}

/** A call of a lease without a member asks for one. */
export function askAgain(acting: Acting, { id, client, need, onlyEndpoint, testId }: ClientLease): Event {
  const { acquireTimeoutMs: timeoutMs } = acting.world.spec;
  const question = { kind: 'acquire', client, lease: id, need, onlyEndpoint, testId } as const;
  return ask(acting, { ...question, exclude: [], timeoutMs });
}

/** A call asks whether it may go. */
export function permit(acting: Acting, { id, client, need, onlyEndpoint, testId }: ClientLease): Event {
  const movable = acting.dice.chance(0.7);
  const about = { client, lease: id, need, onlyEndpoint, testId };
  const question = { kind: 'permit', ...about, exclude: [], timeoutMs: 0 } as const;
  return send(acting, question, movable ? 'movable' : '', (world, to) =>
    core.requestPermit(world.pool, { ...to, lease: id, movable, since: world.now }, world.context),
  );
}

/** A call came to something. */
export function request(acting: Acting, lease: ClientLease): Event {
  const { dice, world } = acting;
  lease.onItsWay = false;
  const again = lease.call !== '' && dice.chance(0.4);
  lease.call = again ? lease.call : `c${++acting.lastId}`;
  lease.requests = again ? lease.requests + 1 : 1;
  const kind = dice.chance(0.6) ? 'ok' : dice.pick(OUTCOME_KINDS);
  const report = requestReport({
    call: lease.call,
    request: lease.requests,
    signature: dice.pick([null, 'one', 'two']),
    auth: dice.pick(['leased', 'leased', 'leased', 'own', 'none'] as const),
    kind,
    status: dice.pick(STATUS[kind]),
    durationMs: dice.pick([null, 0, 12, 3_000]),
    retryAfterMs: dice.pick([null, null, 0, 40, 2_000, 90_000]),
    unsent: kind === 'network' && dice.chance(0.5),
    endpoint: lease.endpoint,
    key: lease.key,
  });
  const { status, auth, retryAfterMs, unsent } = report.outcome;
  const facts = `${status ?? ''} ${auth} ${report.signature ?? ''} ${report.call}`;
  const wait = retryAfterMs === null ? '' : ` Retry-After ${retryAfterMs}`;
  return [
    `${lease.id} at ${lease.endpoint}/${lease.key} ${kind}${unsent ? ' unsent' : ''} ${facts}${wait}`,
    () => core.reportRequest(world.pool, lease.id, report, world.context),
  ];
}

/** A failed call asks for another member. */
export function moveLease(acting: Acting, lease: ClientLease): Event {
  const { dice } = acting;
  const { id, client, need, onlyEndpoint, testId, endpoint, key } = lease;
  const kind = dice.pick(OUTCOME_KINDS.filter((outcome) => outcome !== 'ok'));
  const from = { endpoint, key };
  const blamed = KEY_FAULTS.includes(kind) ? key : endpoint;
  const { endpoints, keys } = acting.world.spec;
  const failedBefore = dice.some([...endpoints, ...keys], 0.1).map((spec) => spec.id);
  const exclude = [...(blamed ? [blamed] : []), ...failedBefore];
  const unsent = kind === 'network' && dice.chance(0.7);
  const timeoutMs = acting.world.spec.acquireTimeoutMs;
  const about = { client, lease: id, need, onlyEndpoint, testId };
  const question = { kind: 'move', ...about, exclude, timeoutMs } as const;
  const what = `${kind}${unsent ? ' unsent' : ''} from ${endpoint}/${key} without ${exclude.join(' ')}`;
  return send(acting, question, what, (world, to) =>
    core.moveLease(world.pool, { to, lease: id, from, exclude, kind, unsent }, world.context),
  );
}

function ask(acting: Acting, question: Omit<Asked, 'ask' | 'since' | 'again'>): Event {
  const { client, lease, need, onlyEndpoint, testId, timeoutMs, exclude } = question;
  const spec = acting.specs.get(client)!;
  const what = `${JSON.stringify(need)} ${onlyEndpoint ?? ''} ${testId ?? ''} for ${timeoutMs} ms`;
  const { now } = acting.world;
  return send(acting, question, what, (world, to) =>
    core.acquireLease(
      world.pool,
      {
        to,
        lease,
        spec,
        need,
        onlyEndpoint,
        holder: lease,
        testId,
        timeoutMs,
        exclude,
        waitedMs: world.now - now,
      },
      world.context,
    ),
  );
}

function send(
  acting: Acting,
  question: Omit<Asked, 'ask' | 'since' | 'again'>,
  what: string,
  apply: (world: World, to: { client: string; ask: number }) => Effect[],
): Event {
  const number = ++acting.lastId;
  const to = { client: question.client, ask: number };
  const again = (world: World): Effect[] => apply(world, to);
  const text = `${question.kind} ${number} of ${question.lease} (${question.client}) ${what}`;
  return [
    text,
    () => {
      acting.clients.open.set(number, { ...question, ask: number, since: acting.world.now, again });
      if (question.kind === 'move') acting.clients.moves.add(number);
      return apply(acting.world, to);
    },
  ];
}
