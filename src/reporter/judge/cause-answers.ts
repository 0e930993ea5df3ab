import { type Answers, isSoftFault } from '../../core/verdict/run-view.ts';
import { routeOf } from '../../core/verdict/route.ts';
import type { SeenRequest } from '../collect/run-state.ts';
import type { ReportAnswers, ReportCauseAnswers } from '../report/model.ts';

/** By endpoint and route, as the run's view counts them. */
export type PoolAnswers = ReadonlyMap<string, ReadonlyMap<number, Answers>>;

/** Routes of one cause that are compared over endpoints. */
const MAX_ROUTES = 3;

/**
 * The proof of a cause: what each endpoint gave to its routes, and to all others. Null where its faults do not belong to routes, as
 * refused connections and refused keys do not.
 */
export function answersOf(
  faults: readonly SeenRequest[],
  ofPool: (pool: string) => PoolAnswers,
): ReportCauseAnswers | null {
  const [first] = faults;
  if (!first || !faults.every(isSoftFault)) return null;
  const routes = frequentRoutes(faults);
  if (routes.size === 0) return null;
  const endpoints = [...ofPool(first.pool)].map(([name, byRoute]) => ({
    name,
    answers: [...routes.keys()].map((route) => toAnswers(byRoute.get(route))),
    others: sumOf([...byRoute].flatMap(([route, answers]) => (routes.has(route) ? [] : [answers]))),
  }));
  return {
    routes: [...routes.values()],
    endpoints: endpoints
      .filter(({ name }) => name !== '')
      .sort((a, b) => failuresOf(b.answers) - failuresOf(a.answers) || (a.name < b.name ? -1 : 1)),
  };
}

/** At how many endpoints its only route gave that status, of those that were asked for it; null for several routes. */
export function spreadOf(
  answers: ReportCauseAnswers | null,
  fault: SeenRequest,
): { readonly route: string; readonly failing: number; readonly asked: number } | null {
  const route = answers?.routes[0];
  if (!answers || route === undefined || answers.routes.length > 1) return null;
  const given = answers.endpoints.map((endpoint) => endpoint.answers[0]!);
  const name = String(fault.status ?? 'timeout');
  const failing = given.filter(({ failures }) => (failures[name] ?? 0) > 0).length;
  const asked = given.filter((each) => each.successes > 0 || Object.keys(each.failures).length > 0).length;
  return failing === 0 ? null : { route, failing, asked };
}

/** Names of routes by their numbers. */
function frequentRoutes(faults: readonly SeenRequest[]): Map<number, string> {
  const counts = new Map<number, { name: string; times: number }>();
  for (const fault of faults) {
    const name = routeOf(fault);
    if (fault.route === null || name === null) continue;
    const known = counts.get(fault.route);
    counts.set(fault.route, { name, times: (known?.times ?? 0) + 1 });
  }
  const sorted = [...counts].sort(([, a], [, b]) => b.times - a.times).slice(0, MAX_ROUTES);
  return new Map(sorted.map(([route, { name }]) => [route, name]));
}

function toAnswers(answers: Answers | undefined): ReportAnswers {
  return sumOf(answers ? [answers] : []);
}

function sumOf(list: readonly Answers[]): ReportAnswers {
  const failures = new Map<string, number>();
  for (const each of list)
    for (const [status, times] of each.failures)
      failures.set(String(status), (failures.get(String(status)) ?? 0) + times);
  return {
    successes: list.reduce((sum, { successes }) => sum + successes, 0),
    failures: Object.fromEntries(failures),
  };
}

function failuresOf(answers: readonly ReportAnswers[]): number {
  return answers.flatMap(({ failures }) => Object.values(failures)).reduce((sum, times) => sum + times, 0);
}
