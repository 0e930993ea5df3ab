// Envoy's outlier detection over round-robin (envoy.config.cluster.v3.OutlierDetection), with its defaults or others.

const DEFAULTS = {
  consecutive: 5,
  intervalMs: 10_000,
  baseMs: 30_000,
  maxMs: 300_000,
  maxEjectionPercent: 10,
  minimumHosts: 5,
  requestVolume: 100,
  stdevFactor: 1.9,
};

/** Below this share of healthy hosts all are used: Envoy's panic threshold. */
const PANIC = 0.5;

export const envoy =
  (more = {}) =>
  ({ now }) => {
    const options = { ...DEFAULTS, ...more };
    const hosts = new Map();
    let turn = 0;
    let sweptAt = 0;

    const hostOf = (id) => {
      if (!hosts.has(id))
        hosts.set(id, { inRow: 0, ok: 0, total: 0, until: 0, isOut: false, times: 0, order: hosts.size });
      return hosts.get(id);
    };
    const eject = (host) => {
      if (host.isOut) return;
      const out = [...hosts.values()].filter((other) => other.isOut).length;
      const share = ((out + 1) / hosts.size) * 100;
      if (out > 0 && share > options.maxEjectionPercent) return;
      host.isOut = true;
      host.times++;
      host.until = now() + Math.min(options.baseMs * host.times, Math.max(options.maxMs, options.baseMs));
    };
    const sweep = () => {
      if (now() - sweptAt < options.intervalMs) return;
      sweptAt = now();
      for (const host of hosts.values()) {
        if (host.isOut && host.until <= now()) Object.assign(host, { isOut: false, inRow: 0 });
        else if (!host.isOut && host.times > 0) host.times--;
      }
      const busy = [...hosts.values()].filter((host) => host.total >= options.requestVolume);
      if (busy.length >= options.minimumHosts) {
        const rates = busy.map((host) => host.ok / host.total);
        const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
        const stdev = Math.sqrt(rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length);
        for (const [index, host] of busy.entries())
          if (rates[index] < mean - options.stdevFactor * stdev) eject(host);
      }
      for (const host of hosts.values()) Object.assign(host, { ok: 0, total: 0 });
    };

    return {
      pick(candidates) {
        for (const id of candidates) hostOf(id);
        sweep();
        const isPanic = [...hosts.values()].filter((host) => !host.isOut).length / hosts.size < PANIC;
        const healthy = candidates.filter((id) => !hostOf(id).isOut);
        const usable = isPanic || healthy.length === 0 ? candidates : healthy;
        const sorted = usable.toSorted((a, b) => hostOf(a).order - hostOf(b).order);
        return sorted[turn++ % sorted.length];
      },
      record(id, { ok, kind }) {
        const host = hostOf(id);
        host.total++;
        // A 429 or a 401 is no 5xx: to Envoy the host works.
        const isFault = !ok && kind !== 'rate-limit' && kind !== 'auth';
        if (!isFault) {
          host.ok++;
          host.inRow = 0;
        } else if (++host.inRow >= options.consecutive) {
          host.inRow = 0;
          eject(host);
        }
      },
    };
  };
