/** The first choice for a task, at this time. */
export interface FirstChoice {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly name: string;
}

/** A period in which one strategy was mostly the first choice. */
export interface Period {
  readonly from: number;
  readonly to: number;
  readonly runs: number;
}

/** Choices before and after that decide what is mostly chosen: single other choices do not end a period. */
const AROUND = 2;

/** When each strategy of a task was mostly the first choice, by name. */
export function periodsOf(choices: readonly FirstChoice[]): Map<string, Period[]> {
  const inOrder = choices.toSorted((one, other) => one.at - other.at);
  const periods = new Map<string, Period[]>();
  let before: string | null = null;
  for (const [index, { at }] of inOrder.entries()) {
    const name = mostOf(inOrder.slice(Math.max(0, index - AROUND), index + AROUND + 1), before);
    const own = periods.get(name) ?? [];
    periods.set(name, own);
    const last = own.at(-1);
    if (name !== before || !last) own.push({ from: at, to: at, runs: 1 });
    else own[own.length - 1] = { from: last.from, to: at, runs: last.runs + 1 };
    before = name;
  }
  return periods;
}

/** The most frequent name; of equals the current one, else the first. */
function mostOf(choices: readonly FirstChoice[], before: string | null): string {
  const counts = new Map<string, number>();
  for (const { name } of choices) counts.set(name, (counts.get(name) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const names = [...counts].flatMap(([name, count]) => (count === most ? [name] : []));
  return before !== null && names.includes(before) ? before : names[0]!;
}
