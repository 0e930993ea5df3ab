import { count, counted } from '../../shared/format.ts';
import { plainLine } from '../../shared/sanitize.ts';
import { type Leak, type Findings, type LeakPlace, typedLeaks } from './findings.ts';
import type { Where } from './locate.ts';

export interface ScanView {
  readonly folder: string;
  readonly findings: Findings;
  /** Number of secrets of the configuration. */
  readonly keys: number;
  /** Secrets that are too short to be searched for. */
  readonly tooShort: readonly string[];
  /** Skipped pools, with the reason. */
  readonly leftOut: readonly string[];
  /** Takes every secret out of a text: names of files, tests and steps may hold one. */
  readonly redact: (text: string) => string;
}

/** Places of one secret that are printed; more are counted. */
const MAX_WHERE = 3;
const TYPED = `Typed by a test: Playwright shows what a test types in titles of steps, and keeps it in traces. Advice:
docs/security.md#passwords-that-a-test-types`;

/** `gemba scan --json`. */
export function scanJson(view: ScanView): object {
  const { findings, redact } = view;
  const { list, unfinished, read, links, own } = findings;
  const place = ({ file, inner }: LeakPlace): object => ({ file: redact(file), inner: inner.map(redact) });
  const typed = typedLeaks(list);
  return {
    schema: 'gemba-scan/1',
    folder: view.folder,
    clean: list.length === 0 && unfinished.length === 0,
    searched: { ...read, keys: view.keys - view.tooShort.length },
    findings: list.map((leak) => {
      const { line, offset, secret, form, count: times, where } = leak;
      return {
        ...place(leak),
        line,
        offset,
        key: secret.name,
        fingerprint: secret.fingerprint,
        form,
        count: times,
        typed: typed.has(leak),
        where: where.map(({ test, step }) => ({ test: redact(test), step: step && redact(step) })),
      };
    }),
    unfinished: unfinished.map((stopped) => ({ ...place(stopped), why: redact(stopped.why) })),
    notSearched: { tooShort: view.tooShort, pools: view.leftOut, files: own, links },
  };
}

export function scanText(view: ScanView): string {
  const { findings, redact } = view;
  const { list, unfinished } = findings;
  const typed = typedLeaks(list);
  const linesOf = (leaks: readonly Leak[]): string[] => leaks.flatMap((leak) => leakLines(leak, redact));
  const stopped = unfinished.map(
    (each) => `${placeOf(each, redact)}: not searched to the end: ${plainLine(redact(each.why))}`,
  );
  const sections = [
    linesOf(list.filter((leak) => !typed.has(leak))),
    typed.size === 0 ? [] : [TYPED, ...linesOf([...typed])],
    stopped,
    [...notesOf(view), conclusion(view, typed.size)],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function leakLines(leak: Leak, redact: ScanView['redact']): string[] {
  const { secret, form, count: times, where } = leak;
  const shown = secret.fingerprint === null ? secret.name : `${secret.name} [${secret.fingerprint}]`;
  const often = times > 1 ? `, ${count(times)} times` : '';
  const lines = where.slice(0, MAX_WHERE).map((each) => `    ${plainLine(redact(whereText(each)))}`);
  const more = where.length - MAX_WHERE;
  return [
    `${placeOf(leak, redact)}: the value of ${shown}, ${form}${often}`,
    ...lines,
    ...(more > 0 ? [`    and ${counted(more, 'other place')}`] : []),
  ];
}

function whereText({ test, step }: Where): string {
  return step === null ? `test: ${test}` : `test: ${test}, step: ${step}`;
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
  if (tooShort.length > 0)
    notes.push(`Not searched for, since too short to be recognised: ${tooShort.join(', ')}`);
  if (leftOut.length > 0) notes.push(`Not searched for, since their pool is skipped: ${leftOut.join('; ')}`);
  if (own.length > 0) notes.push(`Not searched, since the keys come from there: ${own.join(', ')}`);
  if (links > 0) notes.push(`Not followed: ${counted(links, 'link')}.`);
  return notes;
}

function conclusion(
  { findings: { list, unfinished, read }, keys, tooShort }: ScanView,
  typed: number,
): string {
  const inside = read.inner === 0 ? '' : ` and ${count(read.inner)} inside them`;
  const searched = `Searched ${counted(read.files, 'file')}${inside} for ${counted(keys - tooShort.length, 'secret')}`;
  if (list.length > 0) {
    const files = new Set(list.map(({ file }) => file)).size;
    const found = new Set(list.map(({ secret }) => secret.name)).size;
    const only = typed === list.length ? ', only where a test typed it' : '';
    return `${searched}: ${counted(found, 'secret was', 'secrets were')} found, in ${counted(files, 'file')}${only}.`;
  }
  if (unfinished.length === 0) return `${searched}: none was found.`;
  return `${searched}: none was found, but not everything could be searched.`;
}
