import { count, counted } from '../../shared/format.ts';
import { plainLine } from '../../shared/sanitize.ts';
import type { Leak, Findings, LeakPlace } from './findings.ts';

export interface ScanView {
  readonly folder: string;
  readonly findings: Findings;
  /** Secrets of the configuration. */
  readonly keys: number;
  /** Keys whose values are too short to be looked for. */
  readonly tooShort: readonly string[];
  /** Pools whose variables are not set, with the reason. */
  readonly leftOut: readonly string[];
  /** Takes every secret out of a text: also names of files may hold one. */
  readonly redact: (text: string) => string;
}

/** `gemba scan --json`. */
export function scanJson(view: ScanView): object {
  const { findings, redact } = view;
  const { list, unfinished, read, links, own } = findings;
  const place = ({ file, inner }: LeakPlace): object => ({ file: redact(file), inner: inner.map(redact) });
  return {
    schema: 'gemba-scan/1',
    folder: view.folder,
    clean: list.length === 0 && unfinished.length === 0,
    searched: { ...read, keys: view.keys - view.tooShort.length },
    findings: list.map(({ file, inner, ...rest }) => ({ ...place({ file, inner }), ...rest })),
    unfinished: unfinished.map((stopped) => ({ ...place(stopped), why: redact(stopped.why) })),
    notSearched: { tooShort: view.tooShort, pools: view.leftOut, files: own, links },
  };
}

export function scanText(view: ScanView): string {
  const { findings, redact } = view;
  const { list, unfinished } = findings;
  const lines = [
    ...list.map((finding) => `${placeOf(finding, redact)}: ${describe(finding)}`),
    ...(list.length > 0 && unfinished.length > 0 ? [''] : []),
    ...unfinished.map(
      (stopped) => `${placeOf(stopped, redact)}: not searched to the end: ${plainLine(redact(stopped.why))}`,
    ),
    ...(list.length + unfinished.length > 0 ? [''] : []),
    ...notesOf(view),
    conclusion(view),
  ];
  return `${lines.join('\n')}\n`;
}

function describe({ key, fingerprint, form, count: times }: Leak): string {
  const shown = fingerprint === null ? key : `${key} [${fingerprint}]`;
  return `the value of ${shown}, ${form}${times > 1 ? `, ${count(times)} times` : ''}`;
}

function placeOf(
  place: LeakPlace & Partial<Pick<Leak, 'line' | 'offset'>>,
  redact: ScanView['redact'],
): string {
  const path = [place.file, ...place.inner].map((part) => plainLine(redact(part))).join(' › ');
  if (place.line === undefined) return path;
  return place.line === null ? `${path} (its name)` : `${path}:${place.line} (byte ${place.offset})`;
}

function notesOf({ tooShort, leftOut, findings: { links, own } }: ScanView): string[] {
  const notes: string[] = [];
  if (tooShort.length > 0) notes.push(`Too short to be looked for: ${tooShort.join(', ')}`);
  if (leftOut.length > 0) notes.push(`Keys of these pools were not looked for: ${leftOut.join('; ')}`);
  if (own.length > 0) notes.push(`Left out, since the keys come from there: ${own.join(', ')}`);
  if (links > 0) notes.push(`${counted(links, 'link was', 'links were')} not followed.`);
  return notes;
}

function conclusion({ findings: { list, unfinished, read }, keys, tooShort }: ScanView): string {
  const inside = read.inner === 0 ? '' : ` and ${count(read.inner)} inside them`;
  const searched = `Searched ${counted(read.files, 'file')}${inside} for ${counted(keys - tooShort.length, 'secret')}`;
  if (list.length > 0) {
    const files = new Set(list.map(({ file }) => file)).size;
    const found = new Set(list.map(({ key }) => key)).size;
    return `${searched}: ${counted(found, 'key was', 'keys were')} found, in ${counted(files, 'file')}.`;
  }
  if (unfinished.length === 0) return `${searched}: none was found.`;
  return `${searched}: none was found, but not everything could be searched.`;
}
