import { type MemberKind } from '../../core/types.ts';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import * as jsonc from 'jsonc-parser';
import { GembaError } from '../../core/errors.ts';
import { withoutMark } from '../../shared/decode-text.ts';
import { writeWholeSync } from '../../shared/write-whole.ts';
import { asObject, items, partAt, textOf } from '../json.ts';
import { readSource } from '../layers.ts';
import { checkSource } from '../load.ts';
import { type ConfigDocument, documentOf, originalAt } from '../merge.ts';
import { configError, type Path } from '../problems.ts';
import { ADDRESS, hostOf } from '../schema/addresses.ts';
import { suggest } from '../../shared/suggest.ts';
import { type ConfigLayer, type ConfigSource, sourceOf, textRevision } from '../source.ts';
import { isResolved, resolveVariables } from '../variables.ts';
import type { Env } from '../../shared/env.ts';

/** What can be changed of a member. Null takes the field out of the files, so that its default counts. */
interface MemberEdit {
  readonly enabled?: boolean | null | undefined;
  /** 0 drains it: no new leases. Default: 1. */
  readonly weight?: number | null | undefined;
  /** Leases at once. Default: no limit. */
  readonly maxConcurrent?: number | null | undefined;
  /** Requests per minute. Default: no limit. */
  readonly rpm?: number | null | undefined;
}

/** A change of one member of a configuration. */
export interface ConfigEdit {
  readonly pool: string;
  readonly kind: MemberKind;
  /** As reports show it. */
  readonly name: string;
  readonly set: MemberEdit;
}

/** A configuration after an edit. */
export interface EditedConfig {
  readonly revision: string;
  /** The files that were written. */
  readonly files: readonly string[];
}

const FIELDS = ['enabled', 'weight', 'maxConcurrent', 'rpm'] as const;

/**
 * Writes a change of a member into the files of a configuration, which keep their comments, order and layout. A field is
 * changed where it stands; a new one comes into the upper file of those that name the member. Each file is written whole,
 * or not at all: with `GEMBA_CONFIG_CHANGED` where the configuration is not of `expectedRevision` any more, with
 * `GEMBA_CONFIG_INVALID` where it would not be valid after it. `env` resolves what members are named by, such as an
 * address; default: nothing.
 *
 * @example
 * editConfig(path, revision, { pool: 'api', kind: 'key', name: 'ci-1', set: { maxConcurrent: 2 } });
 */
export function editConfig(
  path: string,
  expectedRevision: string,
  edit: ConfigEdit,
  env: Env = {},
): EditedConfig {
  const source = readSource(path);
  if (source.revision !== textRevision(expectedRevision)) throw changed(path);
  const after = sourceOf(edited(path, source, edit, env));
  const files = source.layers.filter((layer, index) => layer.text !== after.layers[index]!.text);
  if (files.length === 0) return { revision: expectedRevision, files: [] };
  checkSource(after);
  for (const [index, layer] of source.layers.entries()) {
    if (files.includes(layer)) replace(layer, after.layers[index]!.text, () => changed(path));
  }
  return { revision: after.revision, files: files.map((layer) => layer.path) };
}

/** Names of the pools whose keys stand in a variable, not in a file. */
export function keysFromVariables(layers: readonly ConfigLayer[]): ReadonlySet<string> {
  const document = documentOf(sourceOf(layers));
  return new Set(resolveVariables(document.value, null, document.folderOf).lists.keys());
}

function replace({ path, text: before }: ConfigLayer, after: string, wasChanged: () => GembaError): void {
  // A link stays one: its target is what is replaced.
  const file = realpathSync(path);
  writeWholeSync(file, after, {
    mode: statSync(file).mode,
    flush: true,
    beforeReplace: () => {
      if (readFileSync(file, 'utf8') !== before) throw wasChanged();
    },
  });
}

/** The files as they are after the edit. */
function edited(path: string, source: ConfigSource, edit: ConfigEdit, env: Env): ConfigLayer[] {
  const document = documentOf(source);
  if (document.broken) throw configError(path, document, document.findings);
  const place = placeOf(path, document, edit, env);
  const { set } = edit;
  const current = asObject(partAt(document.value, place));
  const texts = new Map(source.layers.map((layer) => [layer.path, layer.text]));
  for (const field of FIELDS) {
    const value = set[field];
    if (value === undefined || (value ?? undefined) === current[field]) continue;
    const origins = document.originsOf(place);
    const having = origins.filter((origin) => asObject(originalAt(origin))[field] !== undefined);
    const targets = value === null ? having : [having[0] ?? origins[0]!];
    for (const { layer, path: at } of targets) {
      const text = texts.get(layer.path)!;
      texts.set(layer.path, withField(text, at, field, value ?? undefined, edit.kind));
    }
  }
  return source.layers.map((layer) => ({ ...layer, text: texts.get(layer.path)! }));
}

/** A text with one field of a member changed; undefined takes it out. */
function withField(fileText: string, at: Path, field: string, value: unknown, kind: MemberKind): string {
  let text = withoutMark(fileText);
  const mark = fileText.slice(0, fileText.length - text.length);
  const layout = layoutOf(text);
  const change = (path: Path, content: unknown): void => {
    const options = isOnOneLine(text, at) ? {} : { formattingOptions: layout };
    const edits = jsonc.modify(text, [...path], content, options).map(spaced);
    text = jsonc.applyEdits(text, edits);
  };
  const root = jsonc.parseTree(text, [], { allowTrailingComma: true });
  const member = root && jsonc.findNodeAtLocation(root, [...at]);
  // A member that is written as one string needs its long form before it can have a field.
  if (member?.type === 'string') change(at, { [kind === 'endpoint' ? 'url' : 'value']: member.value });
  change([...at, field], value);
  return mark + text;
}

/** Where a member stands in the merged value. */
function placeOf(path: string, document: ConfigDocument, { pool, kind, name }: ConfigEdit, env: Env): Path {
  const pools = asObject(asObject(document.value)['pools']);
  if (!Object.hasOwn(pools, pool)) {
    const known = suggest(pool, Object.keys(pools));
    throw new GembaError('GEMBA_POOL_UNKNOWN', `${basename(path)} has no pool "${pool}"; ${known}.`);
  }
  const list = kind === 'endpoint' ? 'endpoints' : 'keys';
  const variable = textOf(asObject(pools[pool])[list], 'fromEnv');
  if (variable !== undefined) {
    throw new GembaError(
      'GEMBA_USAGE',
      `The keys of pool "${pool}" come from the variable ${variable}, so they cannot be changed in ${basename(path)}.`,
    );
  }
  const { value } = resolveVariables(document.value, env, document.folderOf);
  const shown = items(asObject(asObject(asObject(value)['pools'])[pool])[list]);
  const names = shown.map((member, index) => nameOf(kind, member, index));
  const index = names.indexOf(name);
  if (index !== -1) return ['pools', pool, list, index];
  const known = suggest(
    name,
    names.filter((each) => each !== ''),
  );
  throw new GembaError(
    'GEMBA_USAGE',
    `Pool "${pool}" of ${basename(path)} has no ${kind} "${name}"; ${known}.`,
  );
}

/** The name of a member; empty where only an environment has it. */
function nameOf(kind: ConfigEdit['kind'], member: unknown, index: number): string {
  const own = textOf(member, 'name');
  if (own !== undefined) return isResolved(own) ? own : '';
  if (kind === 'key') return `key-${index + 1}`;
  const url = (typeof member === 'string' ? member : (textOf(member, 'url') ?? '')).trim();
  return ADDRESS.test(url) && URL.canParse(url) ? hostOf(url) : '';
}

function isOnOneLine(text: string, at: Path): boolean {
  const root = jsonc.parseTree(text, [], { allowTrailingComma: true });
  const node = root && jsonc.findNodeAtLocation(root, [...at]);
  return node !== undefined && !text.slice(node.offset, node.offset + node.length).includes('\n');
}

/** As people write it: without a layout the library leaves no space. */
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
    `${basename(path)} was changed meanwhile, so nothing was written. Look at it again, and repeat the change.`,
  );
}
