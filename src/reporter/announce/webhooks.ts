import type { Env } from '../../shared/env.ts';
import { GATE_RULES } from '../../core/types.ts';
import { shorten } from '../../shared/format.ts';
import { plainLine } from '../../shared/sanitize.ts';
import type { Report } from '../report/model.ts';
import { headline, noteOfCause } from '../page/view-answer.ts';
import { missingShards } from '../page/view-notices.ts';

const NOTIFY_REASONS = ['product', 'environment', 'unknown', 'degraded', 'gate', 'always'] as const;
export type NotifyReason = (typeof NOTIFY_REASONS)[number];

/** One webhook that is told of the run's end. */
export interface NotifyTarget {
  /** Its address; `${NAME}` is replaced from the environment. */
  readonly webhook: string;
  /** When: a test had a failed attempt with that verdict, a fallback served a test, the gate failed the run, or always. */
  readonly on: readonly NotifyReason[];
}

const TIMEOUT_MS = 5000;
const MAX_CAUSES = 5;
const MAX_TEXT = 3000;

/** Tells each webhook that wants to know. Never rejects: what fails is passed to `warn`, without the address. */
export async function notify(
  targets: readonly NotifyTarget[],
  report: Report,
  title: string,
  { env, warn }: { readonly env: Env; readonly warn: (line: string) => void },
): Promise<void> {
  const wanted = targets.filter(({ on }) => isWanted(report, on));
  if (wanted.length === 0) return;
  const { resolveVariables } = await import('../../config/variables.ts');
  const body = JSON.stringify(payload(report, title));
  await Promise.all(
    wanted.map(async ({ webhook }, index) => {
      const { value, unset } = resolveVariables(webhook, env, () => '');
      const which = wanted.length > 1 ? `webhook ${index + 1}` : 'the webhook';
      const [missing] = unset;
      if (missing) return warn(`notify: ${which} is not called, since ${missing.what}`);
      const failure = await post(String(value), body);
      if (failure !== null) warn(`notify: ${which} ${failure}`);
    }),
  );
}

/** The same words as the gate's rules, and the same counts. */
export function isWanted({ verdicts, totals, run }: Report, on: readonly NotifyReason[]): boolean {
  return on.some((reason) => {
    if (reason === 'always') return true;
    if (reason === 'gate') return run.gate?.failed === true;
    return reason === 'degraded' ? totals.degraded > 0 : verdicts[reason] > 0;
  });
}

/** `text` is what chat services show; the rest is for programs. */
export function payload(report: Report, title: string): object {
  const { run, totals, verdicts } = report;
  return {
    text: textOf(report, title),
    status: run.status,
    startedAt: run.startedAt,
    durationMs: run.durationMs,
    ci: run.ci,
    gate: run.gate && {
      failed: run.gate.failed,
      rules: Object.fromEntries(GATE_RULES.map((on) => [on, run.gate!.rules[on]])),
    },
    totals,
    verdicts,
  };
}

function textOf(report: Report, title: string): string {
  const { run, causes } = report;
  const lines = causes
    .slice(0, MAX_CAUSES)
    .map((cause) => `• ${cause.verdict}: ${cause.text} (${noteOfCause(cause)})`);
  const cut = causes.length - lines.length;
  const where = [run.ci?.branch ?? run.git?.branch, (run.ci?.commit ?? run.git?.commit)?.slice(0, 10)];
  const text = [
    `${title}: ${headline(report)}`,
    missingShards(report),
    run.gate?.line ?? null,
    ...lines,
    cut > 0 ? `• and ${cut} more` : null,
    where.filter(Boolean).join(' '),
  ];
  const shown = text.filter((line) => line !== null && line !== '').map((line) => unmarked(line!));
  return shorten([...shown, ...(run.links.ci ? [run.links.ci] : [])].join('\n'), MAX_TEXT);
}

/** Titles are untrusted: none of them mentions anybody, or is a link, in a chat. */
function unmarked(line: string): string {
  return plainLine(line).replaceAll('<', '‹').replaceAll('>', '›').replaceAll('@', '@\u200b');
}

/** Null where the webhook took it, else what it did instead. */
async function post(url: string, body: string): Promise<string | null> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return 'is not an http address';
  const { host } = new URL(url);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      // A chat service does not redirect; a page that does must not get the totals.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok ? null : `at ${host} answered ${response.status}`;
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return isLate
      ? `at ${host} did not answer within ${TIMEOUT_MS / 1000} s`
      : `at ${host} could not be reached`;
  }
}
