import type { HealthState } from '../../core/types.ts';
import { clockMinute, clockTime, count, counted, duration } from '../../shared/format.ts';
import { memberTimeline, type MemberTimelineRow } from './member-timeline.ts';
import type { StateIntervals } from '../report/state-intervals.ts';
import type { Report, ReportBucket } from '../report/model.ts';
import type { TimelineData } from './data-format.ts';
import type { Interval } from '../report/state-intervals.ts';
import { short as coordinate } from './shapes.ts';
import { workerTimeline, type WorkerTimeline } from './worker-timeline.ts';

/** Charts are drawn here, in these units; the page stretches them. */
const PLOT_WIDTH = 1000;
const PLOT_HEIGHT = 100;
const RESPONSE_HEIGHT = 40;
const MAX_TICKS = 7;
const MINUTE = 60_000;
const TICK_STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080].map((minutes) => minutes * MINUTE),
];

export interface TimelineView {
  readonly bucket: string;
  readonly label: string;
  readonly most: string;
  readonly slowest: string | null;
  readonly good: string;
  readonly bad: string;
  readonly response: string;
  readonly members: readonly MemberTimelineRow[];
  readonly workers: WorkerTimeline;
  readonly moreMembers: string | null;
  readonly legend: readonly HealthState[];
  readonly ticks: readonly { readonly left: string; readonly text: string }[];
  /** The numbers that the pointer reads. */
  readonly data: TimelineData;
}

/** Requests, failures, response times and unhealthy members over time; null where nothing was measured. */
export function timelineView(report: Report, intervals: StateIntervals, span: Interval): TimelineView | null {
  const buckets = report.timeline;
  if (buckets.length === 0) return null;
  const { from: start, to: end } = span;
  const size = (end - start) / buckets.length;
  const most = Math.max(...buckets.map(({ requests }) => requests));
  const slowest = Math.max(...buckets.map(({ avgMs }) => avgMs ?? 0));
  const members = memberTimeline(report, intervals, span);
  return {
    bucket: bucketName(size),
    label: labelOf(report, size),
    most: count(most),
    slowest: slowest > 0 ? duration(slowest) : null,
    good: bars(buckets, most, ({ requests, failures }) => [failures, requests]),
    bad: bars(buckets, most, ({ failures }) => [0, failures]),
    response: line(buckets, slowest),
    members: members.shown,
    workers: workerTimeline(report, span),
    moreMembers:
      members.cut === 0 ? null : `${counted(members.cut, 'more member')} in the tables of the pools.`,
    legend: members.states,
    ticks: ticksOf(start, end),
    data: {
      start,
      size,
      requests: buckets.map(({ requests }) => requests),
      failures: buckets.map(({ failures }) => failures),
      avg: buckets.map(({ avgMs }) => avgMs),
    },
  };
}

/** `second`, `10 s`, `minute` */
function bucketName(size: number): string {
  return size === 1000 ? 'second' : size === MINUTE ? 'minute' : duration(size);
}

function labelOf(report: Report, size: number): string {
  const { requests, failures } = report.totals;
  const worst = report.timeline.reduce((a, b) => (b.failures > a.failures ? b : a));
  const totals = `Requests per ${bucketName(size)}: ${count(requests)} in all, ${counted(failures, 'failure')}`;
  if (worst.failures === 0) return `${totals}.`;
  return `${totals}, most of them (${count(worst.failures)}) at ${clockTime(Date.parse(worst.at))}.`;
}

function bars(
  buckets: readonly ReportBucket[],
  most: number,
  range: (bucket: ReportBucket) => [number, number],
): string {
  const step = PLOT_WIDTH / buckets.length;
  const width = coordinate(step * (buckets.length > 100 ? 0.86 : 0.78));
  const scale = PLOT_HEIGHT / Math.max(1, most);
  return buckets
    .map((bucket, index) => {
      const [low, high] = range(bucket);
      if (high <= low) return '';
      const [x, y] = [coordinate(index * step), coordinate(PLOT_HEIGHT - low * scale)];
      return `M${x} ${y}v${coordinate((low - high) * scale)}h${width}V${y}z`;
    })
    .join('');
}

function line(buckets: readonly ReportBucket[], slowest: number): string {
  const step = PLOT_WIDTH / buckets.length;
  let gap = true;
  return buckets
    .map(({ avgMs }, index) => {
      if (avgMs === null) {
        gap = true;
        return '';
      }
      const y = coordinate(RESPONSE_HEIGHT - (avgMs / Math.max(1, slowest)) * (RESPONSE_HEIGHT - 2) - 1);
      const from = `${gap ? 'M' : 'L'}${coordinate(index * step)} ${y}`;
      gap = false;
      return `${from}H${coordinate((index + 1) * step)}`;
    })
    .join('');
}

function ticksOf(start: number, end: number): { left: string; text: string }[] {
  const span = end - start;
  const step = TICK_STEPS.find((candidate) => span / candidate <= MAX_TICKS) ?? span / MAX_TICKS;
  const format = step < MINUTE ? clockTime : clockMinute;
  const ticks: { left: string; text: string }[] = [];
  for (let at = Math.ceil(start / step) * step; at < end; at += step) {
    const left = ((at - start) / span) * 100;
    if (left < 90) ticks.push({ left: `${coordinate(left)}%`, text: format(at) });
  }
  return ticks;
}
