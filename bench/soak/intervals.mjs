/** Every time at which a member had one holder too many. */
export function above(limit, member, holdings) {
  // A beginning is an odd number, so that of what happens at once the ends come first.
  const times = new Float64Array(holdings.flatMap(([from, to]) => [from * 2 + 1, to * 2])).sort();
  const found = [];
  let holders = 0;
  for (const time of times) {
    holders += time % 2 === 1 ? 1 : -1;
    if (time % 2 === 1 && holders > limit)
      found.push(`${member} has ${holders} holders at ${(time - 1) / 2}`);
  }
  return found;
}
