/**
 * The rows of the members' tables, as texts: the markup has the first ones, the page's script shows, searches and sorts all of them.
 */
import type { HealthState, OutcomeKind } from '../../core/types.ts';
import { count, counted, duration, NOT_MEASURED, percent } from '../../shared/format.ts';
import type { ReportEstimate, ReportMember, ReportPool } from '../report/model.ts';
import type { MemberTimelineRow } from './member-timeline.ts';

export interface MemberRow {
  readonly name: string;
  readonly state: HealthState;
  /** Why it is in that state, and until when. */
  readonly why: string;
  readonly leases: string;
  readonly requests: string;
  readonly rate: string;
  readonly measured: boolean;
  /** For the bar under the rate. */
  readonly ratePercent: number;
  readonly average: string;
  readonly p95: string;
  /** Null where no member of the table has tokens. */
  readonly tokens: string | null;
  readonly estimate: EstimateBar | null;
  /** The table has a column of estimates. */
  readonly estimates: boolean;
  /** What the row unfolds. */
  readonly facts: readonly MemberFact[];
  readonly timeline: MemberTimelineRow;
  /** It was used, or its state changed: there is something to draw. */
  readonly drawn: boolean;
  readonly sort: MemberSort;
}

interface MemberFact {
  readonly name: string;
  readonly value: string;
}

/** The router's estimate of the success rate, with its 95 % interval: percents. */
interface EstimateBar {
  readonly text: string;
  readonly at: number;
  readonly low: number;
  readonly high: number;
}

/** What the columns are sorted by. `trouble` is the order that the page begins with. */
export interface MemberSort {
  readonly trouble: number;
  readonly leases: number;
  readonly requests: number;
  readonly rate: number | null;
  readonly average: number | null;
  readonly p95: number | null;
  readonly tokens: number | null;
  readonly estimate: number | null;
}

export interface MemberColumn {
  readonly field: keyof Omit<MemberSort, 'trouble'> | 'name' | 'state';
  readonly label: string;
  /** How the column is set. */
  readonly kind: 'text' | 'n' | 'n wide';
}

/** Columns that only some tables have: of tokens where an answer had some, of estimates where the router made some. */
export interface OwnColumns {
  readonly tokens: boolean;
  readonly estimates: boolean;
}

export function memberColumns(caption: string, when: string, own: OwnColumns): MemberColumn[] {
  const number = (field: MemberColumn['field'], label: string): MemberColumn => {
    return { field, label, kind: field === 'estimate' ? 'n wide' : 'n' };
  };
  return [
    { field: 'name', label: caption, kind: 'text' },
    { field: 'state', label: `State ${when}`, kind: 'text' },
    number('leases', 'Leases'),
    number('requests', 'Requests'),
    number('rate', 'Success'),
    number('average', 'Average'),
    number('p95', 'p95'),
    ...(own.tokens ? [number('tokens', 'Tokens')] : []),
    ...(own.estimates ? [number('estimate', 'Estimated success')] : []),
  ];
}

const NONE = '–';

interface RowParts {
  /** The address of an endpoint, the fingerprint and tokens of a key. */
  readonly own: readonly MemberFact[];
  readonly tokens: number | null;
  readonly why: string;
  readonly timeline: MemberTimelineRow;
  readonly wasUnhealthy: boolean;
}

export function memberRow(
  member: ReportMember,
  { own, tokens, why, timeline, wasUnhealthy }: RowParts,
): MemberRow {
  const { name, state, leases, requests, failures, successRate, avgMs, p50Ms, p95Ms, p99Ms } = member;
  const ms = (value: number | null): string => (value === null ? NONE : duration(value));
  return {
    name,
    state,
    why,
    leases: count(leases),
    requests: count(requests),
    rate: successRate === null ? NOT_MEASURED : percent(successRate),
    measured: successRate !== null,
    ratePercent: successRate === null ? 0 : tenths(successRate),
    average: ms(avgMs),
    p95: ms(p95Ms),
    tokens: tokens === null ? NONE : count(tokens),
    estimate: estimateBar(member.estimate),
    estimates: true,
    facts: [
      ...own,
      { name: 'Why', value: why },
      { name: 'Failures', value: failuresText(failures, member.kinds) },
      { name: 'Response times', value: timesText(p50Ms, p99Ms) },
      { name: 'Share of requests', value: shareText(member) },
      { name: 'Router’s estimate', value: estimateText(member.estimate) },
    ].filter(({ value }) => value !== ''),
    timeline,
    drawn: requests > 0 || wasUnhealthy,
    sort: {
      trouble: troubleOf(member),
      leases,
      requests,
      rate: successRate,
      average: avgMs,
      p95: p95Ms,
      tokens,
      estimate: member.estimate?.successRate ?? null,
    },
  };
}

/** What is not healthy first, then what failed most, then what was used most. */
function troubleOf({ state, failures, requests }: ReportMember): number {
  return (state === 'healthy' ? 0 : 1e15) + Math.min(failures, 1e6) * 1e8 + Math.min(requests, 1e7);
}

/** `ab12cd34`, and `12,300 (gpt-5: 10,000, gpt-5-mini: 2,300; 40 estimated)` */
export function keyFacts(key: ReportPool['keys'][number]): MemberFact[] {
  const { fingerprint, tokens, tokensByModel, tokensEstimated, token } = key;
  const facts = [
    { name: 'Fingerprint', value: fingerprint },
    ...(token ? [{ name: 'Access token', value: tokenText(token) }] : []),
  ];
  if (tokens === null) return facts;
  const models = Object.entries(tokensByModel).map(([model, used]) => `${model}: ${count(used)}`);
  const estimated = tokensEstimated ? [`${count(tokensEstimated)} estimated`] : [];
  const parts = [models.join(', '), ...estimated].filter(Boolean).join('; ');
  return [...facts, { name: 'Tokens', value: `${count(tokens)}${parts === '' ? '' : ` (${parts})`}` }];
}

/** `minted 3 times, 2 of them renewals; the last expires at 2026-01-01T10:00:00.000Z` */
function tokenText({ minted, renewed, expiresAt }: NonNullable<ReportPool['keys'][number]['token']>): string {
  const times = `minted ${minted === 1 ? 'once' : `${count(minted)} times`}`;
  const renewals = renewed === 0 ? '' : `, ${counted(renewed, 'renewal')} among them`;
  return `${times}${renewals}${expiresAt === null ? '' : `; the last one expires at ${expiresAt}`}`;
}

function estimateBar(estimate: ReportEstimate | null | undefined): EstimateBar | null {
  if (!estimate || estimate.successRate === null) return null;
  const { successRate, successRange = [successRate, successRate] } = estimate;
  const [low, high] = successRange;
  return { text: percent(successRate), at: tenths(successRate), low: tenths(low), high: tenths(high) };
}

/** The router's estimate: `estimated 96 % (91 % to 99 %), 120 ms, 2 probes`; empty where there is none. */
export function estimateText(estimate: ReportEstimate | null | undefined): string {
  if (!estimate || estimate.successRate === null) return '';
  const { successRate, successRange, avgMs, probes = 0, changes = 0 } = estimate;
  const range = successRange ? ` (${successRange.map((rate) => percent(rate)).join(' to ')})` : '';
  const parts = [
    `estimated ${percent(successRate)}${range}`,
    avgMs === null ? '' : duration(avgMs),
    probes > 0 ? counted(probes, 'probe') : '',
    changes > 0 ? counted(changes, 'change') + ' of speed' : '',
  ];
  return parts.filter(Boolean).join(', ');
}

/** `17: server 12, timeout 5`, most frequent first. */
function failuresText(failures: number, kinds: Readonly<Partial<Record<OutcomeKind, number>>>): string {
  const entries = Object.entries(kinds).sort(([, a], [, b]) => b - a);
  const text = entries.map(([kind, times]) => `${kind}\u00a0${count(times)}`).join(', ');
  return text === '' ? count(failures) : `${count(failures)}: ${text}`;
}

function timesText(p50Ms: number | null, p99Ms: number | null): string {
  if (p50Ms === null || p99Ms === null) return '';
  return `median ${duration(p50Ms)}, p99 ${duration(p99Ms)}`;
}

function shareText({ share, requests }: ReportMember): string {
  return share === null || requests === 0 ? '' : percent(share);
}

function tenths(rate: number): number {
  return Math.round(rate * 1000) / 10;
}
