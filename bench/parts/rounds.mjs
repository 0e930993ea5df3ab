// Suites that run one after the other, round by round, so that none waits for another and a machine that becomes slower
// or faster meanwhile is nobody's fault.

/**
 * Runs each project's suite once a round, after a round that is not counted, in turn forwards and backwards.
 * `[{ plain: { cpuMs, wallMs, … }, leased: … }, …]`, one entry a round.
 */
export async function alternate(projects, rounds, run) {
  const runAll = async (round = 0) => {
    const seen = {};
    const order = Object.entries(projects);
    for (const [name, project] of round % 2 === 0 ? order : order.toReversed())
      seen[name] = await run(project);
    return seen;
  };
  // Compiles the files of the suites.
  await runAll();
  const measured = [];
  for (let round = 0; round < rounds; round++) measured.push(await runAll(round));
  return measured;
}
