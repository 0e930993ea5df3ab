import type { RequestReport } from '../core/request-outcome.ts';
import type { PoolState } from '../core/state.ts';
import type { PoolSpec } from '../core/types.ts';
import { type Ruling, judgeAttempt } from '../core/verdict/judge.ts';
import type { MemberName } from '../core/verdict/attempt.ts';
import { outOfServiceBy } from '../core/verdict/out-of-service.ts';
import { RunView } from '../core/verdict/run-view.ts';
import type { ClientMessage } from '../wire/messages.ts';

type MessageOf<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>;

/** Views of older runs are forgotten. */
const MOST_RUNS = 8;
const MOST_REQUESTS = 50_000;

/** What each run has seen of its routes, for the verdicts that a run's attempts get as they end. */
export class RunViews {
  readonly #views = new Map<string, RunView>();

  /** A request of that run came to something. */
  note(run: string, pool: PoolState, request: RequestReport, now: number): void {
    const { route, identity, endpoint: id, outcome } = request;
    if (route === null) return;
    const { kind, status, durationMs, unsent } = outcome;
    const endpoint = (id !== null && pool.members.get(`endpoint:${id}`)?.name) || null;
    const at = now - (durationMs ?? 0);
    const view = this.#of(run);
    view.add({ pool: pool.name, endpoint, route, identity, kind, status, unsent, at });
    view.prune(now, MOST_REQUESTS);
  }

  /** An attempt of that run passed although these calls of it ended in faults. */
  passed(run: string, { ended, foreign }: MessageOf<'attempt-passed'>): void {
    const view = this.#of(run);
    for (const call of ended) view.addExpected(call);
    for (const fault of foreign) view.addExpected({ ...fault, pool: fault.origin });
  }

  judge(
    run: string,
    { attempt, evidence }: MessageOf<'judge'>,
    pools: readonly { readonly state: PoolState; readonly spec: PoolSpec }[],
    now: number,
  ): { finding: Ruling; outOfService: MemberName[] } {
    const view = this.#of(run);
    for (const request of evidence) view.add(request);
    const outOfService = pools.flatMap(({ state, spec }) => outOfServiceBy(state, spec, attempt.ended, now));
    return { finding: judgeAttempt({ ...attempt, crashed: false, outOfService }, view), outOfService };
  }

  #of(run: string): RunView {
    const known = this.#views.get(run);
    if (known) return known;
    const view = new RunView();
    this.#views.set(run, view);
    const [oldest] = this.#views.keys();
    if (this.#views.size > MOST_RUNS && oldest !== undefined) this.#views.delete(oldest);
    return view;
  }
}
