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

export function leaseRows(text) {
  const rows = tableOf(text).flatMap((line) => {
    const what = `leases, ${line.processes} processes`;
    const ours = `${line['leases/s']} a second`;
    const isJudged = Number(line.processes) >= 4;
    const [echo, lock] = [Number(line['of an echo']), Number(line['of a lock file'])];
    const toEcho = isJudged ? { limit: 0.9, atLeast: true, target: '≥ 0.9' } : {};
    const toLock = isJudged ? { limit: 15, atLeast: true, target: '≥ 15' } : {};
    return [
      row({ what, ours, peer: 'an echo of the messages', ratio: echo, ...toEcho }),
      row({ what, ours, peer: 'a lock file', ratio: lock, ...toLock }),
    ];
  });
  const contended = found(
    text,
    /Contended: (\d+) leases\/s, (\d+) % of the ideal.*longest wait ([\d.]+) × the mean/,
  );
  const [rate, share, longest] = contended.map(Number);
  const what = 'leases, contended: 8 processes, 4 keys';
  return [
    ...rows,
    row({
      what,
      ours: `${rate} a second`,
      peer: 'the ideal',
      ratio: share / 100,
      limit: 0.85,
      atLeast: true,
      target: '≥ 0.85',
    }),
    row({
      what: `${what}: longest wait`,
      ours: `${longest} × the mean`,
      value: longest,
      limit: 3,
      target: '≤ 3',
    }),
    killed(text, 'holder', 50),
    killed(text, 'broker', 500),
  ];
}

function killed(text, whose, limit) {
  const [median] = found(text, new RegExp(`Killed ${whose}:.*median (\\d+)\\)`));
  const what =
    whose === 'holder' ? 'killed holder: member leased again' : 'killed broker: back, every lease kept';
  return row({ what, ours: `${median} ms`, value: Number(median), limit, target: `≤ ${limit} ms` });
}

export function redisRows(text) {
  return tableOf(text).map((line) =>
    row({
      what: `leases over Redis, ${line.processes} processes`,
      ours: `${line['leases/s']} a second`,
      peer: 'a bare Lua script a step',
      ratio: Number(line['of bare Lua']),
      limit: 0.8,
      atLeast: true,
      target: '≥ 0.8',
    }),
  );
}

export function soakRows(text) {
  const { leases, overlaps, problems } = JSON.parse(text);
  const ours = `${overlaps} double holders, ${problems.length} problems in ${leases.toLocaleString('en')} leases`;
  const value = overlaps + problems.length;
  return [
    row({ what: 'soak: processes and brokers killed at random', ours, value, limit: 0, target: 'none' }),
  ];
}

/** What console.table printed, as objects. */
function tableOf(text) {
  const lines = text.split('\n').filter((line) => line.startsWith('│'));
  const cells = lines.map((line) =>
    line
      .split('│')
      .slice(2, -1)
      .map((cell) => cell.trim().replace(/^'|'$/g, '')),
  );
  const [names, ...rows] = cells;
  if (!names || rows.length === 0) throw new Error(`no table in what it says: ${text.slice(0, 500)}`);
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [names[index], cell])));
}

function found(text, pattern) {
  const match = pattern.exec(text);
  if (!match) throw new Error(`${pattern} is not in what it says: ${text.slice(-500)}`);
  return match.slice(1);
}
