import { basename, resolve } from 'node:path';
import { fetchOf } from '../fixtures/calls/fetch.ts';
import { recordObserved } from '../fixtures/calls/record-request.ts';
import { noteTokens } from '../fixtures/calls/spending.ts';
import { describedOf } from '../fixtures/calls/reported-outcome.ts';
import type { PlainLease } from '../fixtures/lease/plain-lease.ts';
import { plainView } from '../fixtures/lease/plain-view.ts';
import { GembaError } from '../core/errors.ts';
import { checkLeaseOptions, checkOutcome } from '../fixtures/lease/arguments.ts';
import { ProjectLeases } from './project-leases.ts';
import { openedProject } from './project.ts';
import { scriptScope } from './scope.ts';
import type { LeaseOptions, OpenGemba, OpenOptions } from './types.ts';

/** Connections are shared by all that is open in this process. */
let opened = 0;

/** Reads the configuration; the broker is asked with the first lease. */
export async function open({ config, holder = scriptName() }: OpenOptions): Promise<OpenGemba> {
  const project = await openedProject(config === undefined ? undefined : resolve(config));
  const leases = new ProjectLeases(project, holder);
  const closing = new AbortController();
  const endings = new Set<() => Promise<void>>();
  const scope = scriptScope(leases, endings, closing.signal);
  opened++;

  const expectOpen = (): void => {
    if (closing.signal.aborted)
      throw new GembaError('GEMBA_USAGE', 'This gemba was closed. Open another with openGemba().');
  };
  const viewOf = (held: Awaited<ReturnType<ProjectLeases['take']>>): PlainLease =>
    plainView(held, () => leases.release(held));
  const fetchLeased = fetchOf(scope, () => leases.own(), undefined);

  const gemba: OpenGemba = {
    async lease(options: LeaseOptions = {}) {
      expectOpen();
      checkLeaseOptions(options, 'gemba.lease()');
      return viewOf(await leases.take(options));
    },
    async fetch(input, init) {
      expectOpen();
      return fetchLeased(input, init);
    },
    record(outcome) {
      expectOpen();
      checkOutcome(outcome, 'gemba.record()');
      const held = leases.heldFor(outcome.lease?.id);
      if (!held) return;
      recordObserved(scope, held, describedOf(outcome, held));
      noteTokens(scope, held, outcome.tokens ?? 0);
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      opened--;
      leases.close();
      project.close();
      if (opened === 0) await Promise.allSettled([...endings].map((end) => end()));
    },
    [Symbol.asyncDispose]: () => gemba.close(),
  };
  return gemba;
}

/** The file that this process runs. */
function scriptName(): string {
  const [, file] = process.argv;
  return file === undefined ? 'a script' : basename(file);
}
