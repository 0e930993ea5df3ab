import type { Verdict } from '../../core/types.ts';
import { count, counted, percent } from '../../shared/format.ts';
import type { Report } from '../report/model.ts';
import { type Band, boxes } from './shapes.ts';
import { ensure } from '../collect/tally.ts';

const MAX_LANES = 12;
const WIDTH = 1000;
/** Clocks of workers and runner may differ by a little. */
const OVERLAP_MS = 100;
/** In units of the field: narrower marks side by side become one. */
const NARROW = 3;

/** What a slot of workers did over the time of the run. A worker that dies is followed by another in its slot. */
interface WorkerLane {
  readonly name: string;
  /** `140 results, 3 failed, busy 96 %` */
  readonly note: string;
  /** The same in few letters: `3 failed` */
  readonly short: string;
  readonly bands: readonly { readonly mark: Mark; readonly path: string }[];
}

export interface WorkerLanes {
  readonly shown: readonly WorkerLane[];
  readonly more: string | null;
}

type Mark = 'ok' | Verdict;

interface Stint extends Band {
  readonly shard: number | null;
  readonly worker: number | null;
  readonly mark: Mark;
}

interface WorkerSlot {
  readonly shard: number | null;
  readonly stints: Stint[];
}

const MARKS: readonly Mark[] = ['ok', 'unknown', 'environment', 'product'];

export function workerLanes(report: Report, span: Band): WorkerLanes {
  const slots = allot(stintsOf(report));
  const shown = slots.slice(0, MAX_LANES);
  const cut = slots.length - shown.length;
  const sharded = new Set(slots.map(({ shard }) => shard)).size > 1;
  const numbers = new Map<number | null, number>();
  return {
    shown: shown.map((slot) => {
      const number = (numbers.get(slot.shard) ?? 0) + 1;
      numbers.set(slot.shard, number);
      const name = sharded ? `Shard ${slot.shard ?? '?'}, slot ${number}` : `Slot ${number}`;
      return { name, note: noteOf(slot, span), short: shortOf(slot), bands: bandsOf(slot, span) };
    }),
    more: cut === 0 ? null : `${counted(cut, 'further worker slot')} not drawn.`,
  };
}

function stintsOf(report: Report): Stint[] {
  const stints: Stint[] = [];
  for (const test of report.tests) {
    for (const { status, startedAt, durationMs, shard, worker, verdict } of test.results) {
      if (status === 'skipped') continue;
      const from = Date.parse(startedAt);
      stints.push({ from, to: from + durationMs, shard, worker, mark: verdict ?? 'ok' });
    }
  }
  return stints.sort((a, b) => a.from - b.from);
}

/** Each stint goes where its worker was, else where a slot of its shard is free. */
function allot(stints: readonly Stint[]): WorkerSlot[] {
  const shards = new Map<number | null, WorkerSlot[]>();
  for (const stint of stints) {
    const slots = ensure(shards, stint.shard, () => []);
    const free = slots.filter(({ stints: own }) => own.at(-1)!.to <= stint.from + OVERLAP_MS);
    const same = free.find(({ stints: own }) => own.at(-1)!.worker === stint.worker);
    const slot = same ?? free[0];
    if (slot) slot.stints.push(stint);
    else slots.push({ shard: stint.shard, stints: [stint] });
  }
  return [...shards].sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity)).flatMap(([, slots]) => slots);
}

function shortOf({ stints }: WorkerSlot): string {
  const failed = stints.filter(({ mark }) => mark !== 'ok').length;
  return failed > 0 ? `${count(failed)} of ${count(stints.length)} failed` : counted(stints.length, 'result');
}

function noteOf({ stints }: WorkerSlot, span: Band): string {
  const busy = stints.reduce((sum, { from, to }) => sum + to - from, 0) / Math.max(1, span.to - span.from);
  const workers = new Set(stints.map(({ worker }) => worker)).size;
  const failed = stints.filter(({ mark }) => mark !== 'ok').length;
  const said = [`${count(stints.length)} results`, failed > 0 ? `${count(failed)} failed` : ''];
  said.push(workers > 1 ? `${count(workers)} workers` : '', `busy ${percent(Math.min(1, busy))}`);
  return said.filter(Boolean).join(', ');
}

function bandsOf({ stints }: WorkerSlot, span: Band): WorkerLane['bands'] {
  const unit = Math.max(1, span.to - span.from) / WIDTH;
  return MARKS.map((mark) => {
    const bands: { from: number; to: number }[] = [];
    for (const { from, to, mark: own } of stints) {
      if (own !== mark) continue;
      const last = bands.at(-1);
      const joins = last && from - last.to < unit && to - from < NARROW * unit;
      if (joins) last.to = Math.max(last.to, to);
      // Wide marks end a little early, so that one is told from the next.
      else bands.push({ from, to: to - from > NARROW * unit ? to - unit : to });
    }
    return { mark, path: boxes(bands, span, WIDTH, 1) };
  }).filter(({ path }) => path !== '');
}
