// What the soak leases: a pool of four equal, exclusive keys that all processes want, and one with limits of all kinds.

const POLICY = {
  protocol: 'http',
  rotation: 'round-robin',
  routing: 'least-busy',
  maxFailures: 5,
  maxRetries: 3,
  timeoutMs: 5_000,
  acquireTimeoutMs: 60_000,
  ejection: { baseMs: 15_000, maxMs: 600_000 },
  retryBudget: 10,
};

const key = (name, maxConcurrent, role) => ({
  name,
  id: `${name}#00000000`,
  fingerprint: '00000000',
  quotaGroup: name,
  weight: 1,
  maxConcurrent,
  enabled: true,
  labels: role ? { role } : {},
});
const endpoint = (name, maxConcurrent) => ({
  name,
  id: `${name}#00000000`,
  url: `https://${name}.test`,
  weight: 1,
  priority: 0,
  maxConcurrent,
  enabled: true,
});

const even = {
  ...POLICY,
  name: 'even',
  endpoints: [],
  keys: ['k1', 'k2', 'k3', 'k4'].map((name) => key(name, 1)),
};
const mixed = {
  ...POLICY,
  name: 'mixed',
  endpoints: [endpoint('e1', 3), endpoint('e2', 2)],
  keys: [key('m1', 1, 'admin'), key('m2', 2, 'admin'), key('m3', 1, 'user'), key('m4', 3, 'user')],
};

export const POOLS = [even, mixed];

/** Takes all there is of the equal keys at once; tells what could not be had. */
export async function takeEverything(client, timeoutMs) {
  const leases = even.keys.map(({ name }) => `all-${name}-${client.id}`);
  const asked = { type: 'acquire', pool: 'even', need: {}, holder: 'the end', testId: null, exclude: [] };
  const answers = await Promise.all(leases.map((lease) => client.ask({ ...asked, lease, timeoutMs })));
  for (const lease of leases) client.release(lease, false);
  const refused = answers.filter((answer) => answer.is !== 'granted');
  return refused.map((answer) => `cannot be had in the end: ${JSON.stringify(answer)}`);
}
