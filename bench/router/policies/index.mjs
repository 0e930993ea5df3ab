// Every policy by name. Ours is the built package, as users get it.

import { createRouter } from '../../../dist/router.js';
import { ucb, thompsonCost, thompsonSuccess } from './bandits.mjs';
import { envoy } from './envoy.mjs';
import { litellmLatency, litellmShuffle } from './litellm.mjs';
import { peakEwma } from './peak-ewma.mjs';
import { naive, randomPick, roundRobin } from './simple.mjs';

export const OURS = 'gemba';

export const POLICIES = {
  [OURS]: ({ now, random }) => createRouter({ now, random }),
  'discounted UCB, tuned': ucb({ keep: 0.99, width: 0.06, priceMs: 2_000, scaleMs: 500 }),
  'UCB1, tuned': ucb({ keep: 1, width: 0.03, priceMs: 4_000, scaleMs: 1_000 }),
  'Thompson on cost, discounted': thompsonCost({ keep: 0.998, priceMs: 1_500, priorMs: 600 }),
  'Thompson on cost': thompsonCost({ keep: 1, priceMs: 1_500, priorMs: 300 }),
  'Thompson on success, discounted': thompsonSuccess({ keep: 0.995 }),
  'Thompson on success': thompsonSuccess({ keep: 1 }),
  'LiteLLM latency-based': litellmLatency,
  'LiteLLM simple-shuffle': litellmShuffle,
  'Envoy outlier detection, tuned': envoy({
    consecutive: 2,
    intervalMs: 1_000,
    baseMs: 20_000,
    maxMs: 60_000,
    maxEjectionPercent: 100,
    requestVolume: 20,
  }),
  'Envoy outlier detection': envoy(),
  'P2C PeakEWMA': peakEwma,
  'naive rule': naive,
  random: randomPick,
  'round-robin': roundRobin,
};
