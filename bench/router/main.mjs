// node bench/router/main.mjs [--seeds 50] [--from 0] [--families "a,b"] [--policies "a,b"] [--detail] [--json FILE]
//   [--tuning '{"name":{"tieShare":0}}'] [--scale 1]
//
// The success-rate router against published policies and a clairvoyant oracle, in simulated scenarios. Run `npm run
// build` before. Cost of a request: time to its end with all its attempts (at most 3, none twice at one arm, 100 ms
// between) and 10 s where it is lost. Regret: cost / the oracle's cost - 1, geometric mean over the families.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FAMILIES, scenarioOf } from './families.mjs';
import { oracle } from './oracle.mjs';
import { createRouter } from '../../dist/router.js';
import { OURS, POLICIES } from './policies/index.mjs';
import { seedOf } from './random.mjs';
import { simulate } from './simulate.mjs';
import { mean, regretOf } from './statistics.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '0' },
    families: { type: 'string' },
    policies: { type: 'string' },
    detail: { type: 'boolean', default: false },
    json: { type: 'string' },
    tuning: { type: 'string' },
    scale: { type: 'string', default: '1' },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + Number(values.from));
const families = chosen(values.families, Object.keys(FAMILIES));
if (values.tuning) {
  for (const [name, tuning] of Object.entries(JSON.parse(values.tuning)))
    POLICIES[`${OURS} ${name}`] = ({ now, random }) => createRouter({ now, random, tuning });
}
const policies = {
  oracle,
  ...Object.fromEntries(chosen(values.policies, Object.keys(POLICIES)).map((name) => [name, POLICIES[name]])),
};

const results = Object.fromEntries(Object.keys(policies).map((name) => [name, newResult()]));
for (const family of families) {
  for (const seed of seeds) {
    let best;
    for (const [name, make] of Object.entries(policies)) {
      const totals = simulate(
        scenarioOf(family, seed, Number(values.scale)),
        make,
        seedOf(family, seed, 'run'),
      );
      best ??= totals.cost;
      const result = results[name];
      (result.ratios[family] ??= []).push(totals.cost / best);
      (result.first[family] ??= []).push(totals.firstOk / totals.requests);
      (result.failed[family] ??= []).push(totals.failed / totals.requests);
      (result.lost[family] ??= []).push(totals.lost / totals.requests);
    }
  }
}
print();

function newResult() {
  return { ratios: {}, first: {}, failed: {}, lost: {} };
}

function chosen(list, all) {
  if (list === undefined) return all;
  const names = list.split(',').map((name) => name.trim());
  const picked = all.filter((name) =>
    names.some((wanted) => name === wanted || (wanted.endsWith('*') && name.startsWith(wanted.slice(0, -1)))),
  );
  if (picked.length === 0) throw new Error(`none of ${all.join(', ')} is called ${list}`);
  return picked;
}

function print() {
  const average = (byFamily) => mean(Object.values(byFamily).flat());
  const rows = Object.entries(results)
    .map(([name, result]) => ({ name, result, ...regretOf(result.ratios) }))
    .toSorted((a, b) => a.regret - b.regret);
  console.log(`${families.length} families, ${seeds.length} seeds from ${seeds[0]}\n`);
  console.log('| policy | regret | 95 % interval | first attempt ok | failed attempts per request | lost |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const { name, result, regret, low, high } of rows) {
    const [first, failed, lost] = [result.first, result.failed, result.lost].map(average);
    console.log(
      `| ${name} | ${regret.toFixed(3)} | ${low.toFixed(3)} to ${high.toFixed(3)} | ${first.toFixed(3)} | ${failed.toFixed(3)} | ${(lost * 100).toFixed(2)} % |`,
    );
  }
  if (values.detail) detail(rows.map(({ name }) => name).filter((name) => name !== 'oracle'));
  if (values.json) writeFileSync(values.json, JSON.stringify({ seeds, rows }));
}

/** Per family: regret, and the share of first attempts that worked beside the oracle's. */
function detail(names) {
  const shown = names.slice(0, 6);
  const cell = (text) => text.padStart(24);
  console.log(`\n${''.padEnd(28)}${shown.map((name) => cell(name.slice(0, 22))).join('')}`);
  const first = (name, family) => mean(results[name].first[family]).toFixed(3);
  for (const family of families) {
    const cells = shown.map((name) => {
      const { regret } = regretOf({ [family]: results[name].ratios[family] });
      return cell(`${regret.toFixed(3)} (${first(name, family)})`);
    });
    console.log(`${family.padEnd(28)}${cells.join('')}${cell(`oracle (${first('oracle', family)})`)}`);
  }
}
