import { describe, expect, it } from 'vitest';
import { isOwnHost, isOwnOrigin, isToken, adminRequestSchema } from '../../../src/reporter/live/requests.ts';
import { ProgressMeter } from '../../../src/reporter/live/progress.ts';

const LOOPBACK = { host: '127.0.0.1', port: 4321 };

describe('the host of a request', () => {
  it.each([
    ['127.0.0.1:4321', LOOPBACK],
    ['localhost:4321', LOOPBACK],
    ['LOCALHOST:4321', LOOPBACK],
    ['[::1]:4321', { host: '::1', port: 4321 }],
    ['ci-box.internal:4321', { host: 'ci-box.internal', port: 4321 }],
    ['10.1.2.3:4321', { host: '0.0.0.0', port: 4321 }],
    ['[fe80::1]:4321', { host: '::', port: 4321 }],
    ['localhost', { host: '127.0.0.1', port: 80 }],
  ])('%s is accepted', (host, bound) => {
    expect(isOwnHost(host, bound)).toBe(true);
  });

  it.each([
    [undefined, LOOPBACK],
    ['', LOOPBACK],
    ['127.0.0.1', LOOPBACK],
    ['127.0.0.1:80', LOOPBACK],
    ['evil.example:4321', LOOPBACK],
    ['localhost.evil.example:4321', LOOPBACK],
    ['127.0.0.1:4321@evil.example', LOOPBACK],
    ['evil.example:4321/127.0.0.1:4321', LOOPBACK],
    ['10.1.2.3:4321', LOOPBACK],
    ['rebound.example:4321', { host: '0.0.0.0', port: 4321 }],
  ])('%s is refused', (host, bound) => {
    expect(isOwnHost(host, bound)).toBe(false);
  });
});

it('accepts requests of its own origin and without one, not of others', () => {
  expect(isOwnOrigin(undefined, 'localhost:1')).toBe(true);
  expect(isOwnOrigin('http://localhost:1', 'localhost:1')).toBe(true);
  for (const other of ['http://localhost:2', 'https://localhost:1', 'http://evil.example', 'null']) {
    expect(isOwnOrigin(other, 'localhost:1')).toBe(false);
  }
});

it('compares tokens of any length', () => {
  expect(isToken('secret', 'secret')).toBe(true);
  for (const wrong of [null, undefined, '', 'secre', 'secrets', 'Secret']) {
    expect(isToken(wrong, 'secret')).toBe(false);
  }
});

it('accepts the three actions for named members only', () => {
  expect(adminRequestSchema.safeParse({ action: 'disable', pool: 'api', name: 'eu' }).success).toBe(true);
  for (const bad of [
    undefined,
    {},
    { action: 'delete', pool: 'a', name: 'b' },
    { action: 'reset', pool: '', name: 'b' },
  ]) {
    expect(adminRequestSchema.safeParse(bad).success).toBe(false);
  }
});

describe('the progress of a run', () => {
  const step = { done: true, failed: false, flaky: false, requests: 4, failures: 1 };

  it('is estimated from the last minute, and not from too few tests', () => {
    const meter = new ProgressMeter(100, 0);
    meter.add({ ...step, at: 500 });
    expect(meter.at(1000)).toMatchObject({ phase: 'running', done: 1, etaMs: null, successLastMinute: 0.75 });
    for (let second = 1; second <= 49; second++) meter.add({ ...step, at: second * 1000 });
    expect(meter.at(50_000)).toMatchObject({ done: 50, etaMs: 50_000, testsLastMinute: 50 });
    // A minute and a half of silence: the pace of the whole run is all there is.
    expect(meter.at(150_000)).toMatchObject({ testsLastMinute: 0, etaMs: 150_000, successLastMinute: null });
  });

  it('counts a test once, when no retry follows', () => {
    const meter = new ProgressMeter(2, 0);
    meter.add({ ...step, at: 1, done: false, failed: true });
    meter.add({ ...step, at: 2, flaky: true });
    meter.add({ ...step, at: 3, failed: true });
    expect(meter.at(10)).toMatchObject({ done: 2, failed: 1, flaky: 1, requestsLastMinute: 12 });
    meter.end(20);
    expect(meter.at(500)).toMatchObject({ phase: 'ended', forMs: 20, etaMs: null });
  });
});
