import { nameProblem, suggest, type ReportProblem } from './fields.ts';
import { asObject } from '../json.ts';

/**
 * What pools owe to each other: a fallback is another pool, and the way through them ends. Names are judged here, too:
 * a record would not look into a pool whose name is wrong.
 */
export function checkPools(value: unknown, report: ReportProblem): void {
  const pools = asObject(asObject(value)['pools']);
  const names = Object.keys(pools);
  const next = (name: string): string | undefined => {
    const fallback = asObject(Object.hasOwn(pools, name) ? pools[name] : undefined)['fallback'];
    return typeof fallback === 'string' ? fallback : undefined;
  };
  const told = new Set<string>();
  for (const name of names) {
    const problem = nameProblem(name);
    if (problem !== undefined) report(['pools', name], problem, 'name');
    const fallback = next(name);
    if (fallback === undefined) continue;
    const path = ['pools', name, 'fallback'];
    if (fallback === name) report(path, 'must be the name of another pool');
    else if (!names.includes(fallback)) report(path, `is no pool of this file; ${suggest(fallback, names)}`);
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
