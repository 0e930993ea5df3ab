import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type Claimed,
  claimCall,
  drawCall,
  factCall,
  openCall,
  releaseCall,
  renewCall,
  settleCall,
  stepCall,
  permitCall,
} from '../../../src/redis/commands.ts';
import { keysOf } from '../../../src/redis/keys.ts';
import type { ScriptCall, ScriptName } from '../../../src/redis/script.ts';
import { LUA } from '../../../src/redis/scripts.ts';

const keys = keysOf('shop', 0);
const claimed = (slots: number): Claimed => ({
  lease: 'lease',
  token: 'token',
  slots: Array.from({ length: slots }, (_, index) => ({ member: `subject-${index}`, limit: 1 })),
});
const claimTerms = { run: 'run', broker: 'broker', ttlMs: 1, alreadyHeld: false, now: 1 };

/** Each script with one call, and what one more of the things its header repeats adds. */
const calls: Record<
  ScriptName,
  { call: ScriptCall; more?: ScriptCall; adds?: { keys: number; args: number } }
> = {
  open: {
    call: openCall(
      keys,
      { run: 'run', upMs: 0, promoted: false },
      { seen: '', ttlMs: 1, freshMs: 1, isClockSet: false },
    ),
  },
  claim: {
    call: claimCall(keys, claimed(1), claimTerms),
    more: claimCall(keys, claimed(2), claimTerms),
    adds: { keys: 2, args: 1 },
  },
  release: {
    call: releaseCall(keys, claimed(1), 1),
    more: releaseCall(keys, claimed(2), 1),
    adds: { keys: 2, args: 1 },
  },
  renew: {
    call: renewCall(keys, [claimed(1)], { run: 'run', ttlMs: 1, now: 1 }),
    more: renewCall(keys, [claimed(1), claimed(1)], { run: 'run', ttlMs: 1, now: 1 }),
    adds: { keys: 1, args: 4 },
  },
  permit: { call: permitCall(keys, 'subject', { atOnce: 1, windowMs: 1 }) },
  draw: { call: drawCall(keys, 'budget', { id: 'call', tokens: 1, untilDate: 1 }) },
  settle: { call: settleCall(keys, 'budget', { id: 'call', tokens: null, untilDate: 1 }) },
  step: { call: stepCall(keys, 'secret', { first: 1, last: 2, remembered: 1 }) },
  fact: { call: factCall(keys, 'broker', { member: 'member', json: '{}' }) },
};

describe.each(Object.keys(LUA) as ScriptName[])('the header of %s.lua', (name) => {
  const text = readFileSync(new URL(`../../../src/redis/lua/${name}.lua`, import.meta.url), 'utf8');
  const header = text.slice(0, text.indexOf('\n\n'));
  const { call, more, adds } = calls[name];

  test.each(['KEYS', 'ARGV'] as const)('counts its %s as the call gives them', (what) => {
    const fields = [...header.matchAll(new RegExp(`^-- ${what}\\[(\\d+)(\\+?)\\]`, 'gm'))];
    expect(fields.map((field) => Number(field[1]))).toEqual(fields.map((_, index) => index + 1));
    const repeats = fields.findIndex((field) => field[2] === '+');
    const listOf = ({ keys: given, args }: ScriptCall): readonly string[] => (what === 'KEYS' ? given : args);
    if (repeats === -1) return expect(listOf(call)).toHaveLength(fields.length);
    expect(repeats).toBe(fields.length - 1);
    const added = what === 'KEYS' ? adds!.keys : adds!.args;
    expect(listOf(call)).toHaveLength(repeats + added);
    return expect(listOf(more!)).toHaveLength(repeats + 2 * added);
  });

  test('names every field that the script reads by number, and no other', () => {
    const body = text.slice(header.length);
    for (const what of ['KEYS', 'ARGV']) {
      const declared = [...header.matchAll(new RegExp(`^-- ${what}\\[(\\d+)\\]`, 'gm'))].map(
        (field) => field[1],
      );
      const used = [...body.matchAll(new RegExp(`${what}\\[(\\d+)\\]`, 'g'))].map((field) => field[1]);
      expect([...new Set(used)].toSorted()).toEqual(declared);
    }
  });

  test('lists the codes that the script returns', () => {
    const listed = [...header.slice(header.indexOf('Returns')).matchAll(/^-- {3}([A-Z]+)/gm)];
    const returned = [...text.slice(header.length).matchAll(/\{ '([A-Z]+)'/g)].map((code) => code[1]);
    expect([...new Set(returned)].toSorted()).toEqual(listed.map((code) => code[1]).toSorted());
  });

  test('has its keys in one hash tag and makes none itself', () => {
    for (const key of call.keys) expect(key).toMatch(/^gemba:\{shop\}:/);
    expect(text).not.toContain('gemba:');
  });
});
