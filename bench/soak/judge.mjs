// Reads the logs of a soak: who held what when, and whether that was right.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { above } from './intervals.mjs';

/** What a lease of the pool with equal needs had waited for. */
const EQUAL = 'even';

/**
 * @param folder of the logs
 * @param soak `killedAt`: when processes were killed, by number; `pools`; `quiet`: the time in which waits are compared;
 *   `sessions`: the server's count; `isStrict`: also who stands still holds, as on one machine
 */
export function judge(folder, { killedAt, pools, quiet, sessions, isStrict }) {
  const found = { leases: 0, refused: 0, holdings: new Map(), waits: [], longest: new Map(), problems: [] };
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.log'))) {
    const number = Number(name.slice(0, -4));
    read(readFileSync(path.join(folder, name), 'utf8'), number, killedAt.get(number) ?? null, found);
  }
  const limits = limitsOf(pools);
  const held = limits.flatMap(([member, limit]) => above(limit, member, found.holdings.get(member) ?? []));
  const overlaps = [...sessions.overlaps(limits), ...(isStrict ? held : [])];
  const { leases, refused } = found;
  const grants = new Float64Array(found.waits.map(({ to }) => to)).sort();
  const waits = found.waits.filter(({ from, to }) => from >= quiet.from && to <= quiet.to);
  const problems = [...found.problems, ...overlaps];
  const longest = Math.max(0, ...found.longest.values());
  return {
    leases,
    refused,
    calls: sessions.calls,
    longestMs: round(longest),
    overlaps: overlaps.length,
    ...fairness(waits, grants),
    problems,
  };
}

function read(text, number, killed, found) {
  const open = new Map();
  const asked = new Map();
  // What was written when it was killed may be cut short.
  for (const line of text.slice(0, text.lastIndexOf('\n')).split('\n')) {
    const [what, time, lease, about] = line.split(' ', 4);
    const at = Number(time);
    const holding = `${lease} ${about}`;
    if (what === 'A') asked.set(lease, { at, pool: about });
    else if (what === 'S') {
      open.set(holding, at);
      const wait = asked.get(lease);
      asked.delete(lease);
      if (wait) found.leases++;
      if (wait) found.longest.set(number, Math.max(found.longest.get(number) ?? 0, (at - wait.at) / 1e6));
      if (wait?.pool === EQUAL) found.waits.push({ from: wait.at, to: at });
    } else if (what === 'E') {
      add(found.holdings, about, [open.get(holding), at]);
      open.delete(holding);
    } else if (what === 'P') {
      found.problems.push(`process ${number}: ${line}`);
    } else if (what === 'R') {
      found.refused++;
      found.problems.push(`refused in process ${number}: ${line}`);
    }
  }
  for (const [holding, at] of open) {
    if (killed === null) found.problems.push(`process ${number} ended with ${holding}`);
    else if (killed > at) add(found.holdings, holding.split(' ')[1], [at, killed]);
  }
}

function limitsOf(pools) {
  return pools.flatMap(({ name, endpoints, keys }) => [
    ...endpoints.map(({ id, maxConcurrent }) => [`${name}/endpoint:${id}`, maxConcurrent]),
    ...keys.map(({ id, maxConcurrent }) => [`${name}/key:${id}`, maxConcurrent]),
  ]);
}

/**
 * Waits in milliseconds, and in turns: how many others were served meanwhile. Turns do not grow where the machine, or a
 * process that is started, is slow.
 */
function fairness(waits, grants) {
  const turns = waits.map(({ from, to }) => before(grants, to) - before(grants, from));
  const times = waits.map(({ from, to }) => (to - from) / 1e6);
  return {
    waitMs: spread(times),
    waitTurns: spread(turns),
  };
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const [p99, max] = [sorted[Math.floor(sorted.length * 0.99)], sorted.at(-1)];
  return { mean: round(mean), p99: round(p99), max: round(max), maxOfMean: round(max / mean) };
}

/** How many of the sorted times come before that one. */
function before(times, at) {
  let low = 0;
  for (let high = times.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (times[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function add(lists, name, value) {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}

function round(value) {
  return Math.round(value * 100) / 100;
}
