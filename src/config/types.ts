import type {
  Auth,
  ClassifyRule,
  Failover,
  Gate,
  GateAction,
  GateRule,
  Protocol,
  Rotation,
  Routing,
} from '../core/types.ts';

/** Milliseconds, or a text such as `"500ms"`, `"5s"`, `"2m"`, `"1h"`. */
export type DurationInput = number | string;

/** An endpoint of a validated configuration. Absent limits mean unlimited. */
export interface EndpointConfig {
  readonly name: string;
  readonly url: string;
  readonly weight: number;
  readonly priority: number;
  readonly maxConcurrent?: number | undefined;
  readonly rpm?: number | undefined;
  readonly health?: string | undefined;
  readonly proxy?: string | undefined;
  readonly enabled: boolean;
}

/** A key of a validated configuration: `value`, `fields` or both. Absent limits mean unlimited. */
export interface KeyConfig {
  readonly name: string;
  readonly value?: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly maxConcurrent?: number | undefined;
  readonly rpm?: number | undefined;
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly quotaGroup?: string | undefined;
  /** Names of the endpoints that the key works at; absent: all. */
  readonly endpoints?: readonly string[] | undefined;
  readonly enabled: boolean;
}

/** A pool of a validated configuration: defaults filled in, durations in milliseconds. */
export interface PoolConfig {
  readonly endpoints: readonly EndpointConfig[];
  readonly keys: readonly KeyConfig[];
  readonly protocol: Protocol;
  readonly auth: Auth;
  readonly models: readonly string[];
  readonly rotation: Rotation;
  readonly routing: Routing;
  readonly scope: 'test' | 'worker';
  readonly maxFailures: number;
  readonly maxRetries: number;
  readonly timeout: number;
  readonly acquireTimeout: number;
  readonly leaseTtl: number;
  readonly ejection: { readonly base: number; readonly max: number };
  readonly retryBudget: number;
  readonly failover: Failover;
  readonly classify: readonly ClassifyRule[];
  readonly whenEmpty: 'wait' | 'fail' | 'fallback';
  readonly fallback?: string | undefined;
  readonly whenUnset: 'error' | 'skip';
}

/** A validated configuration. `pools` has no prototype, so that no name is there by accident. */
export interface GembaConfig {
  readonly name?: string | undefined;
  readonly store: string;
  readonly pools: Readonly<Record<string, PoolConfig>>;
  readonly retryTests: 'all' | 'environment';
  readonly gate: Gate;
}

/** A configuration read from a file. */
export interface LoadedConfig extends GembaConfig {
  readonly name: string;
  /** Absolute path of the file. */
  readonly path: string;
  /** 12 hex digits of SHA-256 over the file's text. */
  readonly revision: string;
  /** Texts that hold variables, as the file has them, by the path that a change of the field has. */
  readonly written: Readonly<Record<string, string>>;
  /** Pools left out because of unset variables (`"whenUnset": "skip"`), by name, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** An endpoint as it may be written. */
export type EndpointInput = string | (Optional<EndpointConfig> & { readonly url: string });

/** A key as it may be written. */
export type KeyInput = string | Optional<KeyConfig>;

type Durations = 'timeout' | 'acquireTimeout' | 'leaseTtl';
type Rewritten = 'endpoints' | 'keys' | 'ejection' | Durations;

/** A pool as it may be written. */
export type PoolInput = Optional<Omit<PoolConfig, Rewritten> & Record<Durations, DurationInput>> & {
  readonly endpoints?: readonly EndpointInput[] | undefined;
  readonly keys?: readonly KeyInput[] | { readonly fromEnv: string } | undefined;
  readonly ejection?: Optional<Record<'base' | 'max', DurationInput>> | undefined;
};

/** What `gemba.config.json` may hold. */
export interface GembaConfigInput {
  readonly $schema?: string | undefined;
  readonly name?: string | undefined;
  readonly store?: string | undefined;
  readonly pools: Readonly<Record<string, PoolInput>>;
  readonly retryTests?: 'all' | 'environment' | undefined;
  readonly gate?: Optional<Record<GateRule, GateAction>> | undefined;
}
