import { describe, expect, it } from 'vitest';
import { matrixView } from '../../../src/reporter/page/view-matrix.ts';
import type { PinnedBy } from '../../../src/shared/pin.ts';
import { type FakeResult, type FakeTest, leased, reportOf } from './synthetic.ts';

const MEMBERS = [
  {
    name: 'api',
    endpoints: ['eu', 'us'].map((name) => ({ name, url: `https://${name}.example.test` })),
    keys: [],
  },
];

function run(
  title: string,
  to: string | null,
  result: Pick<FakeResult, 'status'> = {},
  by: PinnedBy = 'gembaEndpoint',
): FakeTest {
  const pinned = to === null ? null : { pool: 'api', to, by };
  const parts = { pinned, memberList: MEMBERS };
  const records = [leased(`api/${to ?? 'eu'}/-`, [[0, 'ok']], parts)];
  return {
    title,
    project: `${to}`,
    results: result.status === 'skipped' ? [result] : [{ ...result, records }],
  };
}

describe('the tests by endpoint', () => {
  it('have a row a test and a column an endpoint, differences first', () => {
    const fakes = ['us', 'eu'].flatMap((to) => [
      run('the same', to),
      run('fails everywhere', to, { status: 'failed' }),
      run('fails at one', to, { status: to === 'eu' ? 'failed' : 'passed' }),
    ]);
    const view = matrixView(reportOf([...fakes, run('only here', 'eu'), run('in the rotation', null)]))!;
    expect(view.note).toBe('3 tests ran at several endpoints; 1 of them has different results.');
    expect(view.columns).toEqual(['eu', 'us']);
    expect(view.rows.map(({ title, differs }) => [title, differs])).toEqual([
      ['fails at one', true],
      ['fails everywhere', false],
      ['the same', false],
    ]);
    expect(view.rows[0]!.cells).toMatchObject([
      { outcome: 'unexpected', text: 'failed', verdict: 'product' },
      { outcome: 'expected', text: 'passed', verdict: null, id: '' },
    ]);
    expect(view.rows[0]!.cells[0]!.id).not.toBe('');
  });

  it('compare with a target outside the pool, and count repetitions', () => {
    const local = 'http://localhost:3000';
    const fakes = [
      { ...run('a', 'eu'), id: '1' },
      { ...run('a', 'eu', { status: 'failed' }), id: '2' },
      { ...run('a', 'eu', { status: 'failed' }), id: '3' },
      run('a', local, {}, 'outside'),
    ];
    const view = matrixView(reportOf(fakes))!;
    expect(view.columns).toEqual(['eu', local]);
    expect(view.rows[0]!.cells.map(({ text }) => text)).toEqual(['failed 2 of 3', 'passed']);
  });

  it('are absent in a rotation, and where no test named two endpoints', () => {
    expect(matrixView(reportOf([run('a', null), { ...run('a', null), id: '2' }]))).toBeNull();
    expect(matrixView(reportOf([run('a', 'eu'), run('b', 'us')]))).toBeNull();
  });

  it('are cut where they are many, and say so', () => {
    const fakes = Array.from({ length: 3000 }, (_, index) => [
      run(`test ${index}`, 'eu'),
      run(`test ${index}`, 'us', { status: index === 2999 ? 'failed' : 'passed' }),
    ]);
    const view = matrixView(reportOf(fakes.flat()))!;
    expect(view.rows[0]!.title).toBe('test 2999');
    expect([view.rows.length, view.rest.length]).toEqual([12, 988]);
    expect(view.cut).toBe(
      '2,000 more tests with the same result everywhere not shown here: see the list of tests.',
    );
  });
});
