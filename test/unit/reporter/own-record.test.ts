import { beforeEach, describe, expect, it } from 'vitest';
import { collectResult, type RecordOrigin } from '../../../src/reporter/collect/collect.ts';
import { emptyRunState, type RunState } from '../../../src/reporter/collect/run-state.ts';
import { byContent, bySeal } from '../../../src/reporter/collect/own-record.ts';
import { isSealed, openSeal, sealed } from '../../../src/shared/seal.ts';
import { leased, ORIGIN, START, testCase } from './synthetic.ts';

const ROSTER = [
  {
    name: 'api',
    endpoints: [{ name: 'eu', url: 'https://eu.test' }],
    keys: [{ name: 'k', fingerprint: '0a1b2c3d' }],
  },
];
const own = leased('api/eu/k', [[0, 'server', 503]], { startedAt: START + 5, memberList: ROSTER });
const forged = leased('api/eu/k', [[1, 'ok']], { startedAt: START + 5 });

type Attachments = ReturnType<typeof testCase>['results'][number]['attachments'];

const attached = (...texts: string[]): Attachments =>
  texts.map((text) => ({
    name: '_gemba',
    contentType: 'application/vnd.gemba.record+json',
    body: Buffer.from(text),
  }));

let runState: RunState;
beforeEach(() => (runState = emptyRunState()));

/** Collects a failed result with these attachments; returns what was found foreign. */
function collect(attachments: Attachments, judgeRecord: RecordOrigin['judgeRecord']): string[] {
  const test = testCase({ title: 't', id: 'one', results: [{ status: 'failed' }] });
  Object.assign(test.results[0]!, { attachments });
  collectResult(runState, test, test.results[0]!, { ...ORIGIN, judgeRecord });
  return runState.foreign.list.map(({ why }) => why);
}

const text = (record: object): string => JSON.stringify({ ...record, test: 'one', retry: 0 });

describe('in the process of the run', () => {
  const secret = openSeal({});
  const judge = bySeal(secret);
  const written = (record: object): string => sealed(text(record), secret);

  it('takes the record that a worker sealed, wherever a test attaches others', () => {
    const texts = [text(forged), written(own), text(forged), sealed(text(forged), openSeal({}))];
    expect(collect(attached(...texts), judge)).toEqual(Array(3).fill('no worker of this run wrote it'));
    expect(runState.all).toMatchObject({ requests: 1, failures: 1 });
  });

  it('takes no sealed record of another result, and none twice', () => {
    const other = sealed(JSON.stringify({ ...forged, test: 'two', retry: 0 }), secret);
    const retried = sealed(JSON.stringify({ ...forged, test: 'one', retry: 1 }), secret);
    expect(collect(attached(other, retried, written(own), written(own)), judge)).toEqual([
      'it is of another result',
      'it is of another result',
      'a later one of this result takes its place',
    ]);
    expect(runState.all.requests).toBe(1);
  });

  it('takes none whose content was changed after it was sealed', () => {
    const changed = written(own).replace('"calls":1', '"calls":9');
    expect(collect(attached(changed), judge)).toEqual(['no worker of this run wrote it']);
    expect(runState.calls).toBe(0);
  });
});

describe('while blobs are merged', () => {
  it('takes the last record that fits its result', () => {
    const judge = byContent(runState);
    expect(collect(attached(text(forged), text(own)), judge)).toEqual(['the run has no pool api']);
    expect(collect(attached(text(forged), text(own)), judge).at(-1)).toMatch(/^a later one/);
    expect(runState.all).toMatchObject({ requests: 2, failures: 2 });
  });

  it.each<[string, object]>([
    ['it is of another time', { startedAt: START - 5_000 }],
    ['it is of another time', { startedAt: START + 60_000 }],
    ['the run has no endpoint api/eu', { memberList: [{ ...ROSTER[0], endpoints: [] }] }],
    ['the run has no key api/k', { memberList: [{ ...ROSTER[0], keys: [] }] }],
  ])('leaves out one where %s', (why, parts) => {
    expect(collect(attached(text({ ...own, ...parts })), byContent(runState))).toEqual([why]);
    expect(runState.all.requests).toBe(0);
  });

  it('takes the record of a test that several blobs have', () => {
    const test = testCase({ title: 't', id: 'one-salt', results: [{}] });
    Object.assign(test.results[0]!, { attachments: attached(text(own)) });
    collectResult(runState, test, test.results[0]!, { ...ORIGIN, judgeRecord: byContent(runState) });
    expect(runState.foreign.count).toBe(0);
  });
});

it('a seal is one for a process and those that inherit its environment', () => {
  const env: Record<string, string | undefined> = {};
  const secret = openSeal(env);
  expect(openSeal(env)).toBe(secret);
  expect(openSeal({})).not.toBe(secret);
  expect(isSealed(sealed('{"a":1}', secret), secret)).toBe(true);
  expect(isSealed('{"a":1}', secret)).toBe(false);
});
