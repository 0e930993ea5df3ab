export { defineGembaConfig } from './config/define.ts';
export { GembaError } from './core/errors.ts';
export { accountFixtures, expect, gembaFixtures, test } from './fixtures/index.ts';

export type {
  EndpointConfig,
  GembaConfig,
  GembaConfigInput,
  KeyConfig,
  LoadedConfig,
  PoolConfig,
} from './config/types.ts';
export type { Auth } from './core/types.ts';
export type { GembaErrorCode } from './core/errors.ts';
export type { HealthState, OutcomeKind, Verdict } from './core/types.ts';
export type {
  AccountOptions,
  Gemba,
  GembaTestArgs,
  GembaTestOptions,
  GembaWorkerArgs,
  GembaWorkerOptions,
  Lease,
  LeaseOptions,
  Outcome,
  ResetArgs,
  RunOptions,
  SignedOutAnswer,
  SignInArgs,
  StrategyContext,
} from './fixtures/types.ts';
