import type { Verdict } from '../types.ts';
import type { EndedCall } from './attempt.ts';
import { type EndpointView, faultStatus, type FaultStatus, type RunView } from './run-view.ts';

/** Which comparison decided. The last two compare nothing: one more request may say more. */
export const ROUTE_REASONS = [
  'succeeded elsewhere',
  'comes and goes',
  'everywhere',
  'this endpoint alone',
  'serves other routes',
  'nothing to compare',
] as const;
type RouteReason = (typeof ROUTE_REASONS)[number];

/** What the run's view of its route says of a call that ended in a 5xx, a timeout or a connection that broke. */
export interface RouteJudgement {
  readonly verdict: Verdict;
  readonly reason: RouteReason;
  /** Other endpoints that the comparison names. */
  readonly endpoints: readonly string[];
}

/** A status that a product's own code gives; gateways, restarts and overload give the others. */
const OWN_STATUSES: ReadonlySet<FaultStatus> = new Set([500, 501]);

export function judgeByRoute(call: EndedCall, view: RunView): RouteJudgement {
  const { pool, endpoint, route, identity, at } = call;
  const status = faultStatus(call);
  const isOwn = OWN_STATUSES.has(status);
  const all = route === null ? [] : view.around(pool, route, at);
  const here = all.find(({ name }) => name === (endpoint ?? ''));
  const others = all.filter((each) => each !== here);
  const hasSame = ({ succeeded }: EndpointView): boolean => identity !== null && succeeded.has(identity);

  const clean = others.filter((other) => hasSame(other) && !other.gave.has(status));
  if (clean.length > 0) return judged('environment', 'succeeded elsewhere', clean);

  const gave = all.filter((each) => each.gave.has(status));
  const mixed = gave.filter(({ hasSucceeded }) => hasSucceeded);
  if (mixed.length >= 2) return judged(isOwn ? 'product' : 'environment', 'comes and goes', mixed);

  const serving = gave.filter(({ servesOthers }) => servesOthers);
  if (serving.length >= 2 && !all.some(hasSame)) return judged('product', 'everywhere', serving);

  const well = others.filter(({ hasSucceeded }) => hasSucceeded);
  if (here && here.failed.size >= 2 && !here.hasSucceeded && well.length > 0)
    return judged('environment', 'this endpoint alone', well);

  if (here?.servesOthers) return judged(isOwn ? 'product' : 'environment', 'serves other routes', [here]);
  return judged(isOwn ? 'unknown' : 'environment', 'nothing to compare', []);
}

function judged(verdict: Verdict, reason: RouteReason, endpoints: readonly EndpointView[]): RouteJudgement {
  return { verdict, reason, endpoints: endpoints.map(({ name }) => name) };
}
