import { type MemberKind } from '../../core/types.ts';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import jsonc from 'jsonc-parser';
import { GembaError } from '../../core/errors.ts';
import { ADDRESS, hostOf } from '../schema/addresses.ts';
import { parseDocument } from '../document.ts';
import { suggest } from '../schema/fields.ts';
import { checkConfigText } from '../load.ts';
import { asObject, isObject, items, textOf, type Loose } from '../json.ts';
import { configError } from '../problems.ts';
import { writeWholeSync } from '../../shared/write-whole.ts';
import { readConfigText, revisionOf } from '../read.ts';
import { type Env, isResolved, resolveVariables } from '../variables.ts';

/** What can be changed of a member. Null takes the field out of the file, so that its default counts. */
interface MemberEdit {
  readonly enabled?: boolean | null | undefined;
  /** 0 drains it: no new leases. Default: 1. */
  readonly weight?: number | null | undefined;
  /** Leases at once. Default: no limit. */
  readonly maxConcurrent?: number | null | undefined;
  /** Calls per minute. Default: no limit. */
  readonly rpm?: number | null | undefined;
}

/** A change of one member of a config file. */
export interface ConfigEdit {
  readonly pool: string;
  readonly kind: MemberKind;
  /** As reports show it. */
  readonly name: string;
  readonly set: MemberEdit;
}

type PathStep = string | number;

const FIELDS = ['enabled', 'weight', 'maxConcurrent', 'rpm'] as const;

/**
 * Writes a change of a member into the config file, which keeps its comments, order and layout. It is written whole
 * or not at all: with `GEMBA_CONFIG_CHANGED` where the file is not of `expectedRevision` any more, with
 * `GEMBA_CONFIG_INVALID` where it would not be valid after it. `env` resolves what members are named by, such as an
 * address; default: nothing. Returns the file's new revision.
 *
 * @example
 * editConfig(path, revision, { pool: 'api', kind: 'key', name: 'ci-1', set: { maxConcurrent: 2 } });
 */
export function editConfig(path: string, expectedRevision: string, edit: ConfigEdit, env: Env = {}): string {
  // A link stays one: its target is what is replaced.
  const file = realpathSync(path);
  const before = readConfigText(file);
  if (revisionOf(before) !== expectedRevision) throw changed(path);
  const after = edited(path, before, edit, env);
  if (after === before) return expectedRevision;
  checkConfigText(path, after);
  writeWholeSync(file, after, {
    mode: statSync(file).mode,
    flush: true,
    beforeReplace: () => {
      if (readFileSync(file, 'utf8') !== before) throw changed(path);
    },
  });
  return revisionOf(after);
}

/** Names of the pools whose keys stand in a variable, not in the file. */
export function keysFromVariables(text: string): ReadonlySet<string> {
  return new Set(resolveVariables(parseDocument(text).value, {}).lists.keys());
}

function edited(path: string, fileText: string, edit: ConfigEdit, env: Env): string {
  const [start] = /^\uFEFF?/.exec(fileText) ?? [''];
  let text = fileText.slice(start.length);
  const document = parseDocument(text);
  if (document.broken) throw configError(path, document, document.findings);
  const place = placeOf(path, document.value, edit, env);
  const layout = layoutOf(text);
  const change = (at: PathStep[], value: unknown): void => {
    const options = isOnOneLine(text, place.at) ? {} : { formattingOptions: layout };
    const edits = jsonc.modify(text, at, value, options).map(spaced);
    text = jsonc.applyEdits(text, edits);
  };
  if (place.short !== undefined) change(place.at, place.short);
  for (const field of FIELDS) {
    const value = edit.set[field];
    if (value !== undefined && (value ?? undefined) !== place.fields[field])
      change([...place.at, field], value ?? undefined);
  }
  return start + text;
}

interface MemberLocation {
  readonly at: PathStep[];
  readonly fields: Loose;
  /** The long form of a member that is written as one text; it has to have it before it can have a field. */
  readonly short?: Loose;
}

function placeOf(
  path: string,
  value: unknown,
  { pool, kind, name, set }: ConfigEdit,
  env: Env,
): MemberLocation {
  const pools = asObject(asObject(value)['pools']);
  if (!Object.hasOwn(pools, pool)) {
    const known = suggest(pool, Object.keys(pools));
    throw new GembaError('GEMBA_POOL_UNKNOWN', `${basename(path)} has no pool "${pool}"; ${known}.`);
  }
  const list = kind === 'endpoint' ? 'endpoints' : 'keys';
  const given = asObject(pools[pool])[list];
  const variable = textOf(given, 'fromEnv');
  if (variable !== undefined) {
    throw new GembaError(
      'GEMBA_USAGE',
      `The keys of pool "${pool}" come from the variable ${variable}, so they cannot be changed in ${basename(path)}.`,
    );
  }
  const resolved = asObject(asObject(resolveVariables(value, env).value)['pools']);
  const shown = items(asObject(resolved[pool])[list]);
  const names = shown.map((member, index) => nameOf(kind, member, index));
  const index = names.indexOf(name);
  if (index === -1) {
    const known = suggest(
      name,
      names.filter((each) => each !== ''),
    );
    throw new GembaError(
      'GEMBA_USAGE',
      `Pool "${pool}" of ${basename(path)} has no ${kind} "${name}"; ${known}.`,
    );
  }
  const member = items(given)[index];
  const at = ['pools', pool, list, index];
  if (isObject(member)) return { at, fields: member };
  const isSame = FIELDS.every((field) => (set[field] ?? undefined) === undefined);
  return isSame
    ? { at, fields: {} }
    : { at, fields: {}, short: { [kind === 'endpoint' ? 'url' : 'value']: member } };
}

/** The name that a member goes by; empty where only an environment knows it. */
function nameOf(kind: ConfigEdit['kind'], member: unknown, index: number): string {
  const own = textOf(member, 'name');
  if (own !== undefined) return isResolved(own) ? own : '';
  if (kind === 'key') return `key-${index + 1}`;
  const url = (typeof member === 'string' ? member : (textOf(member, 'url') ?? '')).trim();
  return ADDRESS.test(url) && URL.canParse(url) ? hostOf(url) : '';
}

function isOnOneLine(text: string, at: PathStep[]): boolean {
  const root = jsonc.parseTree(text, [], { allowTrailingComma: true });
  const node = root && jsonc.findNodeAtLocation(root, at);
  return node !== undefined && !text.slice(node.offset, node.offset + node.length).includes('\n');
}

/** As people write it: the library leaves no space where it is told no layout. */
function spaced(edit: jsonc.Edit): jsonc.Edit {
  const short = /^\{("[^"]+"):(.*)\}$/.exec(edit.content);
  if (short) return { ...edit, content: `{ ${short[1]}: ${short[2]} }` };
  return { ...edit, content: edit.content.replace(/^,"/, ', "') };
}

/** The layout of the first line that is indented. */
function layoutOf(text: string): jsonc.FormattingOptions {
  const [, indent = '  '] = /^([ \t]+)\S/m.exec(text) ?? [];
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol,
  };
}

function changed(path: string): GembaError {
  return new GembaError(
    'GEMBA_CONFIG_CHANGED',
    `${basename(path)} was changed meanwhile, so nothing was written. Look at what it is now, and change that.`,
  );
}
