export { loadGembaConfig, type LoadOptions } from './load.ts';
export type { ConfigError, ConfigProblem } from './problems.ts';
export { gembaConfigSchema } from './schema/schema.ts';
export type {
  DurationInput,
  EndpointConfig,
  EndpointInput,
  GembaConfig,
  GembaConfigInput,
  KeyConfig,
  KeyInput,
  LoadedConfig,
  PoolConfig,
  PoolInput,
} from './types.ts';
export type { Auth, ClassifyRule } from '../core/types.ts';
export type { ConfigFieldChange, ConfigValue } from './edits/changes.ts';
export { watchGembaConfig, type ConfigChange, type ConfigWatcher, type WatchOptions } from './watch.ts';
