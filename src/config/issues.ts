import type { z } from 'zod';
import { foundAt } from './found.ts';
import { fittingIssues, FOUND } from './schema/fields.ts';
import type { Finding, Path } from './problems.ts';
import type { Resolution } from './variables.ts';

/**
 * The schema's issues as problems of the file, without those that only follow from an unset variable. `raw` is the
 * value as it stands in the file: messages quote from it, so that they show variables by their names.
 */
export function toFindings(
  issues: readonly z.core.$ZodIssue[],
  resolution: Resolution,
  raw: unknown,
): Finding[] {
  const unsure = [...resolution.unset, ...resolution.findings].map(({ path }) => path);
  return issues
    .flatMap((issue) => flatten(issue, []))
    .filter(({ path }) => !unsure.some((start) => isUnder(path, start)))
    .map((finding) => fromList(finding, resolution) ?? quoting(finding, resolution, raw));
}

interface FlatIssue extends Finding {
  readonly unknownField: boolean;
}

function flatten(issue: z.core.$ZodIssue, prefix: Path): FlatIssue[] {
  const path = [...prefix, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  const fitting = issue.code === 'invalid_union' ? fittingIssues(issue.errors) : undefined;
  if (fitting !== undefined) return fitting.flatMap((inner) => flatten(inner, path));
  if (issue.code !== 'unrecognized_keys') {
    return [
      {
        path,
        message: issue.message,
        at: isOfName(issue) ? 'name' : undefined,
        unknownField: false,
      },
    ];
  }
  const messages = issue.message.split('\n');
  return issue.keys.map((key, index) => {
    const message = (messages[index] ?? '').replace(`unknown field ${JSON.stringify(key)}`, 'unknown field');
    return { path: [...path, key], message, at: 'name', unknownField: true };
  });
}

/** A problem of a key that stands in a variable: its message has nothing that could be the variable's content. */
function fromList({ path, message, unknownField }: FlatIssue, { lists }: Resolution): Finding | undefined {
  const [root, pool, list, index, field, ...deeper] = path;
  const variable = root === 'pools' && list === 'keys' ? lists.get(String(pool)) : undefined;
  if (variable === undefined || typeof index !== 'number') return undefined;
  const what = unknownField || field === undefined ? '' : `${field}${deeper.length > 0 ? '.…' : ''} `;
  const which = `key ${index + 1} in the variable ${variable}`;
  const said = message.replace(FOUND, 'an entry');
  return {
    path: ['pools', String(pool), 'keys', 'fromEnv'],
    message: `${which}: ${what}${unknownField ? 'has an unknown field' : said}`,
  };
}

/** Adds what was found, or, where that is secret, the variable that it comes from. */
function quoting(
  { unknownField: _, ...finding }: FlatIssue,
  { references }: Resolution,
  raw: unknown,
): Finding {
  const { path, message, at } = finding;
  const found = at === 'name' ? null : foundAt(raw, path);
  if (message.includes(FOUND)) return { ...finding, message: message.replace(FOUND, found ?? 'this') };
  const isType = found === 'an array' || found === 'an object';
  if (found !== null && message.startsWith(isType ? 'must be ' : 'must '))
    return { ...finding, message: `${message}; found ${found}` };
  const reference = references.find((each) => isUnder(path, each.path));
  if (reference === undefined || found !== null) return finding;
  return { ...finding, message: `${message} (the value comes from ${reference.names.join(' and ')})` };
}

function isOfName(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_key' || (issue.code === 'custom' && issue.params?.['at'] === 'name');
}

function isUnder(path: Path, start: Path): boolean {
  return start.every((step, index) => step === path[index]);
}
