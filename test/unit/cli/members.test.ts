import { describe, expect, it } from 'vitest';
import { nearestFirst } from '../../../src/cli/members.ts';

const KNOWN = ['api/eu', 'api/us', 'api/ci-1', 'api/ci-2', 'vendor/ci-1'];

describe('a name that nothing has', () => {
  it('gets the nearest of the known names first', () => {
    const { names, isNear } = nearestFirst('api/ci-22', KNOWN);
    expect(isNear).toBe(true);
    expect(names.slice(0, 2)).toEqual(['api/ci-2', 'api/ci-1']);
    expect(names).toHaveLength(KNOWN.length);
    expect(nearestFirst('API/EU', KNOWN).names[0]).toBe('api/eu');
  });

  it('without its pool is near to that name in each pool', () => {
    const { names, isNear } = nearestFirst('ci-1', KNOWN);
    expect(isNear).toBe(true);
    expect(names.slice(0, 2)).toEqual(['api/ci-1', 'vendor/ci-1']);
  });

  it('that is like none leaves them in their order', () => {
    expect(nearestFirst('production/key', KNOWN)).toEqual({ isNear: false, names: KNOWN });
    expect(nearestFirst('x/y', [])).toEqual({ isNear: false, names: [] });
  });
});
