/** A failed attempt of a test that the product caused: the test is not worth another attempt. */
export interface ProductFailure {
  readonly title: string;
  /** Playwright's number of the attempt: 0 for the first. */
  readonly retry: number;
  readonly evidence: readonly string[];
}

/** A test of one run, and the serial group that it stands or falls with; null for none. */
export interface RunningTest {
  /** Process id of the runner. */
  readonly run: number;
  readonly test: string;
  readonly group: string | null;
  readonly retry: number;
}

/** The product failures of each run, by test and by serial group; the first of each counts. */
export type Reruns = Map<number, Map<string, ProductFailure>>;

/** Takes in a failed attempt. A first attempt begins anew: what a run before it in the same process left is void. */
export function noteFailure(reruns: Reruns, attempt: RunningTest, product: ProductFailure | null): void {
  const failures = reruns.get(attempt.run) ?? new Map<string, ProductFailure>();
  for (const name of namesOf(attempt)) {
    if (attempt.retry === 0) failures.delete(name);
    if (product && !failures.has(name)) failures.set(name, product);
  }
  if (failures.size > 0) reruns.set(attempt.run, failures);
  else reruns.delete(attempt.run);
}

/** The product failure that makes an attempt pointless: the test's own, or one of its serial group. */
export function endedBy(reruns: Reruns, attempt: RunningTest): ProductFailure | null {
  const failures = reruns.get(attempt.run);
  for (const name of namesOf(attempt)) {
    const failure = failures?.get(name);
    if (failure && failure.retry < attempt.retry) return failure;
  }
  return null;
}

function namesOf({ test, group }: RunningTest): string[] {
  return group === null ? [`test ${test}`] : [`test ${test}`, `group ${group}`];
}
