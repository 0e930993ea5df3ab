/** A broker that says nothing for so long is given up. */
export const SILENT_S = 10;
const STEP_MS = 1_000;

/**
 * Whether nothing comes within ten seconds. Time in which this process stood still does not count: what came meanwhile is
 * read after the timer that is late.
 */
export async function isQuiet(coming: Promise<unknown>): Promise<boolean> {
  let steps = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setInterval(() => {
      if (++steps > SILENT_S) resolve(true);
    }, STEP_MS);
  });
  try {
    return await Promise.race([coming.then(() => false), late]);
  } finally {
    clearInterval(timer);
  }
}
