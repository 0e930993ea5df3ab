import { NO_TRUST } from '../http/tls.ts';
import type { CallRecorder, FetchScope } from '../fixtures/call-scope.ts';
import type { ProjectLeases } from './project-leases.ts';

/** Calls of a script are in no report: the broker alone counts them. */
export function scriptScope(
  leases: ProjectLeases,
  endings: Set<() => Promise<void>>,
  closed: AbortSignal,
): FetchScope {
  return {
    testInfo: null,
    recorder: unrecorded(),
    hasFailed: false,
    session: {
      atEnd: (work) => void endings.add(work),
      trusted: NO_TRUST,
    },
    over: closed,
    track: (work) => void work.catch(() => undefined),
    fallBack: (lease) => leases.fallBack(lease),
    takeForCall: (lease, wanted) => leases.takeForCall(lease, wanted),
    heldBy: (view) => leases.heldBy(view),
  };
}

function unrecorded(): CallRecorder {
  let calls = 0;
  const nothing = (): void => {};
  return {
    nextCall: () => calls++,
    hold: () => 0,
    leave: nothing,
    request: nothing,
    correctRecorded: nothing,
    exonerate: nothing,
    leaseRefused: nothing,
    spent: nothing,
  };
}
