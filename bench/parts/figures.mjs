// What the benchmarks share to tell what they saw: rows of one table, ratios within one run, and whether a target is met.

/**
 * A row of the table. `ratio` is ours to the peer's, of one round, the middle one of all; `limit` is what the row's value
 * (`ratio` where nothing else is given) may be at most, or at least where `atLeast` says so. Without a limit nothing is judged.
 */
export function row({
  what,
  ours,
  peer = '',
  ratio = null,
  value = ratio,
  limit = null,
  atLeast = false,
  target = '',
}) {
  const met = limit === null || value === null ? null : atLeast ? value >= limit : value <= limit;
  return { what, ours, peer, ratio: ratio === null ? null : round(ratio, 3), target, met };
}

/** One table: what, ours, peer, ratio, target, and whether it is met. */
export function printTable(rows) {
  const columns = ['what', 'ours', 'peer', 'ratio', 'target', ''];
  const cells = rows.map(({ what, ours, peer, ratio, target, met }) => {
    return [
      what,
      ours,
      peer,
      ratio === null ? '' : String(ratio),
      target,
      met === null ? '' : met ? 'met' : 'MISSED',
    ];
  });
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...cells.map((line) => line[index].length)),
  );
  const line = (texts) => `| ${texts.map((text, index) => text.padEnd(widths[index])).join(' | ')} |`;
  console.log([line(columns), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n'));
}

/** Prints the rows of one benchmark: as a table, or as JSON for who asked for it. */
export function report(rows, asJson) {
  if (asJson) console.log(JSON.stringify(rows));
  else printTable(rows);
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** From the least to the greatest, as people write it. */
export function range(values, digits = 2) {
  return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}

/** Processor time that this process has used so far, in milliseconds. */
export function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}
