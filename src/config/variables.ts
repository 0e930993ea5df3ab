import { resolve as absolute } from 'node:path';
import type { Finding, Path } from './problems.ts';
import type { ReadFile } from './types.ts';
import { readValueFile } from './value-file.ts';
import type { Env } from '../shared/env.ts';

/** A configuration's value with its variables filled in. Where one is unset, a string stands that is valid as nothing. */
export interface Resolution {
  readonly value: unknown;
  readonly unset: readonly Unset[];
  /** Wrong references, and variables that hold no keys. */
  readonly findings: readonly Finding[];
  readonly references: readonly Reference[];
  /** The variable of each pool whose keys come `fromEnv`. */
  readonly lists: ReadonlyMap<string, string>;
  /** The files of values that were read. */
  readonly files: readonly ReadFile[];
}

/** A text that holds variables, as the file has it. */
export interface Reference {
  readonly path: Path;
  readonly text: string;
  readonly names: readonly string[];
}

/** A variable that is not set, or a file of a value that cannot be read. */
export interface Unset {
  readonly path: Path;
  /** Such as `the variable CI_KEY is not set`. */
  readonly what: string;
  /** Its name; absent for a file. */
  readonly variable?: string;
  /** Such as `set it`. */
  readonly remedy: string;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_]\w*$/;
const NAME_AND_DEFAULT = /^([A-Za-z_]\w*)(?::-(.*))?$/s;
const NO_VARIABLE =
  'has a "${" that is not a variable; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves';
const NESTED = 'has a variable in the default of another variable; a default is plain text';
/** Begins what replaces a string that cannot be resolved: it equals no other string, and no field accepts it. */
const UNRESOLVED = '\0';

/** The folder in which a relative path at this place of the configuration starts. */
export type FolderOf = (path: Path) => string;

/** Fills in variables and values from files. `env` null: nothing is known, so nothing is filled in, and nothing is read. */
export function resolveVariables(value: unknown, env: Env | null, folderOf: FolderOf): Resolution {
  const state: State = {
    env,
    folderOf,
    unset: [],
    findings: [],
    references: [],
    lists: new Map(),
    files: [],
  };
  return { value: resolve(value, [], state), ...state };
}

/** False for what replaces a string that cannot be resolved. */
export function isResolved(text: string): boolean {
  return !text.startsWith(UNRESOLVED);
}

interface State {
  readonly env: Env | null;
  readonly folderOf: FolderOf;
  readonly unset: Unset[];
  readonly findings: Finding[];
  readonly references: Reference[];
  readonly lists: Map<string, string>;
  readonly files: ReadFile[];
}

function resolve(value: unknown, path: Path, state: State): unknown {
  if (typeof value === 'string') return value.includes('${') ? resolveText(value, path, state) : value;
  if (Array.isArray(value)) return value.map((item, index) => resolve(item, [...path, index], state));
  if (typeof value !== 'object' || value === null) return value;
  const variable = isKeyList(path) ? onlyText(value, 'fromEnv') : undefined;
  if (variable !== undefined && NAME.test(variable)) return resolveList(value, variable, path, state);
  const file = isSecret(path) ? onlyText(value, 'file') : undefined;
  if (file !== undefined && file !== '') return resolveFile(file, path, state);
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, field] of Object.entries(value)) result[key] = resolve(field, [...path, key], state);
  return result;
}

function resolveText(text: string, path: Path, state: State): string {
  const names: string[] = [];
  let problem: string | undefined;
  let isUnknown = false;
  const resolved = text.replace(REFERENCE, (reference: string, inner: string | undefined, end: string) => {
    if (inner === undefined) return '${';
    const [, name, initial] = NAME_AND_DEFAULT.exec(inner) ?? [];
    if (end === '' || name === undefined) problem ??= NO_VARIABLE;
    else if (initial?.includes('${')) problem ??= NESTED;
    if (problem !== undefined || name === undefined) return reference;
    const isRepeated = names.includes(name);
    names.push(name);
    const found = valueOf(name, initial, path, state, isRepeated);
    isUnknown ||= found === undefined;
    return found ?? '';
  });
  if (problem !== undefined) state.findings.push({ path, message: problem });
  if (names.length > 0) state.references.push({ path, text, names });
  return problem !== undefined || isUnknown ? `${UNRESOLVED}${path.join('.')}` : resolved;
}

function valueOf(
  name: string,
  initial: string | undefined,
  path: Path,
  { env, unset }: State,
  isReported: boolean,
): string | undefined {
  const value: unknown = env?.[name];
  if (typeof value === 'string' && value !== '') return value;
  if (env !== null && initial !== undefined) return initial;
  if (!isReported) {
    const what = `the variable ${name} is ${value === '' ? 'empty' : 'not set'}`;
    unset.push({ path, what, variable: name, remedy: 'set it' });
  }
  return undefined;
}

/** The string of an object that has this one field only; the schema reports anything else. */
function onlyText(value: object, field: string): string | undefined {
  const [[key, text] = [], ...others] = Object.entries(value);
  return key === field && others.length === 0 && typeof text === 'string' ? text : undefined;
}

function isKeyList(path: Path): boolean {
  return path.length === 3 && path[0] === 'pools' && path[2] === 'keys';
}

/** Where a secret of a key stands. */
function isSecret([root, , list, index, field, ...rest]: Path): boolean {
  if (root !== 'pools' || list !== 'keys' || typeof index !== 'number') return false;
  return field === 'value' || field === 'totp' ? rest.length === 0 : field === 'fields' && rest.length === 1;
}

function resolveFile(text: string, path: Path, state: State): string {
  const named = text.includes('${') ? resolveText(text, path, state) : text;
  const unresolved = `${UNRESOLVED}${path.join('.')}`;
  if (!isResolved(named)) return unresolved;
  if (state.env === null) {
    state.unset.push({ path, what: '', remedy: '' });
    return unresolved;
  }
  const file = absolute(state.folderOf(path), named);
  const { stamp, value, problem } = readValueFile(file);
  state.files.push({ path: file, stamp });
  if (value !== undefined) return value;
  state.unset.push({ path, what: `the file ${file} ${problem}`, remedy: 'write the value into it' });
  return unresolved;
}

function resolveList(value: object, name: string, path: Path, state: State): unknown {
  state.lists.set(String(path[1]), name);
  const at = [...path, 'fromEnv'];
  const content = valueOf(name, undefined, at, state, false);
  const keys = content === undefined ? undefined : parseList(content.trim());
  if (keys !== undefined && keys.length > 0) return keys;
  if (content !== undefined) {
    const needs = 'a JSON array of keys, or values separated by commas or line breaks';
    state.findings.push({ path: at, message: `the variable ${name} must hold ${needs}` });
  }
  return value;
}

function parseList(content: string): unknown[] | undefined {
  if (content.startsWith('{')) return undefined;
  if (!content.startsWith('[')) return content.split(/[,\r\n]/).flatMap((item) => item.trim() || []);
  try {
    const parsed: unknown = JSON.parse(content);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    // The parser's own message would quote the secrets.
    return undefined;
  }
}
