import { LIMITS } from '../../core/limits.ts';
import { asObject, items } from '../json.ts';
import { suggest } from '../../shared/suggest.ts';
import { FOUND, nameProblem, type ReportProblem } from './fields.ts';

/**
 * Checks over several pools: a fallback is another pool, fallbacks form no cycle, and members are not too many. Names are
 * checked here, too: a record would not check a pool whose name is wrong.
 */
export function checkPools(value: unknown, report: ReportProblem): void {
  const pools = asObject(asObject(value)['pools']);
  const names = Object.keys(pools);
  const next = (name: string): string | undefined => {
    const fallback = asObject(Object.hasOwn(pools, name) ? pools[name] : undefined)['fallback'];
    return typeof fallback === 'string' ? fallback : undefined;
  };
  const members = Object.values(pools).flatMap((pool) => {
    const { endpoints, keys } = asObject(pool);
    return items(endpoints).length + items(keys).length;
  });
  if (members.reduce((sum, count) => sum + count, 0) > LIMITS.allMembers)
    report(['pools'], `must have at most ${LIMITS.allMembers} endpoints and keys in all`);
  const told = new Set<string>();
  for (const name of names) {
    const problem = nameProblem(name);
    if (problem !== undefined) report(['pools', name], problem, 'name');
    const fallback = next(name);
    if (fallback === undefined) continue;
    const path = ['pools', name, 'fallback'];
    if (fallback === name) report(path, 'must be the name of another pool');
    else if (!names.includes(fallback))
      report(path, `${FOUND} is not a pool of this file; ${suggest(fallback, names)}`);
    else reportCycle(name, next, told, (message) => report(path, message));
  }
}

function reportCycle(
  start: string,
  next: (name: string) => string | undefined,
  told: Set<string>,
  report: (message: string) => void,
): void {
  const way = [start];
  for (let name = next(start); name !== undefined; name = next(name)) {
    if (name === start) {
      if (!way.some((step) => told.has(step)))
        report(`leads back to this pool: ${[...way, start].join(' → ')}`);
      way.forEach((step) => told.add(step));
      return;
    }
    if (way.includes(name)) return;
    way.push(name);
  }
}
