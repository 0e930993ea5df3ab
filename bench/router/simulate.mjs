// The discrete-event simulation: several workers, each with one request at a time, so that feedback comes late.

import { attempt, newArm } from './arm.mjs';
import { seedOf, stream } from './random.mjs';

export const MAX_ATTEMPTS = 3;
export const RETRY_AFTER_MS = 100;
export const LOST_MS = 10_000;

/**
 * Runs one scenario under one policy. A policy is made by `make({ now, random, world })`; only the oracle may look at
 * `world`. Returns the total cost and counts.
 */
export function simulate(scenario, make, seed) {
  let now = 0;
  const arms = scenario.arms.map((spec, index) => newArm(spec, `arm-${index}`, seedOf(seed, 'arm', index)));
  const byId = new Map(arms.map((arm) => [arm.id, arm]));
  const policy = make({ now: () => now, random: stream(seedOf(seed, 'policy')), world: { arms, byId } });
  const pauses = stream(seedOf(seed, 'pauses'));
  const events = new Heap();
  const totals = { cost: 0, requests: 0, firstOk: 0, failed: 0, lost: 0 };
  let started = 0;

  const nextRequest = (worker) => {
    if (started >= scenario.requests) return;
    started++;
    const request = { worker, from: now, tried: 0, left: arms.map((arm) => arm.id) };
    nextAttempt(request);
  };
  const nextAttempt = (request) => {
    request.tried++;
    const id = policy.pick(request.left, { attempt: request.tried });
    const arm = byId.get(id);
    if (!arm || !request.left.includes(id)) throw new Error(`the policy picked ${id}, which was not offered`);
    request.left = request.left.filter((other) => other !== id);
    const outcome = attempt(arm, now);
    arm.inFlight++;
    events.push(now + outcome.durationMs, () => settle(request, arm, outcome));
  };
  const settle = (request, arm, outcome) => {
    arm.inFlight--;
    policy.record(arm.id, outcome);
    if (outcome.ok) {
      if (request.tried === 1) totals.firstOk++;
      return end(request, 0);
    }
    totals.failed++;
    if (request.tried >= MAX_ATTEMPTS || request.left.length === 0) return end(request, LOST_MS);
    events.push(now + RETRY_AFTER_MS, () => nextAttempt(request));
  };
  const end = (request, price) => {
    totals.requests++;
    if (price > 0) totals.lost++;
    totals.cost += now - request.from + price;
    const pause = -scenario.pauseMs * Math.log(1 - pauses());
    events.push(now + pause, () => nextRequest(request.worker));
  };

  for (let worker = 0; worker < scenario.workers; worker++) {
    events.push(worker * 7, () => nextRequest(worker));
  }
  for (let event = events.pop(); event; event = events.pop()) {
    now = event.at;
    event.run();
  }
  return totals;
}

/** A binary heap of events, by time and then by order of entry. */
class Heap {
  #items = [];
  #count = 0;

  push(at, run) {
    const items = this.#items;
    const item = { at, order: this.#count++, run };
    let place = items.push(item) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(item, items[parent])) break;
      items[place] = items[parent];
      place = parent;
    }
    items[place] = item;
  }

  pop() {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1], items[child])) child++;
      if (!isBefore(items[child], last)) break;
      items[place] = items[child];
      place = child;
    }
    items[place] = last;
    return first;
  }
}

function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
