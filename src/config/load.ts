import { resolve } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { parseDocument } from './document.ts';
import { CONFIG_FILE, findConfig, projectName } from './find.ts';
import { toFindings } from './issues.ts';
import { pinMembers } from './pin.ts';
import { configError, type Finding } from './problems.ts';
import { readConfigText, revisionOf } from './read.ts';
import { gembaConfigSchema, partialConfigSchema } from './schema/schema.ts';
import { skippedPools, withoutPools } from './skip.ts';
import type { LoadedConfig } from './types.ts';
import { writtenTexts } from './written.ts';
import { resolveVariables, type Env, type Resolution, type UnsetVariable } from './variables.ts';

export interface LoadOptions {
  /** Where variables come from. Default: the process's environment. */
  readonly env?: Env | undefined;
  /** Where a relative path, or the search for a file, starts. Default: the process's folder. */
  readonly cwd?: string | undefined;
}

/**
 * Reads, resolves and validates a config file; without a path the one of `GEMBA_CONFIG`, else the nearest from `cwd`
 * upward. All its problems come in one error.
 *
 * @example
 * const { pools } = loadGembaConfig('gemba.config.json');
 */
export function loadGembaConfig(path?: string, options: LoadOptions = {}): LoadedConfig {
  const { env = process.env, cwd = process.cwd() } = options;
  const file = path === undefined ? foundConfig(env, cwd) : resolve(cwd, path);
  return configOfText(file, readConfigText(file), env);
}

/** The same for a text that was read already. */
export function configOfText(file: string, text: string, env: Env): LoadedConfig {
  const document = parseDocument(text);
  if (document.broken) throw configError(file, document, document.findings);
  const { config, findings } = evaluate(file, document.value, env);
  const all = [...document.findings, ...findings];
  if (config === undefined || all.length > 0) throw configError(file, document, all);
  return { ...config, revision: revisionOf(text) };
}

type Evaluated = { readonly findings: readonly Finding[]; readonly config?: Omit<LoadedConfig, 'revision'> };

/** What the value of a config file comes to with these variables: a configuration, or what is wrong. */
export function evaluate(
  file: string,
  value: unknown,
  env: Env,
  schema: typeof gembaConfigSchema = gembaConfigSchema,
): Evaluated {
  const resolution = resolveVariables(withStore(value, env), env);
  const skipped = skippedPools(resolution);
  const wrong = findingsOf(resolution, skipped, env, schema);
  if (wrong.length > 0) return { findings: hidden(wrong, resolution, env) };
  const config = partialConfigSchema.parse(withoutPools(skipped, resolution.value));
  const { pools, findings } = pinMembers(config.pools, skipped, env['GEMBA_PIN'] ?? '');
  if (findings.length > 0) return { findings: hidden(findings, resolution, env) };
  return {
    findings,
    config: {
      ...config,
      name: config.name ?? projectName(file),
      pools,
      path: file,
      written: writtenTexts(resolution.references, config.pools),
      skipped,
    },
  };
}

/** Finds what is wrong with a text whatever its variables hold: throws an error with all its problems, or nothing. */
export function checkConfigText(file: string, text: string): void {
  const document = parseDocument(text);
  if (document.broken) throw configError(file, document, document.findings);
  const resolution = resolveVariables(document.value, {});
  const { error } = gembaConfigSchema.safeParse(resolution.value);
  const findings = [
    ...document.findings,
    ...resolution.findings,
    ...toFindings(error?.issues ?? [], resolution),
  ];
  if (findings.length > 0) throw configError(file, document, findings);
}

function foundConfig(env: Env, cwd: string): string {
  const file = findConfig({ env, from: cwd, cwd });
  if (file !== undefined) return file;
  const message = `no ${CONFIG_FILE} in ${cwd} or above; create one with "npx gemba init"`;
  throw new GembaError('GEMBA_CONFIG_NOT_FOUND', message);
}

function withStore(value: unknown, env: Env): unknown {
  const store = env['GEMBA_STORE'];
  // What the environment says is taken as it is, hence the escape.
  const overridden = store !== undefined && store !== '' && typeof value === 'object' && value !== null;
  return overridden ? { ...value, store: store.replaceAll('${', () => '$${') } : value;
}

function findingsOf(
  resolution: Resolution,
  skipped: LoadedConfig['skipped'],
  env: Env,
  schema: typeof gembaConfigSchema,
): Finding[] {
  const { error } = schema.safeParse(resolution.value);
  const unset = resolution.unset.filter(
    ({ path }) => path[0] !== 'pools' || skipped[String(path[1])] === undefined,
  );
  const findings = [
    ...resolution.findings,
    ...unset.map(unsetFinding),
    ...toFindings(error?.issues ?? [], resolution),
  ];
  const fromStore = (env['GEMBA_STORE'] ?? '') !== '';
  return findings.map((finding) =>
    fromStore && finding.path[0] === 'store' ? { ...finding, about: 'GEMBA_STORE' } : finding,
  );
}

function unsetFinding({ path, name, empty }: UnsetVariable): Finding {
  const skip = path[0] === 'pools' ? ', or say "whenUnset": "skip" in this pool' : '';
  return { path, message: `the variable ${name} is ${empty ? 'empty' : 'not set'}; set it${skip}` };
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
