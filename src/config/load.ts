import { resolve } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { parseDocument } from './document.ts';
import { CONFIG_FILE, findConfig, projectName } from './find.ts';
import { toFindings } from './issues.ts';
import { pinMembers } from './pin.ts';
import { configError, type Finding } from './problems.ts';
import { readConfigText, revisionOf } from './read.ts';
import { gembaConfigSchema, partialConfigSchema } from './schema.ts';
import { skippedPools, withoutPools } from './skip.ts';
import type { LoadedConfig } from './types.ts';
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
  const text = readConfigText(file);
  const document = parseDocument(text);
  const fail = (findings: readonly Finding[], resolution?: Resolution): void => {
    if (findings.length > 0) throw configError(file, document, hidden(findings, resolution, env));
  };
  if (document.broken) fail(document.findings);
  const resolution = resolveVariables(withStore(document.value, env), env);
  const skipped = skippedPools(resolution);
  fail([...document.findings, ...findingsOf(resolution, skipped, env)], resolution);
  const config = partialConfigSchema.parse(withoutPools(skipped, resolution.value));
  const { pools, findings } = pinMembers(config.pools, skipped, env['GEMBA_PIN'] ?? '');
  fail(findings, resolution);
  return {
    ...config,
    name: config.name ?? projectName(file),
    pools,
    path: file,
    revision: revisionOf(text),
    skipped,
  };
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

function findingsOf(resolution: Resolution, skipped: LoadedConfig['skipped'], env: Env): Finding[] {
  const { error } = gembaConfigSchema.safeParse(resolution.value);
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
function hidden(findings: readonly Finding[], resolution: Resolution | undefined, env: Env): Finding[] {
  const names = resolution?.references.flatMap((reference) => reference.names) ?? [];
  const known = names
    .map((name) => ({ name, value: env[name] ?? '' }))
    .filter(({ value }) => value.length > 5);
  const hide = (text: string, { name, value }: { name: string; value: string }): string =>
    text.replaceAll(value, () => `\${${name}}`);
  return findings.map((finding) => ({ ...finding, message: known.reduce(hide, finding.message) }));
}
