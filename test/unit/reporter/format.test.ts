import { describe, expect, it } from 'vitest';
import {
  counted,
  dateTime,
  duration,
  isoTime,
  moment,
  percent,
  shorten,
  timeWindow,
} from '../../../src/shared/format.ts';
import { START } from './synthetic.ts';

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [0.04, '0 ms'],
    [4.24, '4.2 ms'],
    [5, '5 ms'],
    [9.97, '10 ms'],
    [412.4, '412 ms'],
    [999.6, '1 s'],
    [1240, '1.2 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [3_900_000, '1 h 5 min'],
    [200_000_000, '2 d 7 h'],
  ])('formats %d ms as %s', (ms, said) => {
    expect(duration(ms)).toBe(said);
  });
});

describe('percent', () => {
  it.each([
    [0, '0 %'],
    [0.000_01, '0.1 %'],
    [0.5, '50 %'],
    [0.969, '96.9 %'],
    [0.999_99, '99.9 %'],
    [1, '100 %'],
  ])('formats %d as %s, and 100 %% only for a rate of 1', (rate, said) => {
    expect(percent(rate)).toBe(said);
  });
});

it('counts with singular and plural', () => {
  expect([counted(1, 'test'), counted(12_345, 'test'), counted(2, 'retry', 'retries')]).toEqual([
    '1 test',
    '12,345 tests',
    '2 retries',
  ]);
});

it('formats a time window as short as possible', () => {
  expect(timeWindow(START, START + 400)).toBe('02:00:00');
  expect(timeWindow(START, START + 27_000)).toBe('02:00:00–02:00:27');
  expect(timeWindow(START + 600_000, START + 1_620_000)).toBe('02:10–02:27');
});

it('adds the date only where the day differs', () => {
  expect(moment(START + 5000, START)).toBe('02:00:05');
  expect(moment(START + 86_400_000, START)).toBe('2026-11-24 02:00');
});

it('never throws for a time outside the range of dates', () => {
  expect(isoTime(Number.NaN)).toBe('1970-01-01T00:00:00.000Z');
  expect(dateTime(1e300)).toMatch(/UTC$/);
});

it('marks shortened text', () => {
  expect(shorten('abcdef', 4)).toBe('abc…');
  expect(shorten('abc', 4)).toBe('abc');
});
