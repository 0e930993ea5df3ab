import { beforeEach, describe, expect, it } from 'vitest';
import { Locks } from '../../../src/broker/locks.ts';

let locked: string[];
let locks: Locks;

beforeEach(() => {
  locked = [];
  locks = new Locks((client, ask) => locked.push(`${client} ${ask}`));
});

describe('locks', () => {
  it('go to one at a time, first come, first served', () => {
    locks.lock('a', 'ada', 'one', 1);
    locks.lock('b', 'ada', 'two', 2);
    locks.lock('c', 'ada', 'one', 3);
    locks.lock('d', 'grace', 'two', 4);
    expect(locked).toEqual(['one 1', 'two 4']);
    locks.unlock('a');
    locks.unlock('a');
    expect(locked).toEqual(['one 1', 'two 4', 'two 2']);
    locks.unlock('b');
    expect(locked.at(-1)).toBe('one 3');
  });

  it('are free when their client is gone, and its waits with them', () => {
    locks.lock('a', 'ada', 'one', 1);
    locks.lock('b', 'ada', 'one', 2);
    locks.lock('c', 'ada', 'two', 3);
    locks.dropClient('one');
    expect(locked).toEqual(['one 1', 'two 3']);
  });

  it('stay with a client whose connection is cut, and its waits are asked again', () => {
    locks.lock('a', 'ada', 'one', 1);
    locks.lock('b', 'ada', 'one', 2);
    locks.cancelWaitsOf('one');
    locks.lock('a', 'ada', 'one', 1);
    locks.lock('b', 'ada', 'one', 2);
    expect(locked).toEqual(['one 1', 'one 1']);
    locks.unlock('a');
    expect(locked).toEqual(['one 1', 'one 1', 'one 2']);
  });

  it('do not go to one that gave its wait up', () => {
    locks.lock('a', 'ada', 'one', 1);
    locks.lock('b', 'ada', 'two', 2);
    locks.unlock('b');
    locks.unlock('a');
    expect(locked).toEqual(['one 1']);
  });
});
