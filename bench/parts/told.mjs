// Rows of the one table from benchmarks that tell what they saw in their own words.
import { row } from './figures.mjs';

const OURS = 'gemba';

export function routerRows({ seeds, rows }) {
  const ours = rows.find(({ name }) => name === OURS);
  const others = rows.filter(({ name }) => name !== OURS && name !== 'oracle');
  const next = others.toSorted((a, b) => a.regret - b.regret)[0];
  return [
    row({
      what: `router: regret against a clairvoyant, ${seeds.length} seeds`,
      ours: ours.regret.toFixed(3),
      peer: `${next.name} ${next.regret.toFixed(3)}`,
      ratio: ours.regret / next.regret,
      value: ours.regret,
      // A few seeds say too little to be judged.
      ...(seeds.length >= 20 && { limit: 0.15 }),
      target: '≤ 0.15',
    }),
  ];
}

export function soakRows(text) {
  const { leases, overlaps, problems } = JSON.parse(text);
  const ours = `${overlaps} double holders, ${problems.length} problems in ${leases.toLocaleString('en')} leases`;
  const value = overlaps + problems.length;
  return [
    row({ what: 'soak: processes and brokers killed at random', ours, value, limit: 0, target: 'none' }),
  ];
}
