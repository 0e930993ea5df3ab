import { dirname, resolve } from 'node:path';
import { GembaError, withoutCode } from '../core/errors.ts';
import { asObject } from './json.ts';
import { parseText, type ParsedText } from './parsed-text.ts';
import { configError, type Finding } from './problems.ts';
import { type ConfigLayer, type ConfigSource, readConfigText, singleSource, sourceOf } from './source.ts';
import { stampOf } from '../shared/file-stamp.ts';

/*
 * A configuration may extend other files: `"extends": "./base.json"`. This file finds and reads them; merge.ts makes one
 * value of them. Which files they are depends on the texts alone, never on variables: the broker, which has no variables,
 * reads them, too.
 */

const MAX_LAYERS = 50;
const MAX_CHARACTERS = 1024 * 1024;
/** So often a configuration is read again that changes while it is read. */
const MAX_READINGS = 5;
const NEEDS = 'must be a path or an array of paths, such as "./base.json"';
const NO_VARIABLE =
  'must not have a variable; to have several environments, write a file for each that extends this one';

const parsed = new WeakMap<ConfigLayer, ParsedText>();

/** The text of a layer as a value; parsed once. */
export function parsedLayer(layer: ConfigLayer): ParsedText {
  const known = parsed.get(layer) ?? parseText(layer.text);
  parsed.set(layer, known);
  return known;
}

/** The files that a layer extends, in its order. */
export function basesOf(layer: ConfigLayer): string[] {
  return referencesOf(layer).flatMap(({ file }) => file ?? []);
}

/**
 * Reads a configuration: its file and all that it extends, as they are at one moment. Throws what is wrong with them as
 * files. `looked` gets each path that was tried, also where reading fails: a change there may repair it.
 */
export function readSource(path: string, looked: Set<string> = new Set()): ConfigSource {
  for (let count = 1; ; count++) {
    const reading = new Reading();
    try {
      reading.read(path, []);
    } finally {
      looked.clear();
      for (const file of reading.stamps.keys()) looked.add(file);
    }
    const { layers, findings, stamps } = reading;
    const isStable = layers.length === 1 || [...stamps].every(([file, stamp]) => stampOf(file) === stamp);
    if (!isStable && count < MAX_READINGS) continue;
    const broken = layers.flatMap((layer) => textFindings(layer));
    if (findings.length > 0) throw configError(path, layerLocator(layers), [...findings, ...broken]);
    return sourceOf(layers);
  }
}

/** What is wrong with the text of a layer, whatever it means. */
export function textFindings(layer: ConfigLayer): Finding[] {
  return parsedLayer(layer).findings.map((finding) => ({ ...finding, file: layer.path }));
}

/** Locates findings that say which file they are in. */
export function layerLocator(layers: readonly ConfigLayer[]): Parameters<typeof configError>[1] {
  return {
    locate: (finding) => {
      const layer = layers.find(({ path }) => path === finding.file) ?? layers[0]!;
      return { file: layer.path, ...parsedLayer(layer).locate(finding) };
    },
  };
}

/** One reading of all files. */
class Reading {
  readonly layers: ConfigLayer[] = [];
  readonly findings: Finding[] = [];
  /** Of each file that was tried, before it was read. */
  readonly stamps = new Map<string, string>();
  #characters = 0;

  read(path: string, way: readonly string[]): void {
    this.stamps.set(path, stampOf(path));
    const layer = { path, text: readConfigText(path) };
    this.layers.push(layer);
    this.#characters += layer.text.length;
    if (singleSource(path, layer.text)) return;
    for (const { file, problem, index } of referencesOf(layer)) {
      const why = problem ?? this.#follow(file!, [...way, path]);
      const at = index === null ? ['extends'] : ['extends', index];
      if (why !== undefined) this.findings.push({ path: at, message: why, file: path });
    }
  }

  /** Reads a base where that was not done before; returns what is wrong with it. */
  #follow(file: string, way: readonly string[]): string | undefined {
    if (way.includes(file)) return `leads back to this file: ${[...way, file].join(' → ')}`;
    if (this.stamps.has(file)) return undefined;
    if (this.layers.length >= MAX_LAYERS) return `is one file too many; at most ${MAX_LAYERS} are read`;
    try {
      this.read(file, way);
    } catch (error) {
      if (!GembaError.is(error)) throw error;
      const isMissing = error.code === 'GEMBA_CONFIG_NOT_FOUND';
      return isMissing ? `names ${file}, but there is no such file` : `names ${file}: ${reasonOf(error)}`;
    }
    return this.#characters > MAX_CHARACTERS ? 'makes the configuration larger than 1 MB' : undefined;
  }
}

interface BaseReference {
  readonly file: string | null;
  readonly problem?: string;
  /** Its place in the array; null where `extends` is one path. */
  readonly index: number | null;
}

function referencesOf(layer: ConfigLayer): BaseReference[] {
  const given = asObject(parsedLayer(layer).value)['extends'];
  if (given === undefined) return [];
  const reference = (path: unknown, index: number | null): BaseReference => {
    if (typeof path !== 'string' || path === '') return { file: null, problem: NEEDS, index };
    if (path.includes('${')) return { file: null, problem: NO_VARIABLE, index };
    return { file: resolve(dirname(layer.path), path), index };
  };
  return Array.isArray(given) ? given.map(reference) : [reference(given, null)];
}

/** What is wrong with a file, without the name of it. */
function reasonOf(error: GembaError): string {
  const { problems } = error as { problems?: readonly { readonly message: string }[] };
  return problems?.[0]?.message ?? withoutCode(error.message);
}
