// For code that brings its own HTTP client: lease a member, use its address and headers, say how it went.
import type { Gemba, Lease } from 'gemba-agent';
import { test, expect } from 'gemba-agent';

test('exports all orders as CSV', async ({ gemba }) => {
  const text = await download(gemba, '/orders/export');
  expect(text.split('\n')[0]).toBe('id,customer,cents,status');
  expect(text.split('\n').length).toBeGreaterThan(42);
});

test('exports every seeded customer', async ({ gemba }) => {
  const text = await download(gemba, '/orders/export');
  for (const number of [0, 1, 2, 3, 4, 5]) expect(text).toContain(`,seed-${number},`);
});

test('the export agrees with the API', async ({ gemba }) => {
  const [line] = (await download(gemba, '/orders/export')).split('\n').slice(1);
  const order = JSON.parse(await download(gemba, '/orders/o-1'));
  expect(line).toMatch(new RegExp(`^o-1,${order.customer},${order.cents},`));
});

test('a lease tells where the test runs and as whom', async ({ request, lease }) => {
  const response = await request.get('/healthz');
  expect(response.headers()['x-replica']).toBe(lease.endpoint?.name);
  expect(['ci-1', 'ci-3']).toContain(lease.key?.name);
});

/** A client of our own. What it records teaches the pool; after a fault it asks for another member. */
async function download(gemba: Gemba, address: string): Promise<string> {
  for (let left = 4; left > 0; left--) {
    const lease = await gemba.lease();
    try {
      const answer = await attempt(gemba, lease, address);
      if (answer !== undefined) return answer;
    } finally {
      await lease.release();
    }
  }
  throw new Error(`no member of the pool gave ${address}`);
}

async function attempt(gemba: Gemba, lease: Lease, address: string): Promise<string | undefined> {
  const from = performance.now();
  const elapsed = () => Math.round(performance.now() - from);
  try {
    const response = await fetch(`${lease.endpoint?.url}${address}`, { headers: lease.headers });
    const text = await response.text();
    const kind = response.ok
      ? 'ok'
      : response.status === 401
        ? 'auth'
        : response.status === 429
          ? 'rate-limit'
          : 'server';
    gemba.record({ kind, status: response.status, durationMs: elapsed(), lease });
    return response.ok ? text : undefined;
  } catch (error) {
    gemba.record({ kind: 'network', durationMs: elapsed(), message: String(error), lease });
    return undefined;
  }
}
