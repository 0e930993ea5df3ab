// LiteLLM's router (router_strategy/lowest_latency.py, router_utils/cooldown_handlers.py), defaults.

const COOLDOWN_MS = 5_000;
const LIST = 10;
const TIMEOUT_LATENCY_S = 1_000;

/** Deployments rest for 5 s (or Retry-After) on a 429, a 401, or where over half of this minute's calls failed. */
function cooldowns(now) {
  const minutes = new Map();
  const until = new Map();
  return {
    record(id, { ok, kind, retryAfterMs }) {
      const minute = Math.floor(now() / 60_000);
      let counts = minutes.get(id);
      if (!counts || counts.minute !== minute) minutes.set(id, (counts = { minute, ok: 0, failed: 0 }));
      counts[ok ? 'ok' : 'failed']++;
      if (ok) return;
      const total = counts.ok + counts.failed;
      const tooMany = total > 1 && counts.failed / total > 0.5;
      if (kind === 'rate-limit' || kind === 'auth' || tooMany)
        until.set(id, now() + (retryAfterMs ?? COOLDOWN_MS));
    },
    /** Those that do not rest; all where all rest, since an answer must be given here. */
    healthy(candidates) {
      const rested = candidates.filter((id) => (until.get(id) ?? 0) <= now());
      return rested.length > 0 ? rested : candidates;
    },
  };
}

export function litellmShuffle({ now, random }) {
  const rest = cooldowns(now);
  return {
    pick(candidates) {
      const healthy = rest.healthy(candidates);
      return healthy[Math.floor(random() * healthy.length)];
    },
    record: (id, outcome) => rest.record(id, outcome),
  };
}

export function litellmLatency({ now, random }) {
  const rest = cooldowns(now);
  const latencies = new Map();
  const mean = (id) => {
    const list = latencies.get(id);
    return list ? list.reduce((sum, one) => sum + one, 0) / list.length : 0;
  };
  return {
    pick(candidates) {
      const known = rest.healthy(candidates).map((id) => ({ id, latency: mean(id) }));
      const lowest = Math.min(...known.map(({ latency }) => latency));
      const valid = known.filter(({ latency }) => latency <= lowest);
      return valid[Math.floor(random() * valid.length)].id;
    },
    record(id, outcome) {
      rest.record(id, outcome);
      if (!outcome.ok && outcome.kind !== 'timeout') return;
      const list = latencies.get(id) ?? [];
      // A full list keeps its first nine and changes its last: so it is written there.
      const kept = list.length < LIST ? list : list.slice(0, LIST - 1);
      latencies.set(id, [...kept, outcome.ok ? outcome.durationMs / 1_000 : TIMEOUT_LATENCY_S]);
    },
  };
}
