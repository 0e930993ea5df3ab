import { DURATION_UNITS } from '../../shared/format.ts';
import { suggest } from '../../shared/suggest.ts';
import type * as zod from 'zod';
import { LIMITS } from '../../core/limits.ts';
import { z } from '../../shared/zod.ts';
import type { DurationInput } from '../types.ts';

const DURATION = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/;
const DURATION_NEEDS =
  'be a duration: a number of milliseconds, or a string such as "500ms", "5s", "2m", "1h"';
const NAME = /^[\w.:@-]+$/;
const NAME_NEEDS = 'be a name of letters, digits and . _ : @ - (no space, slash or comma)';

/** In a message, what stands in the file at its place. */
export const FOUND = '{found}';

const ALWAYS = { when: () => true };

/** An object with these fields only; the error for another field names the nearest one. */
export function strict<T extends zod.core.$ZodLooseShape>(shape: T): zod.ZodObject<T, zod.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `unknown field ${JSON.stringify(key)}; ${suggest(key, known)}`).join('\n')
        : must('be an object: { … }')(issue),
  });
}

/**
 * Checks that see a whole object. They also run where a field of it is wrong, so that all problems are reported at once;
 * hence they get `unknown`.
 */
export function checked<T extends zod.ZodType>(
  schema: T,
  check: (value: unknown, report: ReportProblem) => void,
): T {
  return schema.superRefine((value, context) => {
    check(value, (path, message, at) => {
      context.addIssue({ code: 'custom', path: [...path], message, params: { at } });
    });
  }, ALWAYS);
}

/** `at` says that the name of the field is wrong, not its value. */
export type ReportProblem = (path: readonly (string | number)[], message: string, at?: 'name') => void;

/** Either of several forms; `needs` describes them where no form has the value's type. */
export function either<const T extends readonly zod.ZodType[]>(options: T, needs: string): zod.ZodUnion<T> {
  return z.union(options, {
    error: (issue) => {
      const fitting = issue.code === 'invalid_union' ? fittingIssues(issue.errors) : undefined;
      return fitting?.map(withPath).join('\n') ?? must(needs)(issue);
    },
  });
}

/** The problems of the form of a union that was meant: the only one whose own type fits. */
export function fittingIssues(errors: readonly zod.core.$ZodIssue[][]): zod.core.$ZodIssue[] | undefined {
  const fitting = errors.filter((issues) => !issues.some(isOfAnotherType));
  return fitting.length === 1 ? fitting[0] : undefined;
}

export function text(needs = 'be a string that is not empty', max: number = LIMITS.text): zod.ZodString {
  const error = must(needs);
  return z
    .string({ error })
    .min(1, { error })
    .max(max, { error: lengthProblem(max) });
}

/** A string with a check of ours. The JSON Schema has a pattern for it, which also allows `${…}`. */
export function matching(
  needs: string,
  problemOf: (value: string) => string | undefined,
  pattern: string,
  max: number = LIMITS.text,
): zod.ZodString {
  const checkedText = z.string({ error: must(needs) }).superRefine((value, context) => {
    const message = value.length > max ? lengthProblem(max) : problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return checkedText.meta({ pattern: orVariable(pattern), maxLength: max });
}

/** The name of an endpoint or key. */
export function name(): zod.ZodString {
  return matching(NAME_NEEDS, nameProblem, NAME.source, LIMITS.name);
}

/** Names are used as POOL/NAME, and in lists that commas separate. */
export function nameProblem(value: string): string | undefined {
  if (value.length > LIMITS.name) return lengthProblem(LIMITS.name);
  return NAME.test(value) ? undefined : `must ${NAME_NEEDS}`;
}

/** The name of an entry of a record, for the JSON Schema, which does not resolve variables. */
export function entryName(): zod.ZodString {
  return z.string().meta({ pattern: NAME.source, maxLength: LIMITS.name });
}

export function flag(): zod.ZodBoolean {
  return z.boolean({ error: must('be true or false') });
}

export function whole(min: number, max: number = LIMITS.amount): zod.ZodNumber {
  const error = must(`be an integer of ${min} or more`);
  return z
    .int({ error })
    .min(min, { error })
    .max(max, { error: mostProblem(max) });
}

export function decimal(needs: string): zod.ZodNumber {
  return z.number({ error: must(needs) });
}

/** A number of LIMITS.fraction or more. */
export function positive(max: number = LIMITS.amount): zod.ZodNumber {
  const error = must(`be a number of ${LIMITS.fraction} or more`);
  return z
    .number({ error })
    .min(LIMITS.fraction, { error })
    .max(max, { error: mostProblem(max) });
}

export function oneOf<const T extends readonly string[]>(values: T): zod.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(values, { error: must(`be one of ${quoted(values)}`) });
}

export function list<T extends zod.ZodType>(
  item: T,
  needs: string,
  max: number = LIMITS.members,
): zod.ZodArray<T> {
  return z.array(item, { error: must(needs) }).max(max, { error: `must have at most ${max} entries` });
}

export function record<T extends zod.ZodType>(
  keys: zod.ZodString,
  value: T,
  needs: string,
): zod.ZodRecord<zod.ZodString, T> {
  return z.record(keys, value, {
    error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : must(needs)(issue)),
  });
}

/** Strings by name. */
export function texts<T extends zod.ZodType>(needs: string, value: T): zod.ZodRecord<zod.ZodString, T> {
  const error = lengthProblem(LIMITS.name);
  const names = z.string().min(1, { error: 'must have a name' }).max(LIMITS.name, { error });
  return record(names, value, needs);
}

/** A string that may be empty. */
export function anyText(max: number): zod.ZodString {
  return z.string({ error: must('be a string') }).max(max, { error: lengthProblem(max) });
}

/** A duration in milliseconds, from a number or a string with its unit. */
export function duration(least: 'zero' | 'more' = 'zero'): zod.ZodType<number, DurationInput> {
  const error = must(DURATION_NEEDS);
  const number = z.number({ error }).meta({ minimum: 0 });
  const withUnit = z.string({ error }).meta({ pattern: orVariable(DURATION.source) });
  return z
    .union([number, withUnit], { error })
    .superRefine((value, context) => {
      const message = durationProblem(value, least);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .transform(toMs);
}

export function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

function must(needs: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? `is missing; it must ${needs}` : `must ${needs}`);
}

function lengthProblem(max: number): string {
  return `must have at most ${max} characters`;
}

function mostProblem(max: number): string {
  return `must be at most ${max}`;
}

function durationProblem(value: number | string, least: 'zero' | 'more'): string | undefined {
  const ms = toMs(value);
  if (Number.isNaN(ms) || ms < 0) return `must ${DURATION_NEEDS}`;
  if (ms > LIMITS.durationMs) return 'must be at most 596h';
  return ms === 0 && least === 'more' ? 'must be more than 0' : undefined;
}

function toMs(value: number | string): number {
  if (typeof value === 'number') return Math.round(value);
  const [, amount, unit] = DURATION.exec(value) ?? [];
  return Math.round(Number(amount) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS]);
}

function isOfAnotherType(issue: zod.core.$ZodIssue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function withPath(issue: zod.core.$ZodIssue): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}

function orVariable(pattern: string): string {
  return `${pattern}|\\$\\{`;
}
