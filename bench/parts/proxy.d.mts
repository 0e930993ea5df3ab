export interface TestProxy {
  readonly port: number;
  /** No byte passes while it is cut; those that were sent meanwhile pass later. */
  cut: () => void;
  mend: () => void;
  delay: (ms: number) => void;
  close: () => void;
}

/** The way to a port on loopback, each direction of which takes so long. */
export function startProxy(target: number, delayMs?: number): Promise<TestProxy>;
