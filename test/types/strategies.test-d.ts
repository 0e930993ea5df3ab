// Compiled only, by `npm run typecheck`: what a user's editor knows of `gemba.run`.
import type { Gemba, Lease, RunOptions, StrategyContext } from '../../src/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(value?: T): T | undefined => value;

export async function result(gemba: Gemba): Promise<void> {
  const session = await gemba.run('sign in', {
    api: async () => ({ cookie: 'session=1' }),
    form: () => Promise.resolve({ cookie: 'session=2' }),
  });
  isTrue<Same<typeof session, { cookie: string }>>();

  const nothing = await gemba.run('clean up', { api: async () => {}, form: async () => {} });
  isTrue<Same<typeof nothing, void>>();

  const chosen = await gemba.run<string | number>('either', { a: async () => 1, b: async () => 'one' });
  isTrue<Same<typeof chosen, string | number>>();

  // @ts-expect-error two strategies of a task give the same kind of result, unless it is said otherwise
  await gemba.run('mixed', { a: async () => 1, b: async () => 'one' });
  // @ts-expect-error a strategy gives a promise
  await gemba.run('sync', { a: () => 1 });
}

export async function context(gemba: Gemba): Promise<void> {
  await gemba.run('context', {
    async only(given) {
      isTrue<Same<typeof given, StrategyContext>>();
      const lease: Lease | undefined = given.lease;
      const response: Response = await given.fetch('/orders', { signal: given.signal });
      return [lease, response.status, given.attempt];
    },
  });
}

export const options: RunOptions[] = [
  {},
  { timeoutMs: 5_000, only: ['api'], fallback: false },
  // @ts-expect-error names, not one name
  { only: 'api' },
  // @ts-expect-error no such option
  { retries: 2 },
];
