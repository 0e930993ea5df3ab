// Kills and pauses at random times: what, and when, follows from the seed. `calm` times as long passes between them.
import { setTimeout as sleep } from 'node:timers/promises';
import { brokerPid } from '../parts/processes.mjs';

/** @returns `counts` of what was done, and `stop` */
export function startChaos({ workers, addresses, redis, random, calm }) {
  const counts = { workersKilled: 0, workersPaused: 0, brokersKilled: 0 };
  if (redis) Object.assign(counts, { redisKilled: 0, redisPaused: 0 });
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
  const pauseWorker = async () => {
    counts.workersPaused++;
    await workers.pause(pick(workers.busy), between(20, 600));
  };
  const killBroker = () => {
    const pid = brokerPid(pick(addresses).projects[0]);
    if (pid === null) return;
    try {
      process.kill(pid, 'SIGKILL');
      counts.brokersKilled++;
    } catch {
      // It ended while we looked.
    }
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

  const running = [
    again(200, 900, killWorker),
    again(300, 1_500, pauseWorker),
    again(700, 2_500, killBroker),
    ...(redis
      ? [again(1_500, 5_000, () => (counts.redisKilled === 0 || random() < 0.6 ? killRedis() : pauseRedis()))]
      : []),
  ];
  const stop = async () => {
    stopped = true;
    await Promise.all(running);
  };
  return { counts, stop };
}
