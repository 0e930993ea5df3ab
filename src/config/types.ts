import type {
  Auth,
  ClassifyRule,
  DailyBudget,
  Failover,
  Gate,
  GateAction,
  GateRule,
  OAuth2,
  Protocol,
  Rotation,
  Routing,
} from '../core/types.ts';

/** Milliseconds, or a string such as `"500ms"`, `"5s"`, `"2m"`, `"1h"`. */
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
  /** Secret: sent to this endpoint, shown nowhere. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A key of a validated configuration: `value`, `fields` or both. Absent limits mean unlimited. */
export interface KeyConfig {
  readonly name: string;
  readonly value?: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  /** Secret: what its one-time codes are made with, in base32 or as an otpauth:// address. */
  readonly totp?: string | undefined;
  readonly maxConcurrent?: number | undefined;
  readonly rpm?: number | undefined;
  /** Tokens a minute. */
  readonly tpm?: number | undefined;
  readonly daily?: DailyBudget | undefined;
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

/** A configuration read from its files. */
export interface LoadedConfig extends GembaConfig {
  readonly name: string;
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute paths of the file and of those that it extends, directly or not. */
  readonly layers: readonly string[];
  /** What else was read for it: files of values, and the file of variables. */
  readonly valueFiles: readonly ReadFile[];
  /** 12 hex digits of SHA-256 over the text of the file and of those that it extends. */
  readonly revision: string;
  /** Texts that hold variables, as the file has them, by the path that a change of the field has. */
  readonly written: Readonly<Record<string, string>>;
  /** Endpoints that `GEMBA_PIN` leaves out, by pool. */
  readonly leftOut: Readonly<Record<string, readonly EndpointConfig[]>>;
  /** Pools left out because of unset variables (`"whenUnset": "skip"`), by name, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
}

/** A file that was read, and a text that differs after each save of it. */
export interface ReadFile {
  readonly path: string;
  readonly stamp: string;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** An endpoint as it may be written. */
export type EndpointInput = string | (Optional<EndpointConfig> & { readonly url: string });

/** A secret as it may be written: itself, or the file that holds it. */
export type SecretInput = string | { readonly file: string };

/** How keys are sent, as it may be written. */
export type AuthInput =
  | Exclude<Auth, { readonly oauth2: OAuth2 }>
  | { readonly oauth2: Optional<OAuth2> & Pick<OAuth2, 'tokenUrl'> };

/** A key as it may be written. */
export type KeyInput =
  | string
  | (Optional<Omit<KeyConfig, 'value' | 'fields' | 'totp' | 'daily'>> & {
      readonly daily?: Optional<DailyBudget> | undefined;
      readonly value?: SecretInput | undefined;
      readonly totp?: SecretInput | undefined;
      readonly fields?: Readonly<Record<string, SecretInput>> | undefined;
    });

type Durations = 'timeout' | 'acquireTimeout' | 'leaseTtl';
type Rewritten = 'endpoints' | 'keys' | 'auth' | 'ejection' | Durations;

/** A pool as it may be written. */
export type PoolInput = Optional<Omit<PoolConfig, Rewritten> & Record<Durations, DurationInput>> & {
  readonly endpoints?: readonly EndpointInput[] | undefined;
  readonly keys?: readonly KeyInput[] | { readonly fromEnv: string } | undefined;
  readonly auth?: AuthInput | undefined;
  readonly ejection?: Optional<Record<'base' | 'max', DurationInput>> | undefined;
};

/** What `gemba.config.json` may hold. */
export interface GembaConfigInput {
  readonly $schema?: string | undefined;
  readonly extends?: string | readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly store?: string | undefined;
  readonly pools: Readonly<Record<string, PoolInput>>;
  readonly retryTests?: 'all' | 'environment' | undefined;
  readonly gate?: Optional<Record<GateRule, GateAction>> | undefined;
}

/** What a file may hold that extends another one: what is missing here comes from there. */
export type GembaLayerInput = Omit<GembaConfigInput, 'pools'> & {
  readonly extends: string | readonly string[];
  readonly pools?: Readonly<Record<string, PoolLayerInput>> | undefined;
};

type PoolLayerInput = Omit<PoolInput, 'endpoints'> & {
  readonly endpoints?:
    readonly (EndpointInput | (Optional<EndpointConfig> & { readonly name: string }))[] | undefined;
};
