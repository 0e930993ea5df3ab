import { resolve } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { CONFIG_FILE, findConfig, projectName } from './find.ts';
import { toFindings } from './issues.ts';
import { readSource } from './layers.ts';
import { documentOf } from './merge.ts';
import { pinMembers } from './pin.ts';
import { configError, type Finding } from './problems.ts';
import { gembaConfigSchema, partialConfigSchema } from './schema/schema.ts';
import { skippedPools, withoutPools } from './skip.ts';
import type { ConfigSource } from './source.ts';
import type { LoadedConfig, ReadFile } from './types.ts';
import { writtenTexts } from './written.ts';
import { resolveVariables, type FolderOf, type Resolution, type Unset } from './variables.ts';
import type { Env } from '../shared/env.ts';

/** A file is read once in a process: compiling its schema would take longer. */
const ONCE = { jitless: true };

export interface LoadOptions {
  /** Where variables come from. Default: the process's environment. */
  readonly env?: Env | undefined;
  /** Where a relative path, or the search for a file, starts. Default: the process's folder. */
  readonly cwd?: string | undefined;
}

/**
 * Reads, resolves and validates a config file with all that it extends; without a path the one of `GEMBA_CONFIG`, else
 * the nearest from `cwd` upward. All problems come in one error.
 *
 * @example
 * const { pools } = loadGembaConfig('gemba.config.json');
 */
export function loadGembaConfig(path?: string, options: LoadOptions = {}): LoadedConfig {
  const { env = process.env, cwd = process.cwd() } = options;
  const file = path === undefined ? foundConfig(env, cwd) : resolve(cwd, path);
  return configOf(readSource(file), env);
}

/** The same for texts that were read already. */
export function configOf(source: ConfigSource, env: Env, valueFiles: readonly ReadFile[] = []): LoadedConfig {
  const [{ path }] = source.layers as [ConfigSource['layers'][0]];
  const document = documentOf(source);
  if (document.broken) throw configError(path, document, document.findings);
  const { config, findings } = evaluate(path, document.value, env, document.folderOf);
  const all = [...document.findings, ...findings];
  if (config === undefined || all.length > 0) throw configError(path, document, all);
  return finished(config, source, valueFiles);
}

/** An evaluated configuration with the files that it comes from. */
export function finished(
  config: EvaluatedConfig,
  { revision, layers }: ConfigSource,
  valueFiles: readonly ReadFile[],
): LoadedConfig {
  return {
    ...config,
    revision,
    layers: layers.map((layer) => layer.path),
    valueFiles: [...config.valueFiles, ...valueFiles],
  };
}

type EvaluatedConfig = Omit<LoadedConfig, 'revision' | 'layers'>;

interface Evaluated {
  readonly findings: readonly Finding[];
  readonly config?: EvaluatedConfig;
}

/** What the value of a configuration is with these variables: a configuration, or what is wrong. */
export function evaluate(
  file: string,
  value: unknown,
  env: Env,
  folderOf: FolderOf,
  schema: typeof gembaConfigSchema = gembaConfigSchema,
): Evaluated {
  const raw = withStore(value, env);
  const resolution = resolveVariables(raw, env, folderOf);
  const skipped = skippedPools(resolution);
  const parsed = schema.safeParse(resolution.value, ONCE);
  const wrong = findingsOf(resolution, raw, skipped, env, parsed.error?.issues);
  if (wrong.length > 0) return { findings: hidden(wrong, resolution, env) };
  const isWhole = Object.keys(skipped).length === 0;
  const config =
    isWhole && parsed.success
      ? parsed.data
      : partialConfigSchema.parse(withoutPools(skipped, resolution.value), ONCE);
  const { pools, leftOut, findings } = pinMembers(config.pools, skipped, env['GEMBA_PIN'] ?? '');
  if (findings.length > 0) return { findings: hidden(findings, resolution, env) };
  return {
    findings,
    config: {
      ...config,
      name: config.name ?? projectName(file),
      pools,
      path: file,
      written: writtenTexts(resolution.references, config.pools),
      leftOut,
      skipped,
      valueFiles: resolution.files,
    },
  };
}

/** Finds what is wrong with a configuration whatever its variables hold: throws all its problems, or returns. */
export function checkSource(source: ConfigSource): void {
  const [{ path }] = source.layers as [ConfigSource['layers'][0]];
  const document = documentOf(source);
  if (document.broken) throw configError(path, document, document.findings);
  const resolution = resolveVariables(document.value, null, document.folderOf);
  const { error } = gembaConfigSchema.safeParse(resolution.value, ONCE);
  const findings = [
    ...document.findings,
    ...resolution.findings,
    ...toFindings(error?.issues ?? [], resolution, document.value),
  ];
  if (findings.length > 0) throw configError(path, document, findings);
}

function foundConfig(env: Env, cwd: string): string {
  const file = findConfig({ env, from: cwd, cwd });
  if (file !== undefined) return file;
  const message = `no ${CONFIG_FILE} in ${cwd} or above; create one with "npx gemba init"`;
  throw new GembaError('GEMBA_CONFIG_NOT_FOUND', message);
}

function withStore(value: unknown, env: Env): unknown {
  const store = env['GEMBA_STORE'];
  // What the environment has is taken as it is, hence the escape.
  const overridden = store !== undefined && store !== '' && typeof value === 'object' && value !== null;
  return overridden ? { ...value, store: store.replaceAll('${', () => '$${') } : value;
}

function findingsOf(
  resolution: Resolution,
  raw: unknown,
  skipped: LoadedConfig['skipped'],
  env: Env,
  issues: Parameters<typeof toFindings>[0] = [],
): Finding[] {
  const unset = resolution.unset.filter(
    ({ path }) => path[0] !== 'pools' || skipped[String(path[1])] === undefined,
  );
  const findings = [
    ...resolution.findings,
    ...unset.map(unsetFinding),
    ...toFindings(issues, resolution, raw),
  ];
  const fromStore = (env['GEMBA_STORE'] ?? '') !== '';
  return findings.map((finding) =>
    fromStore && finding.path[0] === 'store' ? { ...finding, about: 'GEMBA_STORE' } : finding,
  );
}

function unsetFinding({ path, what, remedy }: Unset): Finding {
  const skip = path[0] === 'pools' ? ', or say "whenUnset": "skip" in this pool' : '';
  return { path, message: `${what}; ${remedy}${skip}` };
}

/** A last guard: whatever a message quotes, a variable is shown by its name. */
function hidden(findings: readonly Finding[], resolution: Resolution, env: Env): Finding[] {
  const names = resolution.references.flatMap((reference) => reference.names);
  const known = names
    .map((name) => ({ name, value: env[name] ?? '' }))
    .filter(({ value }) => value.length > 5);
  const hide = (text: string, { name, value }: { name: string; value: string }): string =>
    text.replaceAll(value, () => `\${${name}}`);
  return findings.map((finding) => ({ ...finding, message: known.reduce(hide, finding.message) }));
}
