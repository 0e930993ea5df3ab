import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { recordSchema } from '../../shared/record.ts';
import { z } from '../../shared/zod.ts';
import { ingest } from './ingest.ts';
import { aggregate } from '../report/aggregate.ts';
import {
  type RunState,
  emptyRunState,
  noWaits,
  type CollectedResult,
  type CollectedTest,
} from './run-state.ts';
import type { BeganLine, EndedLine, JournalHead, JournalLine, JournalResult } from './journal-format.ts';
import type { Report } from '../report/model.ts';
import { getOrCreate } from './counts.ts';

const moment = z.number().min(0);
const place = {
  id: z.string(),
  title: z.string(),
  file: z.string(),
  line: z.number(),
  project: z.string(),
  tags: z.array(z.string()),
};
const error = z.object({
  message: z.string(),
  snippet: z.string(),
  file: z.string().nullable(),
  line: z.number().nullable(),
  column: z.number().nullable(),
});
const result = z.looseObject({
  retry: z.number(),
  status: z.string(),
  durationMs: z.number(),
  errors: z.array(error),
  trace: z.string().nullable(),
});
/** The fields that are needed; records have their own schema. */
const lineSchema = z.union([
  z.looseObject({ journal: z.literal('gemba-journal/1'), startedAt: moment, planned: z.number() }),
  z.looseObject({ began: z.object(place), retry: z.number(), worker: z.number(), at: moment }),
  z.looseObject({ ended: z.string(), at: moment, result, record: z.unknown() }),
]);

/** The report of a killed run, from its journal. Null where the file is not a journal. */
export async function reportFromJournal(
  file: string,
  version: string,
): Promise<{ report: Report; title: string } | null> {
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity });
  const replay = new JournalReplay();
  for await (const line of lines) replay.read(line);
  return replay.report(version);
}

class JournalReplay {
  readonly #runState: RunState = emptyRunState();
  readonly #running = new Map<string, BeganLine>();
  #head: JournalHead | null = null;
  #lastAt = 0;
  #ended = new Set<string>();

  /** Skips a line that cannot be read: the last one may be cut. */
  read(text: string): void {
    const line = parse(text);
    if (line === null) return;
    if ('journal' in line) this.#head ??= line;
    else if ('began' in line) this.#begin(line);
    else if ('ended' in line) this.#end(line);
  }

  report(version: string): { report: Report; title: string } | null {
    if (!this.#head) return null;
    const { startedAt, playwright, shard, planned, title } = this.#head;
    for (const line of this.#running.values()) this.#interrupt(line);
    const durationMs = Math.max(0, this.#lastAt - startedAt);
    const report = aggregate(this.#runState, [...this.#runState.tests.values()], {
      status: 'interrupted',
      startedAt,
      durationMs,
      playwright,
      version,
      shard,
      cutOff: { planned, ended: this.#ended.size },
    });
    return { report, title };
  }

  #begin(line: BeganLine): void {
    this.#lastAt = line.at;
    this.#running.set(`${line.began.id} ${line.retry}`, line);
    this.#test(line);
  }

  #end({ ended, at, outcome, result, record }: EndedLine): void {
    const test = this.#runState.tests.get(ended);
    if (!test) return;
    this.#lastAt = at;
    this.#ended.add(ended);
    this.#running.delete(`${ended} ${result.retry}`);
    test.status = outcome;
    const seen = toResult(result);
    test.results.push(seen);
    const read = recordSchema.safeParse(record).data;
    if (read) ingest(this.#runState, read, test, seen);
  }

  /** It was running when the run was killed. */
  #interrupt(line: BeganLine): void {
    const durationMs = Math.max(0, this.#lastAt - line.at);
    const shard = this.#head?.shard?.current ?? 1;
    const nothing = { failed: false, crashed: false, errors: [], trace: null };
    const facts = { ...nothing, durationMs, shard, worker: line.worker };
    const { retry, at: startedAt } = line;
    this.#test(line).results.push(toResult({ retry, startedAt, status: 'interrupted', ...facts }));
  }

  #test({ began }: BeganLine): CollectedTest {
    return getOrCreate(this.#runState.tests, began.id, () => ({
      ...began,
      status: 'skipped',
      results: [],
    }));
  }
}

function parse(text: string): JournalHead | JournalLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return lineSchema.safeParse(line).success ? (line as JournalHead | JournalLine) : null;
  } catch {
    return null;
  }
}

function toResult(result: JournalResult): CollectedResult {
  const nothing = {
    requestsOmitted: 0,
    degraded: false,
    pinned: null,
    refused: false,
    extendedMs: 0,
    unextendedMs: 0,
    workerVerdict: null,
    waited: noWaits(),
  };
  const lists = { leases: [], requests: [], unmet: [], foreign: [], outOfService: [], evidence: [] };
  return { ...result, ...nothing, ...lists };
}
