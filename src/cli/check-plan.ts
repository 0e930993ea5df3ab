import type { EndpointConfig, KeyConfig, LoadedConfig, PoolConfig } from '../config/types.ts';

/** One probe that is to be sent: an endpoint alone, or a key at it. */
export interface PlannedProbe {
  readonly pool: string;
  readonly config: PoolConfig;
  readonly endpoint: EndpointConfig;
  readonly key: KeyConfig | null;
  /** How long after the start of all it may go, so that it keeps to `rpm`. */
  readonly startMs: number;
}

/** A key with a low `rpm` is not asked at one endpoint after the other for minutes: its further ones are left out then. */
const MAX_PACED_MS = 10_000;

/** A probe of each endpoint by itself. */
export function endpointProbes(config: LoadedConfig): PlannedProbe[] {
  return Object.entries(config.pools).flatMap(([pool, poolConfig]) =>
    poolConfig.endpoints
      .filter((endpoint) => endpoint.enabled)
      .map((endpoint) => ({ pool, config: poolConfig, endpoint, key: null, startMs: 0 })),
  );
}

/** A probe of each key at each endpoint that it works at and that answers, no faster than `rpm` allows. */
export function keyProbes(
  config: LoadedConfig,
  answers: (pool: string, endpoint: string) => boolean,
): PlannedProbe[] {
  return Object.entries(config.pools).flatMap(([pool, poolConfig]) => {
    const paces = new Map<EndpointConfig | KeyConfig, ProbePace>();
    // The first turn was the endpoint's own probe.
    for (const endpoint of poolConfig.endpoints) paceOf(paces, endpoint).take(0);
    return poolConfig.keys
      .filter(({ enabled }) => enabled && poolConfig.auth !== 'none')
      .flatMap((key) =>
        placesOf(poolConfig, key)
          .filter(({ name }) => answers(pool, name))
          .flatMap((endpoint, index) => {
            const both = [paceOf(paces, endpoint), paceOf(paces, key)];
            const startMs = Math.max(...both.map((pace) => pace.next()));
            if (startMs > MAX_PACED_MS && index > 0) return [];
            for (const pace of both) pace.take(startMs);
            return [{ pool, config: poolConfig, endpoint, key, startMs }];
          }),
      );
  });
}

/** The endpoints that a key is probed at. */
export function placesOf({ endpoints }: PoolConfig, key: KeyConfig): EndpointConfig[] {
  return endpoints.filter(
    ({ name, enabled }) => enabled && (key.endpoints === undefined || key.endpoints.includes(name)),
  );
}

/** Turns at `rpm`: as many at once as a minute's 60th part, then evenly spaced. */
class ProbePace {
  readonly #rpm: number;
  readonly #starts: number[] = [];

  constructor(rpm: number | undefined) {
    this.#rpm = rpm ?? Infinity;
  }

  next(): number {
    const burst = Math.max(1, Math.floor(this.#rpm / 60));
    const before = this.#starts.at(-burst);
    return this.#rpm === Infinity || before === undefined ? 0 : before + (burst * 60_000) / this.#rpm;
  }

  take(startMs: number): void {
    this.#starts.push(startMs);
  }
}

function paceOf(
  paces: Map<EndpointConfig | KeyConfig, ProbePace>,
  subject: EndpointConfig | KeyConfig,
): ProbePace {
  const known = paces.get(subject);
  if (known) return known;
  const pace = new ProbePace(subject.rpm);
  paces.set(subject, pace);
  return pace;
}
