import * as jsonc from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import { withoutMark } from '../shared/decode-text.ts';
import type { Finding, Path } from './problems.ts';

/** The text of a file of the configuration as a value, with the place of everything in it. */
export interface ParsedText {
  readonly value: unknown;
  /** What is wrong with the text itself. Where `broken`, there is no value. */
  readonly findings: readonly Finding[];
  readonly broken: boolean;
  locate(finding: Finding): { readonly path: Path; readonly line: number; readonly column: number };
}

const MAX_SYNTAX_FINDINGS = 10;

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is not a JSON value; strings need double quotes',
  InvalidNumberFormat: 'this is not a number',
  PropertyNameExpected: 'the name of a field, in double quotes, is expected here',
  ValueExpected: 'a value is expected here',
  ColonExpected: 'a ":" is expected here',
  CommaExpected: 'a "," or a closing bracket is expected before this',
  CloseBraceExpected: 'a "}" is expected here',
  CloseBracketExpected: 'a "]" is expected here',
  EndOfFileExpected: 'nothing may follow the end of the configuration',
  InvalidCommentToken: 'this is not a comment; write // or /* … */',
  UnexpectedEndOfComment: 'this comment has no end',
  UnexpectedEndOfString: 'this string has no closing quote',
  UnexpectedEndOfNumber: 'this number has no end',
  InvalidUnicode: '\\u needs four hex digits',
  InvalidEscapeCharacter: 'this is not an escape sequence; write \\\\ for a backslash',
  InvalidCharacter: 'a string must not contain a control character; write \\n, \\t or \\uXXXX',
};

export function parseText(fileText: string): ParsedText {
  const text = withoutMark(fileText);
  const findings: Finding[] = [];
  const place = placesIn(text);
  let root: Node | undefined;
  let value: unknown;
  try {
    const errors: ParseError[] = [];
    root = jsonc.parseTree(text, errors, { allowTrailingComma: true });
    findings.push(...syntaxFindings(errors, place, root));
    if (findings.length === 0) value = toValue(root, [], findings);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    root = undefined;
    findings.push({ path: [], message: 'the file is nested too deeply', offset: 0 });
  }
  const broken = findings.some((finding) => finding.path.length === 0);
  return { value, findings, broken, locate: (finding) => locate(place, root, finding) };
}

function syntaxFindings(errors: readonly ParseError[], place: PlaceOf, root: Node | undefined): Finding[] {
  if (root === undefined)
    return [{ path: [], message: 'the file is empty; a configuration is an object: { … }', offset: 0 }];
  const lines = new Set<number>();
  // One mistake causes several errors of the parser; the first one of a line shows it.
  const first = errors.filter(({ offset }) => {
    const { line } = place(offset);
    return !lines.has(line) && lines.add(line);
  });
  return first.slice(0, MAX_SYNTAX_FINDINGS).map(({ error, offset }) => ({
    path: [],
    message: SYNTAX[jsonc.printParseErrorCode(error)] ?? 'this is not valid JSON',
    offset,
  }));
}

/** As plain data. Objects have no prototype, so that no name in a file can reach one. */
function toValue(node: Node | undefined, path: Path, findings: Finding[]): unknown {
  if (node?.type === 'array')
    return (node.children ?? []).map((item, index) => toValue(item, [...path, index], findings));
  if (node?.type !== 'object') return node?.value;
  const result: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    const name = String(key?.value);
    const report = (message: string): void => {
      findings.push({ path: [...path, name], message, offset: property.offset });
    };
    if (name in result) report('is given twice; keep one of the two');
    if (name === '__proto__') report('must not be used as a name');
    else result[name] = toValue(value, [...path, name], findings);
  }
  return result;
}

function locate(place: PlaceOf, root: Node | undefined, finding: Finding): ReturnType<ParsedText['locate']> {
  if (finding.offset !== undefined) return { path: finding.path, ...place(finding.offset) };
  let node = root;
  let depth = 0;
  for (let child = node; depth < finding.path.length; depth++) {
    child = childOf(node, finding.path[depth]);
    if (child === undefined) break;
    node = child;
  }
  // What the schema made from a short form stands in the file as one string.
  const path = node?.type === 'string' ? finding.path.slice(0, depth) : finding.path;
  const name = finding.at === 'name' ? node?.parent?.children?.[0] : undefined;
  return { path, ...place((name ?? node)?.offset ?? 0) };
}

function childOf(node: Node | undefined, step: string | number | undefined): Node | undefined {
  if (node?.type === 'array' && typeof step === 'number') return node.children?.[step];
  if (node?.type !== 'object') return undefined;
  return node.children?.findLast((property) => property.children?.[0]?.value === step)?.children?.[1];
}

type PlaceOf = (offset: number) => { readonly line: number; readonly column: number };

/** The place of an offset. Lines are counted once: a file that is not JSON has an error at nearly every character. */
function placesIn(text: string): PlaceOf {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(/\r\n|\n|\r/g), ({ 0: end, index }) => index + end.length)];
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
}
