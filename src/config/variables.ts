import type { Finding, Path } from './problems.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** A config file's value with its variables filled in. A text with an unset variable is no text that could pass. */
export interface Resolution {
  readonly value: unknown;
  readonly unset: readonly UnsetVariable[];
  /** Wrong references, and variables that hold no list of keys. */
  readonly findings: readonly Finding[];
  readonly references: readonly Reference[];
  /** The variable of each pool whose keys come `fromEnv`. */
  readonly lists: ReadonlyMap<string, string>;
}

/** A text that holds variables, as the file has it. */
export interface Reference {
  readonly path: Path;
  readonly text: string;
  readonly names: readonly string[];
}

export interface UnsetVariable {
  readonly path: Path;
  readonly name: string;
  /** Set, but to nothing. */
  readonly empty: boolean;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_]\w*$/;
const NO_VARIABLE = 'holds a "${" that is no variable; write ${NAME}, or $${ for the characters themselves';
/** Begins what stands in for a text that cannot be resolved: equal to no other text, and valid as nothing. */
const UNRESOLVED = '\0';

export function resolveVariables(value: unknown, env: Env): Resolution {
  const state: State = { env, unset: [], findings: [], references: [], lists: new Map() };
  return { value: resolve(value, [], state), ...state };
}

/** False for what stands in for a text whose variables are not set. */
export function isResolved(text: string): boolean {
  return !text.startsWith(UNRESOLVED);
}

interface State {
  readonly env: Env;
  readonly unset: UnsetVariable[];
  readonly findings: Finding[];
  readonly references: Reference[];
  readonly lists: Map<string, string>;
}

function resolve(value: unknown, path: Path, state: State): unknown {
  if (typeof value === 'string') return value.includes('${') ? resolveText(value, path, state) : value;
  if (Array.isArray(value)) return value.map((item, index) => resolve(item, [...path, index], state));
  if (typeof value !== 'object' || value === null) return value;
  const name =
    path.length === 3 && path[0] === 'pools' && path[2] === 'keys' ? variableOfList(value) : undefined;
  if (name !== undefined) return resolveList(value, name, path, state);
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, field] of Object.entries(value)) result[key] = resolve(field, [...path, key], state);
  return result;
}

function resolveText(text: string, path: Path, state: State): string {
  const names: string[] = [];
  let wrong = false;
  let unknown = false;
  const resolved = text.replace(REFERENCE, (reference: string, name: string | undefined, end: string) => {
    if (name === undefined) return '${';
    wrong ||= end === '' || !NAME.test(name);
    if (wrong) return reference;
    const found = names.includes(name) ? state.env[name] : lookUp(name, path, state);
    names.push(name);
    unknown ||= found === undefined || found === '';
    return found ?? '';
  });
  if (wrong) state.findings.push({ path, message: NO_VARIABLE });
  if (names.length > 0) state.references.push({ path, text, names });
  return wrong || unknown ? `${UNRESOLVED}${path.join('.')}` : resolved;
}

function lookUp(name: string, path: Path, { env, unset }: State): string | undefined {
  const value: unknown = env[name];
  if (typeof value === 'string' && value !== '') return value;
  unset.push({ path, name, empty: value === '' });
  return undefined;
}

/** The variable of `{ "fromEnv": "NAME" }`; anything else is the schema's to judge. */
function variableOfList(value: object): string | undefined {
  const [[key, name] = [], ...others] = Object.entries(value);
  return key === 'fromEnv' && others.length === 0 && typeof name === 'string' && NAME.test(name)
    ? name
    : undefined;
}

function resolveList(value: object, name: string, path: Path, state: State): unknown {
  state.lists.set(String(path[1]), name);
  const at = [...path, 'fromEnv'];
  const content = lookUp(name, at, state);
  const keys = content === undefined ? undefined : parseList(content.trim());
  if (keys !== undefined && keys.length > 0) return keys;
  if (content !== undefined) {
    const needs = 'a JSON array of keys, or a list of values split by commas or lines';
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
