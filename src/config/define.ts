import type { GembaConfigInput, GembaLayerInput } from './types.ts';

/**
 * A configuration with its types checked, for tools that write `gemba.config.json`; the runner reads the file only.
 *
 * @example
 * writeFileSync('gemba.config.json', JSON.stringify(defineGembaConfig({ pools: { api: { endpoints } } })));
 */
export function defineGembaConfig<T extends GembaConfigInput | GembaLayerInput>(config: T): T {
  return config;
}
