// Clocks of processes that can be set while they run, by libfaketime where the machine has it. The monotonic clock goes on.
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const LIBRARY = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file));

/** @returns `exec`: a Node whose date `set` moves by so many seconds; null where there is no libfaketime */
export function settableClock(folder) {
  if (LIBRARY === undefined) return null;
  const file = path.join(folder, 'clock');
  const exec = path.join(folder, 'node');
  const set = (seconds) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  set(0);
  const fake = `LD_PRELOAD=${LIBRARY} FAKETIME_TIMESTAMP_FILE=${file} FAKETIME_CACHE_DURATION=1`;
  const only = 'FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1';
  writeFileSync(exec, `#!/bin/sh\n${fake} ${only} exec ${process.execPath} "$@"\n`);
  chmodSync(exec, 0o755);
  return { exec, set };
}
