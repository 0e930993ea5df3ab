// Processes that nobody can ask what they used, such as the broker, which ends by itself and tells nothing. Linux does.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Whether that can be known here. */
const isKnown = existsSync('/proc/self/schedstat');

/** Processor time in milliseconds of all processes whose arguments fit. */
export function cpuOfProcesses(fits) {
  let cpuMs = 0;
  for (const pid of pidsOf(fits)) {
    for (const thread of readOr(() => readdirSync(`/proc/${pid}/task`), []))
      cpuMs +=
        Number(
          readOr(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'), '0').split(' ')[0],
        ) / 1e6;
  }
  return cpuMs;
}

export function endProcesses(fits) {
  for (const pid of pidsOf(fits)) readOr(() => process.kill(pid), false);
}

/** The broker's process, by its project on its command line; null where none runs. */
export function brokerPid(project) {
  const isBroker = (args) => args.includes(project) && args.some((arg) => /[\\/]broker\.cjs$/.test(arg));
  return pidsOf(isBroker)[0] ?? null;
}

function pidsOf(fits) {
  if (!isKnown) return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const argsOf = (pid) => readOr(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').split('\0');
  return pids.map(Number).filter((pid) => pid !== process.pid && fits(argsOf(pid)));
}

/** A process may end while it is looked at. */
function readOr(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
