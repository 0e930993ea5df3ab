// Faults at random times: what, and when, follows from the seed. `calm` times as long passes between them.
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { brokerPid } from '../parts/processes.mjs';

const HOUR = 3_600;

/**
 * @param soak `longestMs`: of a standstill; `folder` where processes meet; `clock`: of all processes, or null
 * @returns `counts` of what was done, and `stop`
 */
export function startChaos({ workers, addresses, redis, random, calm, longestMs, folder, clock }) {
  const counts = {
    workersKilled: 0,
    workersPaused: 0,
    brokersKilled: 0,
    brokersPaused: 0,
    foldersDeleted: 0,
  };
  if (clock) counts.clocksSet = 0;
  if (redis)
    Object.assign(counts, { redisKilled: 0, redisPaused: 0, redisEmptied: 0, redisCut: 0, redisDelayed: 0 });
  let stopped = false;
  const between = (least, most) => Math.round(least + random() * (most - least));
  const pick = (from) => from[Math.floor(random() * from.length)];
  const again = async (least, most, act) => {
    for (;;) {
      await sleep(calm * between(least, most));
      if (stopped) return;
      await act();
    }
  };

  const killWorker = () => {
    const number = pick(workers.busy);
    if (number === undefined) return;
    workers.kill(number);
    workers.start();
    counts.workersKilled++;
  };
  /** Mostly short; now and then longer than any limit. */
  const standstillMs = () => (random() < 0.2 ? between(longestMs / 10, longestMs) : between(20, 600));
  const pauseWorker = async () => {
    counts.workersPaused++;
    await workers.pause(pick(workers.busy), standstillMs());
  };
  const pauseBroker = async () => {
    const pid = brokerPid(pick(addresses).projects[0]);
    if (!signal(pid, 'SIGSTOP')) return;
    counts.brokersPaused++;
    await sleep(standstillMs());
    // Its clients may have ended it by now.
    signal(pid, 'SIGCONT');
  };
  const deleteFolder = () => {
    counts.foldersDeleted++;
    rmSync(folder, { recursive: true, force: true });
  };
  const setClock = () => {
    counts.clocksSet++;
    clock.set(Math.round((random() * 4 - 2) * HOUR));
  };
  const killBroker = () => {
    if (signal(brokerPid(pick(addresses).projects[0]), 'SIGKILL')) counts.brokersKilled++;
  };
  // Away for longer than leases live, or back before; empty in both cases.
  const killRedis = async () => {
    counts.redisKilled++;
    redis.kill();
    await sleep(random() < 0.25 ? between(2_500, 4_000) : between(50, 1_000));
    await redis.start();
  };
  const pauseRedis = async () => {
    counts.redisPaused++;
    redis.pause();
    await sleep(random() < 0.2 ? between(2_500, 4_000) : between(50, 600));
    redis.resume();
  };
  const emptyRedis = async () => {
    counts.redisEmptied++;
    await redis.command('FLUSHALL');
  };
  // Nothing passes: the server lives, and machines cannot reach it.
  const cutRedis = async () => {
    counts.redisCut++;
    redis.proxy.cut();
    await sleep(random() < 0.3 ? between(2_500, 4_000) : between(50, 1_500));
    redis.proxy.mend();
  };
  const delayRedis = async () => {
    counts.redisDelayed++;
    redis.proxy.delay(between(20, 250));
    await sleep(between(500, 3_000));
    redis.proxy.delay(0);
  };
  const redisFaults = [killRedis, emptyRedis, cutRedis, pauseRedis, delayRedis];
  let redisTurn = 0;

  const running = [
    again(200, 900, killWorker),
    again(300, 1_500, pauseWorker),
    again(700, 2_500, killBroker),
    again(1_000, 4_000, pauseBroker),
    again(1_000, 8_000, deleteFolder),
    ...(clock ? [again(1_000, 6_000, setClock)] : []),
    // Each in turn, so that a short soak has them all.
    ...(redis ? [again(500, 2_500, () => redisFaults[redisTurn++ % redisFaults.length]())] : []),
  ];
  const stop = async () => {
    stopped = true;
    await Promise.all(running);
  };
  return { counts, stop };
}

/** False where there is no such process, or it ended while we looked. */
function signal(pid, name) {
  try {
    return pid !== null && process.kill(pid, name);
  } catch {
    return false;
  }
}
